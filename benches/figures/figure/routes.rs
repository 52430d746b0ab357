//! `GET /login`, and how any route is measured against a bare one.

use std::{sync::Arc, time::Duration};

use crate::{
    Outcome,
    http::{Connection, get},
    load::{Load, median},
    report::{Goal, Line, Report},
    stage::Stage,
};

const CONNECTIONS: usize = 32;

pub(super) async fn login(stage: &Stage, report: &mut Report) -> Outcome {
    let load = Load {
        addresses: vec![stage.replica.address],
        connections: CONNECTIONS,
        requests: Arc::new(vec![get("/login", "")]),
        check: |answer| answer.expect(303),
        pause: Duration::ZERO,
    };
    against_bare(stage, report, "login", load, Goal::Ratio(0.6)).await
}

/// In turns with a bare route whose answers have a body of the same size.
pub(super) async fn against_bare(stage: &Stage, report: &mut Report, name: &str, load: Load, goal: Goal) -> Outcome {
    let bytes = {
        let mut connection = Connection::open(load.addresses[0]).await?;
        connection.ask(&load.requests[0]).await?.body.len()
    };
    let (_bare, address) = stage.bare(bytes)?;
    let bare = Load {
        addresses: vec![address],
        requests: Arc::new(vec![get("/", "")]),
        check: |answer| answer.expect(200),
        ..load.clone()
    };
    for load in [&bare, &load] {
        load.run(Duration::from_millis(500)).await?;
    }
    let (mut values, mut floors, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..stage.scale.rounds() {
        floors.push(bare.run(stage.scale.turn()).await?.per_second);
        let measured = load.run(stage.scale.turn()).await?;
        values.push(measured.per_second);
        p99.push(measured.milliseconds(0.99));
    }
    report.add(&beside(name, values, &floors, "requests/s").goal(goal))?;
    report.add(&Line::plain(format!("{name}_p99"), median(p99), "ms"))
}

/// Medians; the ratio is the median of the turns' ratios.
pub(super) fn beside(name: &str, values: Vec<f64>, floors: &[f64], unit: &'static str) -> Line {
    let ratios = values.iter().zip(floors).map(|(value, floor)| value / floor).collect();
    Line {
        floor: Some(median(floors.to_vec())),
        ratio: Some(median(ratios)),
        ..Line::plain(name, median(values), unit)
    }
}
