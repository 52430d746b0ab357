//! How refreshes go, for the operators' page: counted here by the minute and written together, every half second; and
//! which gates are shut, written as long as they are. Nothing is decided by it.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    app::App,
    domain::data_centre::DataCentre,
    store::{
        StoreError,
        refresh_minute::{self, Counted},
        shut_gate,
    },
};

/// How long counts are kept.
const KEPT: TimeDelta = TimeDelta::days(2);

/// Data centre, minute and outcome.
type Key = (&'static str, DateTime<Utc>, &'static str);

#[derive(Debug, Default)]
pub(crate) struct Health {
    /// By data centre, minute and outcome, in the order in which they are written.
    counts: Mutex<BTreeMap<Key, Counted>>,
    /// Whether the table has rows of this replica.
    has_told: Mutex<bool>,
}

impl Health {
    /// Counts one that has ended at `now`.
    pub(super) fn note(&self, data_centre: DataCentre, outcome: &'static str, took: Duration, now: DateTime<Utc>) {
        let minute = now - TimeDelta::nanoseconds(now.timestamp_nanos_opt().unwrap_or(0).rem_euclid(60_000_000_000));
        let ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        self.add(Counted { data_centre, minute, outcome, refreshes: 1, total_ms: ms, longest_ms: ms });
    }

    fn add(&self, more: Counted) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (more.data_centre.key(), more.minute, more.outcome);
        let none = Counted { refreshes: 0, total_ms: 0, longest_ms: 0, ..more };
        let count = counts.entry(key).or_insert(none);
        count.refreshes += more.refreshes;
        count.total_ms += more.total_ms;
        count.longest_ms = count.longest_ms.max(more.longest_ms);
    }
}

/// Writes what was counted; what could not be written waits on. There are few of them, however long the database is away:
/// one an outcome and minute.
pub(crate) async fn write(app: &App) -> Result<(), StoreError> {
    let counts = mem::take(&mut *app.refreshes.health.counts.lock().unwrap_or_else(PoisonError::into_inner));
    if counts.is_empty() {
        return Ok(());
    }
    let counted: Vec<_> = counts.into_values().collect();
    let written = refresh_minute::upsert(app.pools.engine(), &counted).await;
    if written.is_err() {
        for counted in counted {
            app.refreshes.health.add(counted);
        }
    }
    written
}

/// Writes which gates are shut here; once more when none is any longer.
pub(crate) async fn tell(app: &App) -> Result<(), StoreError> {
    let now = app.clock.monotonic();
    let shut: Vec<_> = DataCentre::ALL
        .into_iter()
        .filter_map(|data_centre| Some((data_centre, app.refreshes.gate(data_centre).shut(now)?)))
        .collect();
    let has_told = *app.refreshes.health.has_told.lock().unwrap_or_else(PoisonError::into_inner);
    if shut.is_empty() && !has_told {
        return Ok(());
    }
    shut_gate::replace(app.pools.engine(), app.refreshes.owner, &shut, app.clock.shared_now()).await?;
    *app.refreshes.health.has_told.lock().unwrap_or_else(PoisonError::into_inner) = !shut.is_empty();
    Ok(())
}

/// Forgets what nobody looks at any more.
pub(crate) async fn sweep(app: &App) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    refresh_minute::delete_before(app.pools.engine(), now - KEPT).await?;
    shut_gate::delete_old(app.pools.engine(), now).await
}
