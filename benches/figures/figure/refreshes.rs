//! Refreshes: how many a second, by one and by two replicas; and ten thousand that are due at once, while others ask for
//! tokens that are good.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::types::Uuid;

use super::vend::{load, seeded};
use crate::{
    Outcome,
    load::count,
    report::{Goal, Line, Report},
    seed::{self, Seed},
    stage::Stage,
};

const DUE: usize = 10_000;

/// Connections that the emulator knows, whose access token lives so long.
async fn known_to_zoho(stage: &mut Stage, count: usize, lives: f64, refresh_in: f64) -> Outcome<Vec<Uuid>> {
    let granted = stage.emulator.grants(count).await?;
    let seeds: Vec<_> = granted
        .into_iter()
        .map(|(data_centre, tokens)| Seed { data_centre, tokens, access_token_lives: lives, refresh_in })
        .collect();
    seed::connections(&mut stage.database, &stage.key, &stage.emulator.client_id, &seeds).await
}

/// Callers whose tokens have run out, each of another connection.
pub(super) async fn sustained(stage: &mut Stage, report: &mut Report) -> Outcome {
    let count = stage.scale.count(5_000);
    let second = {
        let seconds = ask_expired(stage, count, None).await?;
        report.add(&rate("refreshes", count, seconds))?;
        stage.another_replica().await?
    };
    let seconds = ask_expired(stage, count, Some(second.address)).await?;
    report.add(&rate("refreshes_two_replicas", count, seconds))
}

fn rate(name: &str, refreshed: usize, seconds: f64) -> Line {
    Line::plain(name, count(refreshed as u64) / seconds, "refreshes/s").goal(Goal::AtLeast(300.0))
}

async fn ask_expired(stage: &mut Stage, count: usize, second: Option<std::net::SocketAddr>) -> Outcome<f64> {
    let connections = known_to_zoho(stage, count, -60.0, 1e7).await?;
    let mut load = load(stage, &connections);
    load.addresses.extend(second);
    load.connections = 64;
    let started = Instant::now();
    load.run_times(count).await?;
    let seconds = started.elapsed().as_secs_f64();
    let refreshed = refreshed(stage, &connections).await?;
    if refreshed == count { Ok(seconds) } else { Err(format!("{refreshed} of {count} tokens were refreshed").into()) }
}

/// How many of these have got another token since they were seeded.
async fn refreshed(stage: &mut Stage, connections: &[Uuid]) -> Outcome<usize> {
    let count: i64 =
        sqlx::query_scalar("select count(*) from connection where connection_id = any($1) and token_version > 1")
            .bind(connections)
            .fetch_one(&mut stage.database)
            .await?;
    Ok(usize::try_from(count)?)
}

/// Below twice normal, as security.md S-64 has it.
const UNHARMED: f64 = 2.0;
/// Longer than that, and something hangs.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) async fn due(stage: &mut Stage, report: &mut Report) -> Outcome {
    let count = stage.scale.count(DUE);
    let hot = seeded(stage, 100).await?;
    // With life left: nobody waits for them, as when they are refreshed early.
    let connections = known_to_zoho(stage, count, 240.0, 1e7).await?;
    let mut load = load(stage, &hot);
    // Callers as they come, not as many as the machine bears.
    load.connections = 4;
    load.pause = Duration::from_millis(5);
    load.run(Duration::from_millis(500)).await?;
    let before = load.run(stage.scale.turn() * 2).await?.milliseconds(0.99);
    let is_drained = Arc::new(AtomicBool::new(false));
    let callers = tokio::spawn({
        let (load, is_drained) = (load.clone(), Arc::clone(&is_drained));
        async move { load.run_until(move |_| is_drained.load(Ordering::Relaxed)).await }
    });
    sqlx::query("update connection set refresh_at = now() where connection_id = any($1)")
        .bind(&connections)
        .execute(&mut stage.database)
        .await?;
    let started = Instant::now();
    let drained = loop {
        if refreshed(stage, &connections).await? == count {
            break Ok(started.elapsed().as_secs_f64());
        }
        if started.elapsed() > PATIENCE {
            break Err("what was due is not refreshed after five minutes");
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    is_drained.store(true, Ordering::Relaxed);
    let meanwhile = callers.await??.milliseconds(0.99);
    report.add(&Line::plain("refreshes_10k_due", drained?, "s").goal(Goal::AtMost(60.0)))?;
    let line = Line::plain("refreshes_10k_due_callers_p99", meanwhile, "ms").goal(Goal::RatioAtMost(UNHARMED));
    report.add(&Line { floor: Some(before), ratio: Some(meanwhile / before), ..line })
}
