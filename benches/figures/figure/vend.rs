//! `GET /api/v1/connections/{id}/access-token`: one connection over and over, and 100 000 different ones.

use std::{sync::Arc, time::Duration};

use sqlx::types::Uuid;

use super::routes::{against_bare, beside};
use crate::{
    Outcome,
    emulator::Granted,
    floor::Script,
    http::{Answer, get},
    load::Load,
    report::{Goal, Line, Report},
    seed::{self, Seed},
    stage::Stage,
};

const CONNECTIONS: usize = 32;

/// A token that Zoho never saw: good for an hour, and nobody asks Zoho about it.
fn unasked() -> Seed {
    let token = || format!("1000.{:032x}.{:032x}", rand::random::<u128>(), rand::random::<u128>());
    let tokens = Granted { refresh_token: token(), access_token: token() };
    Seed { data_centre: "us", tokens, access_token_lives: 3500.0, refresh_in: 1e7 }
}

/// Callers of these connections, each in turn.
pub(super) fn load(stage: &Stage, connections: &[Uuid]) -> Load {
    let authorization = stage.authorization();
    let request = |id: &Uuid| get(&format!("/api/v1/connections/{id}/access-token"), &authorization);
    Load {
        addresses: vec![stage.replica.address],
        connections: CONNECTIONS,
        requests: Arc::new(connections.iter().map(request).collect()),
        check: is_token,
        pause: Duration::ZERO,
    }
}

pub(super) fn is_token(answer: &Answer<'_>) -> Outcome {
    const NAME: &[u8] = b"\"access_token\":\"1000.";
    let has_token = answer.body.windows(NAME.len()).any(|window| window == NAME);
    if answer.status == 200 && has_token { Ok(()) } else { Err(answer.unexpected("an access token")) }
}

/// Connections whose tokens are good for longer than a run.
pub(super) async fn seeded(stage: &mut Stage, count: usize) -> Outcome<Vec<Uuid>> {
    let seeds: Vec<_> = (0..count).map(|_| unasked()).collect();
    seed::connections(&mut stage.database, &stage.key, &stage.emulator.client_id, &seeds).await
}

pub(super) async fn hot(stage: &mut Stage, report: &mut Report) -> Outcome {
    let connections = seeded(stage, 1).await?;
    against_bare(stage, report, "vend_hot", load(stage, &connections), Goal::Ratio(0.5)).await
}

pub(super) async fn different(stage: &mut Stage, report: &mut Report) -> Outcome {
    let connections = seeded(stage, stage.scale.count(100_000)).await?;
    let load = load(stage, &connections);
    let (mut values, mut floors, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..stage.scale.rounds() {
        floors.push(stage.pgbench.measure(Script::SelectOnly, stage.scale.turn())?);
        let measured = load.run(stage.scale.turn()).await?;
        values.push(measured.per_second);
        p99.push(measured.milliseconds(0.99));
    }
    report.add(&beside("vend_100k", values, &floors, "requests/s").goal(Goal::Ratio(0.5)))?;
    report.add(&Line::plain("vend_100k_p99", crate::load::median(p99), "ms"))
}
