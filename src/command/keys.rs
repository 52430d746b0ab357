//! `keys rewrap`: re-seals what is stored under the first key of `ENCRYPTION_KEYS`, so that older keys
//! can go (security.md R-23).
//!
//! The order of a rotation: the new key comes last on every replica, then moves to the front on every
//! replica, then this runs, then the old key goes.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use clap::Subcommand;

use super::{
    Failure,
    database::{Database, audited, event, with_database},
};
use crate::{
    config::Settings,
    vault::rewrap::{self, Event, Tally},
};

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Seal everything anew under the first key of ENCRYPTION_KEYS, while the site serves. Can be stopped and run again
    Rewrap(Rewrap),
}

#[derive(Debug, clap::Args)]
struct Rewrap {
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Rewrap(rewrap) => with_database(&rewrap.settings, async |database| rewrap.run(database).await),
        }
    }
}

impl Rewrap {
    async fn run(&self, database: &Database) -> Result<(), Failure> {
        let keys = database.keys();
        let mut told = Instant::now();
        let mut tell = |event: Event| {
            let line = match event {
                Event::Walked { .. } if told.elapsed() < PROGRESS => return,
                Event::Walked { column, tally } => format!("{column}: {}", words(tally)),
                Event::Unreadable { column, row, error } => format!("{column} of {row}: {error}"),
            };
            told = Instant::now();
            // A closed terminal is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        let tally = rewrap::rewrap(&database.pools, &keys, &mut tell).await?;
        if tally.resealed > 0 {
            let outcome = if tally.unreadable == 0 { "done" } else { "partly" };
            let detail = format!("{} values under key {}", tally.resealed, keys.first_id());
            audited(database, async |_| Ok(((), Some(event("keys_rewrapped", outcome, detail))))).await?;
        }
        let others: Vec<_> =
            rewrap::keys_in_use(&database.pools).await?.into_iter().filter(|key| key.id != keys.first_id()).collect();
        let mut out = std::io::stdout().lock();
        if self.json {
            let line = serde_json::json!({
                "key": keys.first_id(), "resealed": tally.resealed, "already_current": tally.already_current,
                "unreadable": tally.unreadable, "other_keys_in_use": others,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{} under key `{}`", words(tally), keys.first_id())?;
            for key in &others {
                writeln!(out, "key `{}` is still needed by {} values", key.id, key.values)?;
            }
            if others.is_empty() && database.config.encryption_keys.ids().nth(1).is_some() {
                writeln!(out, "no other key of ENCRYPTION_KEYS is needed by what is stored")?;
            }
        }
        if tally.unreadable == 0 {
            return Ok(());
        }
        Err(Failure::Refused(format!(
            "{} values do not open and were left as they are: put the keys they were sealed with back into ENCRYPTION_KEYS \
             and run this again; values that are altered have to be connected anew",
            tally.unreadable
        )))
    }
}

fn words(tally: Tally) -> String {
    let Tally { resealed, already_current, unreadable } = tally;
    format!("{resealed} re-sealed, {already_current} already current, {unreadable} unreadable")
}
