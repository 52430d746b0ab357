//! Measures the figures of docs/performance.md, each as a ratio to a floor taken in the same run (`scripts/bench`).
//!
//! 1. [`Stage`] starts what production has: a durable Postgres, the released program, Zoho in miniature.
//! 2. A figure loads it over sockets ([`load`]) in turns with its floor — a bare route ([`bare`]) or `pgbench`
//!    ([`floor`]) — so that a noisy neighbor slows both.
//! 3. Every answer is checked: one that is not what was expected ends the run with its reason.
//!
//! Standard output gets the table, or with `--json` a line per figure, and nothing else.

mod bare;
mod emulator;
mod figure;
mod floor;
mod http;
mod load;
mod process;
mod report;
mod sealing;
mod seed;
mod stage;

use std::{io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    figure::{ALL, Figure},
    report::Report,
    stage::Stage,
};

/// Whatever went wrong, in words for whoever started the run.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T = ()> = Result<T, Failure>;

#[derive(Debug, Parser)]
#[command(name = "scripts/bench", about = "Measures what docs/performance.md tells; every figure beside its floor")]
struct Flags {
    /// Figures to measure, in the order of the table; all of them, if left out
    figures: Vec<String>,
    /// A tenth of the data and of the time: shows that everything works, not how fast
    #[arg(long)]
    quick: bool,
    /// One JSON object a figure: name, value, unit, floor, ratio, goal
    #[arg(long)]
    json: bool,
    /// Prints the names of the figures
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// The floor of routes: an actix-web program that answers so many bytes
    #[command(hide = true)]
    Bare { bytes: usize },
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) quick: bool,
}

impl Scale {
    /// Rows, or anything else that is counted.
    pub(crate) const fn count(self, full: usize) -> usize {
        if self.quick { full / 10 } else { full }
    }

    /// Turns of a figure and its floor.
    pub(crate) const fn rounds(self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// How long each turn loads.
    pub(crate) const fn turn(self) -> std::time::Duration {
        std::time::Duration::from_millis(if self.quick { 700 } else { 2000 })
    }
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "scripts/bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Outcome {
    if let Some(Role::Bare { bytes }) = flags.role {
        return bare::serve(bytes);
    }
    if flags.list {
        let names: Vec<_> = ALL.iter().map(|figure| figure.name).collect();
        return Ok(writeln!(std::io::stdout(), "{}", names.join("\n"))?);
    }
    let wanted = wanted(&flags.figures)?;
    let runtime = tokio::runtime::Runtime::new()?;
    // The database goes last, and its end may block.
    let postgres = stage::postgres()?;
    let mut report = Report::new(flags.json);
    runtime.block_on(async {
        let mut stage = Stage::start(&postgres, Scale { quick: flags.quick }).await?;
        for figure in wanted {
            report.begin(figure.name);
            figure.measure(&mut stage, &mut report).await.map_err(|error| format!("{}: {error}", figure.name))?;
        }
        Outcome::Ok(())
    })?;
    report.end()
}

fn wanted(names: &[String]) -> Outcome<Vec<&'static Figure>> {
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|figure| figure.name != **name)) {
        return Err(format!("there is no figure {unknown:?}; --list names them").into());
    }
    Ok(ALL.iter().filter(|figure| names.is_empty() || names.iter().any(|name| name == figure.name)).collect())
}
