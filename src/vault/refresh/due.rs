//! The worker's part: refreshing what is due before anybody asks.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

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

/// Between refreshes that nobody waits for: ten thousand of them take half a minute, and callers want the processor now.
pub(crate) const PACE: Duration = Duration::from_millis(3);

/// Claims what is due and has a free place, as one replica among many. Tells how many there are: while there are any,
/// there may be more. They run on by themselves, one every [`PACE`].
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
    let (mut attempts, mut outcome) = (Vec::new(), Ok(()));
    // One after the other: all at once they would keep every core from the callers.
    for data_centre in due {
        match claim_due_in(app, data_centre).await {
            Ok(claimed) => attempts.extend(claimed),
            Err(error) => outcome = Err(error),
        }
    }
    let count = attempts.len();
    for (attempt, turn) in attempts.into_iter().zip(0..) {
        let task = {
            let app = Arc::clone(app);
            async move {
                tokio::time::sleep(PACE * turn).await;
                finish(&app, attempt).await;
                app.wake_refreshes.notify_one();
            }
        };
        app.spawn(task);
    }
    outcome.map(|()| count)
}

async fn claim_due_in(app: &App, data_centre: DataCentre) -> Result<Vec<Attempt>, StoreError> {
    let places = app.refreshes.gate(data_centre).unasked_places();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let started = Started::now(app);
    let budget = app.config.refreshes_per_10_minutes.saturating_sub(LEFT_TO_CALLERS).max(1);
    let budget = i32::try_from(budget).unwrap_or(i32::MAX);
    let most = i64::try_from(places.len()).unwrap_or(1);
    let owner = app.refreshes.owner;
    let claimed = store::claim_due(app.pools.critical(), data_centre, owner, budget, most, started.shared).await?;
    let attempts = claimed.into_iter().zip(places);
    Ok(attempts.map(|(claimed, place)| Attempt::new(claimed, started, place, Asked::Unasked)).collect())
}

/// What Zoho has ended is kept for so long.
const KEEP_DEAD: TimeDelta = TimeDelta::days(30);

/// Erases tokens that Zoho ended long ago.
pub(crate) async fn erase_dead(app: &App) -> Result<u64, StoreError> {
    stored_token::erase_dead_tokens(app.pools.engine(), app.clock.shared_now() - KEEP_DEAD).await
}
