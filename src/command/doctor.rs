//! `doctor`: is this installation well, and what is to be changed, where?
//!
//! It looks and changes nothing, in our database or at Zoho, and never prints a secret. A note is
//! something to know; only what is wrong fails the command.

use std::{
    fmt,
    io::{self, Write},
};

use crate::{
    clock::Clock,
    command::Failure,
    config::{Config, Environment, Settings},
};

mod database;
mod keys;
mod settings;
mod zoho;

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Print the findings as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Finding {
    /// What it is about: `configuration`, `database`, `keys`, `clock`, `zoho`, `secrets`,
    /// `redirect URI`.
    area: &'static str,
    verdict: Verdict,
    /// What was found.
    found: String,
    /// What to change, and where.
    cure: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Well,
    Note,
    Wrong,
}

impl Finding {
    fn well(area: &'static str, found: impl Into<String>) -> Self {
        Self { area, verdict: Verdict::Well, found: found.into(), cure: None }
    }

    fn note(area: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { area, verdict: Verdict::Note, found: found.into(), cure: Some(cure.into()) }
    }

    fn wrong(area: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { area, verdict: Verdict::Wrong, found: found.into(), cure: Some(cure.into()) }
    }
}

/// For people: a line each, the cure below it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Well => '✓',
            Verdict::Note => '•',
            Verdict::Wrong => '✗',
        };
        write!(f, "{mark} {}: {}", self.area, self.found)?;
        match &self.cure {
            Some(cure) => write!(f, "\n    → {cure}"),
            None => Ok(()),
        }
    }
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        super::process::forbid_core_dumps()?;
        let findings = match Config::read(&self.settings, &Environment::of_this_process(), false) {
            Ok(config) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(examine(&config))
            }
            Err(errors) => settings::refused(&errors),
        };
        report(&findings, self.json, &mut io::stdout().lock())?;
        let is_well = findings.iter().all(|finding| finding.verdict != Verdict::Wrong);
        if is_well { Ok(()) } else { Err(Failure::Said) }
    }
}

async fn examine(config: &Config) -> Vec<Finding> {
    let clock = Clock::system();
    let (database, zoho) = tokio::join!(database::examine(config, &clock), zoho::reach(config));
    let is_usable = config.database_url.is_some() && database.iter().all(|finding| finding.verdict != Verdict::Wrong);
    let keys = if is_usable { keys::examine(config, &clock).await } else { Vec::new() };
    [settings::examine(config), database, keys, zoho].into_iter().flatten().collect()
}

fn report(findings: &[Finding], json: bool, out: &mut impl Write) -> io::Result<()> {
    let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
    if json {
        let report = serde_json::json!({ "well": wrong == 0, "findings": findings });
        return writeln!(out, "{report}");
    }
    for finding in findings {
        writeln!(out, "{finding}")?;
    }
    match wrong {
        0 => writeln!(out, "\nAll is well."),
        1 => writeln!(out, "\nOne thing is wrong."),
        more => writeln!(out, "\n{more} things are wrong."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(findings: &[Finding], json: bool) -> String {
        let mut out = Vec::new();
        report(findings, json, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_is_wrong_says_what_to_change() {
        let findings = [
            Finding::well("clock", "0.0 s off"),
            Finding::note("database", "a private Postgres", "set DATABASE_URL in production"),
            Finding::wrong("zoho", "eu cannot be reached", "let this machine connect"),
        ];
        assert_eq!(
            printed(&findings, false),
            "✓ clock: 0.0 s off\n• database: a private Postgres\n    → set DATABASE_URL in production\n✗ zoho: eu cannot be reached\n    → let this machine connect\n\nOne thing is wrong.\n"
        );
        let json: serde_json::Value = serde_json::from_str(&printed(&findings, true)).expect("JSON");
        assert_eq!(json["well"], false);
        assert_eq!(json["findings"][2]["verdict"], "wrong");
        assert_eq!(json["findings"][0]["cure"], serde_json::Value::Null);
        assert!(printed(&findings[..2], false).ends_with("\nAll is well.\n"));
    }
}
