//! The figures, in the order in which they are measured: the later ones find more in the database.

mod list;
mod memory;
mod refreshes;
mod routes;
mod sign_in;
mod vend;

use futures_util::future::LocalBoxFuture;

use crate::{Outcome, report::Report, stage::Stage};

type Measure = for<'a> fn(&'a mut Stage, &'a mut Report) -> LocalBoxFuture<'a, Outcome>;

pub(crate) struct Figure {
    pub(crate) name: &'static str,
    how: Measure,
}

impl Figure {
    pub(crate) fn measure<'a>(&self, stage: &'a mut Stage, report: &'a mut Report) -> LocalBoxFuture<'a, Outcome> {
        (self.how)(stage, report)
    }
}

/// A line here and a function make a figure.
pub(crate) const ALL: &[Figure] = &[
    Figure { name: "login", how: |stage, report| Box::pin(routes::login(stage, report)) },
    Figure { name: "vend_hot", how: |stage, report| Box::pin(vend::hot(stage, report)) },
    Figure { name: "vend_100k", how: |stage, report| Box::pin(vend::different(stage, report)) },
    Figure { name: "sign_in", how: |stage, report| Box::pin(sign_in::measure(stage, report)) },
    Figure { name: "refreshes", how: |stage, report| Box::pin(refreshes::sustained(stage, report)) },
    Figure { name: "refreshes_10k_due", how: |stage, report| Box::pin(refreshes::due(stage, report)) },
    Figure { name: "list_1m", how: |stage, report| Box::pin(list::measure(stage, report)) },
    Figure { name: "memory", how: |stage, report| Box::pin(memory::measure(stage, report)) },
];
