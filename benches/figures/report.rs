//! What was measured: a table for people, or lines of JSON for programs.

use std::io::Write as _;

use serde::Serialize;

use crate::Outcome;

/// When a figure is good enough.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// The ratio to the floor, at least.
    Ratio(f64),
    /// The ratio to the floor, at most.
    RatioAtMost(f64),
    /// The value itself, at least.
    AtLeast(f64),
    /// The value itself, at most.
    AtMost(f64),
}

impl Goal {
    const fn number(self) -> f64 {
        let (Self::Ratio(number) | Self::RatioAtMost(number) | Self::AtLeast(number) | Self::AtMost(number)) = self;
        number
    }

    fn words(self) -> String {
        match self {
            Self::Ratio(number) => format!("ratio ≥ {number}"),
            Self::RatioAtMost(number) => format!("ratio ≤ {number}"),
            Self::AtLeast(number) => format!("≥ {number}"),
            Self::AtMost(number) => format!("≤ {number}"),
        }
    }
}

/// One line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) floor: Option<f64>,
    pub(crate) ratio: Option<f64>,
    pub(crate) goal: Option<Goal>,
}

/// The same for programs.
#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    value: f64,
    unit: &'static str,
    floor: Option<f64>,
    ratio: Option<f64>,
    goal: Option<f64>,
}

impl Line {
    /// A figure that stands alone.
    pub(crate) fn plain(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, floor: None, ratio: None, goal: None }
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    fn is_met(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::Ratio(least) => self.ratio? >= least,
            Goal::RatioAtMost(most) => self.ratio? <= most,
            Goal::AtLeast(least) => self.value >= least,
            Goal::AtMost(most) => self.value <= most,
        })
    }
}

#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    missed: usize,
    lines: usize,
}

const HEAD: &str = "| Figure | Value | Unit | Floor | Ratio | Goal | |\n|---|--:|---|--:|--:|---|---|";

impl Report {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json, missed: 0, lines: 0 }
    }

    /// Progress, on standard error.
    #[expect(clippy::unused_self, reason = "part of what a report says")]
    pub(crate) fn begin(&self, name: &str) {
        let _ = writeln!(std::io::stderr(), "measuring {name} …");
    }

    pub(crate) fn add(&mut self, line: &Line) -> Outcome {
        let mut out = std::io::stdout();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&json(line))?)?;
        } else {
            if self.lines == 0 {
                writeln!(out, "{HEAD}")?;
            }
            let number = |number: Option<f64>| number.map(short).unwrap_or_default();
            let met = match line.is_met() {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            let goal = line.goal.map(Goal::words).unwrap_or_default();
            let ratio = line.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            let (value, floor) = (short(line.value), number(line.floor));
            writeln!(out, "| {} | {value} | {} | {floor} | {ratio} | {goal} | {met} |", line.name, line.unit)?;
        }
        out.flush()?;
        self.lines += 1;
        self.missed += usize::from(line.is_met() == Some(false));
        Ok(())
    }

    pub(crate) fn end(self) -> Outcome {
        if self.missed > 0 {
            writeln!(std::io::stderr(), "{} of {} figures missed their goal", self.missed, self.lines)?;
        }
        Ok(())
    }
}

/// Three digits are more than a run can tell.
fn short(number: f64) -> String {
    if number.abs() < 100.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

fn json(line: &Line) -> Json<'_> {
    let round = |number: f64| (number * 1000.0).round() / 1000.0;
    Json {
        name: &line.name,
        value: round(line.value),
        unit: line.unit,
        floor: line.floor.map(round),
        ratio: line.ratio.map(round),
        goal: line.goal.map(Goal::number),
    }
}
