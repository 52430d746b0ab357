//! `operator`: who runs the installation and sees every tenant.
//!
//! People are named by data centre and ZUID, before or after their first sign-in. Those of the
//! `OPERATORS` setting come on top and cannot be taken away from here.

use std::io::Write as _;

use clap::Subcommand;

use super::{
    Failure,
    database::{Database, audited, event, with_database},
};
use crate::{config::Settings, domain::person::PersonKey, store::operator};

#[derive(Debug, clap::Args)]
pub(super) struct Operator {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let a person run the installation
    Grant(Change),
    /// Take that away again
    Revoke(Change),
    /// Who runs the installation, and who says so: the OPERATORS setting or this command
    List(List),
}

#[derive(Debug, clap::Args)]
struct Change {
    /// Data centre and ZUID, like `eu:795000000`
    #[arg(long, value_name = "PERSON")]
    person: PersonKey,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

impl Operator {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Grant(change) => with_database(&change.settings, async |database| change.grant(database).await),
            Action::Revoke(change) => with_database(&change.settings, async |database| change.revoke(database).await),
            Action::List(list) => with_database(&list.settings, async |database| list.print(database).await),
        }
    }
}

impl Change {
    async fn grant(&self, database: &Database) -> Result<(), Failure> {
        let now = database.clock.shared_now();
        let is_new = audited(database, async |tx| {
            let is_new = operator::insert(tx, &self.person, now).await?;
            Ok((is_new, is_new.then(|| event("operator_granted", "done", self.person.to_string()))))
        })
        .await?;
        let words = if is_new { "is an operator now" } else { "was an operator already" };
        self.tell(is_new, words)
    }

    async fn revoke(&self, database: &Database) -> Result<(), Failure> {
        let was = audited(database, async |tx| {
            let was = operator::delete(tx, &self.person).await?;
            Ok((was, was.then(|| event("operator_revoked", "done", self.person.to_string()))))
        })
        .await?;
        if database.config.operators.contains(&self.person) {
            return Err(Failure::Refused(format!(
                "{} is an operator by the OPERATORS setting: take the name out there and restart `serve`",
                self.person
            )));
        }
        if !was {
            return Err(Failure::Refused(format!(
                "{} is no operator: `login-with-zoho operator list` shows who is",
                self.person
            )));
        }
        self.tell(true, "is no operator any more")
    }

    fn tell(&self, changed: bool, words: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout();
        if self.json {
            let line = serde_json::json!({ "person": self.person.to_string(), "changed": changed });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{} {words}", self.person)?;
        }
        Ok(())
    }
}

impl List {
    async fn print(&self, database: &Database) -> Result<(), Failure> {
        let granted = operator::list(database.pools.engine()).await?;
        let by_setting = database.config.operators.iter().map(|person| (person.to_string(), "settings", None));
        let by_command = granted.iter().map(|row| (row.person.to_string(), "command", Some(row.granted_at)));
        let operators: Vec<_> = by_setting.chain(by_command).collect();
        let mut out = std::io::stdout().lock();
        if self.json {
            let operators: Vec<_> = operators
                .iter()
                .map(|(person, source, granted_at)| {
                    serde_json::json!({ "person": person, "source": source, "granted_at": granted_at })
                })
                .collect();
            writeln!(out, "{}", serde_json::json!({ "operators": operators }))?;
            return Ok(());
        }
        if operators.is_empty() {
            writeln!(out, "nobody: `login-with-zoho operator grant --person eu:795000000` names somebody")?;
        }
        for (person, source, _) in operators {
            writeln!(out, "{person:<24}{source}")?;
        }
        Ok(())
    }
}
