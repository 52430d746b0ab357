//! Memory of the replica that bore all that was measured before it.

use crate::{
    Outcome,
    report::{Goal, Line, Report},
    stage::Stage,
};

pub(super) async fn measure(stage: &mut Stage, report: &mut Report) -> Outcome {
    report.add(&Line::plain("memory_idle", stage.replica.idle_megabytes, "MB").goal(Goal::AtMost(40.0)))?;
    let most = stage.replica.most_megabytes()?;
    report.add(&Line::plain("memory_under_load", most, "MB").goal(Goal::AtMost(150.0)))
}
