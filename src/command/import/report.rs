//! What became of each row: counted, told on the way, summed up at the end.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::command::Failure;

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(1);
/// Failures that the report repeats; all of them are told on the way.
const MOST_REPEATED: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// By `--dry-run`: nothing speaks against it here.
    Checked,
    Created,
    Updated,
    /// Connected, but somebody has to say for which organization.
    Choosing,
    Failed(String),
}

#[derive(Debug)]
pub(super) struct Report {
    /// Where it could be counted.
    expected: Option<u64>,
    told: Instant,
    checked: u64,
    created: u64,
    updated: u64,
    choosing: u64,
    failed: u64,
    failures: Vec<(Option<u64>, String)>,
}

impl Report {
    pub(super) fn new(expected: Option<u64>) -> Self {
        Self {
            expected,
            told: Instant::now(),
            checked: 0,
            created: 0,
            updated: 0,
            choosing: 0,
            failed: 0,
            failures: Vec::new(),
        }
    }

    pub(super) const fn failed(&self) -> u64 {
        self.failed
    }

    const fn rows(&self) -> u64 {
        self.checked + self.created + self.updated + self.choosing + self.failed
    }

    pub(super) fn note(&mut self, line: u64, outcome: Outcome) {
        match outcome {
            Outcome::Checked => self.checked += 1,
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Choosing => self.choosing += 1,
            Outcome::Failed(why) => {
                // A closed terminal is no reason to stop.
                let _ = writeln!(std::io::stderr(), "line {line}: {why}");
                self.fail(Some(line), why);
            }
        }
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            let of = self.expected.map(|expected| format!(" of {expected}")).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "{}{of} rows: {}", self.rows(), self.words());
        }
    }

    /// What follows the last row that could be read is nobody knows how much.
    pub(super) fn note_unreadable(&mut self, why: String) {
        self.fail(None, why);
    }

    fn fail(&mut self, line: Option<u64>, why: String) {
        self.failed += 1;
        if self.failures.len() < MOST_REPEATED {
            self.failures.push((line, why));
        }
    }

    fn words(&self) -> String {
        let Self { checked, created, updated, choosing, failed, .. } = self;
        let parts = [
            (*checked, "checked"),
            (*created, "created"),
            (*updated, "updated"),
            (*choosing, "waiting for an organization to be chosen"),
            (*failed, "failed"),
        ];
        let told: Vec<_> = parts
            .iter()
            .filter(|(count, what)| *count > 0 || *what == "failed")
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        told.join(", ")
    }

    /// In the order of lines: rows end in another.
    pub(super) fn print(&self, as_json: bool, dry_run: bool) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        if !as_json {
            writeln!(out, "{} rows: {}", self.rows(), self.words())?;
            return Ok(());
        }
        let mut failures: Vec<_> = self.failures.iter().collect();
        failures.sort();
        let failures: Vec<_> = failures.iter().map(|(line, why)| json!({ "line": line, "why": why })).collect();
        let report = json!({
            "dry_run": dry_run, "rows": self.rows(), "checked": self.checked, "created": self.created,
            "updated": self.updated, "choosing": self.choosing, "failed": self.failed, "failures": failures,
        });
        writeln!(out, "{report}")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_and_leaves_out_what_did_not_happen() {
        let mut report = Report::new(Some(4));
        for (line, outcome) in [Outcome::Created, Outcome::Created, Outcome::Updated].into_iter().enumerate() {
            report.note(line as u64, outcome);
        }
        assert_eq!(report.words(), "2 created, 1 updated, 0 failed");
        report.note(9, Outcome::Failed("x".to_owned()));
        assert_eq!((report.rows(), report.failed()), (4, 1));
    }
}
