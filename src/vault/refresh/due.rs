//! The worker's part: refreshing what is due before anybody asks.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::attempt::{Asked, Attempt, Started, finish};
use crate::{
    app::App,
    domain::data_centre::DataCentre,
    store::{
        StoreError,
        connection::{refresh as store, stored_token},
    },
};

/// Calls of the budget that are left to callers.
const LEFT_TO_CALLERS: u32 = 4;

/// How long a suspended tenant's connection is left alone before it is looked at again.
const SUSPENDED: TimeDelta = TimeDelta::hours(6);

/// Starts what is due and has a free place, as one replica among many. Tells how many it started: while
/// there are any, there may be more. They run on by themselves.
pub(crate) async fn refresh_due(app: &Arc<App>) -> Result<usize, StoreError> {
    let open: Vec<DataCentre> = app
        .config
        .zoho
        .servers
        .data_centres()
        .map(|(data_centre, _)| data_centre)
        .filter(|data_centre| app.refreshes.gate(*data_centre).broken_for(app.clock.monotonic()).is_none())
        .collect();
    store::postpone_suspended(app.pools.engine(), &open, SUSPENDED, app.clock.shared_now()).await?;
    let due = store::list_due_data_centres(app.pools.engine(), &open, app.clock.shared_now()).await?;
    let started = join_all(due.into_iter().map(|data_centre| refresh_due_in(app, data_centre))).await;
    started.into_iter().sum()
}

async fn refresh_due_in(app: &Arc<App>, data_centre: DataCentre) -> Result<usize, StoreError> {
    let places = app.refreshes.gate(data_centre).unasked_places();
    if places.is_empty() {
        return Ok(0);
    }
    let started = Started::now(app);
    let budget = app.config.refreshes_per_10_minutes.saturating_sub(LEFT_TO_CALLERS).max(1);
    let budget = i32::try_from(budget).unwrap_or(i32::MAX);
    let most = i64::try_from(places.len()).unwrap_or(1);
    let owner = app.refreshes.owner;
    let claimed = store::claim_due(app.pools.critical(), data_centre, owner, budget, most, started.shared).await?;
    let count = claimed.len();
    for (claimed, place) in claimed.into_iter().zip(places) {
        let attempt = Attempt::new(claimed, started, place, Asked::Unasked);
        let task = {
            let app = Arc::clone(app);
            async move {
                finish(&app, attempt).await;
                app.wake_refreshes.notify_one();
            }
        };
        app.spawn(task);
    }
    Ok(count)
}

/// What Zoho has ended is kept for so long.
const KEEP_DEAD: TimeDelta = TimeDelta::days(30);

/// Erases tokens that Zoho ended long ago.
pub(crate) async fn erase_dead(app: &App) -> Result<u64, StoreError> {
    stored_token::erase_dead_tokens(app.pools.engine(), app.clock.shared_now() - KEEP_DEAD).await
}
