//! Who was handed which token, without a write per call: counted by key, connection and minute and
//! written every half second; refusals are kept one by one (security.md S-55, 4.8). Where many counts come at
//! once they are put down in batches, and added to the others when their minute is over.
//!
//! What is counted is bounded. When it is full, because the database does not take it, nobody is handed
//! a token unaccounted for: callers are told to come back.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use uuid::Uuid;

use super::refresh::early;
use crate::{
    app::App,
    domain::ids::{ConnectionId, TenantId},
    store::{
        StoreError,
        audit_event::{self, AuditEvent},
        token_vend::{self, Folded, Used, Vends, shard_of},
        tx::Tx,
    },
};

/// Counts and refusals waiting to be written, each.
const MOST: usize = 50_000;
/// Rows of one statement: beyond that it takes longer for each, since memory for them comes from the system.
const BATCH: usize = 1_000;
/// So many are added at once, so that they can be looked at; of more, nobody waits to look at one.
const FEW: usize = 64;
/// A batch that is added in the same transaction is no shard's.
const NO_SHARD: i16 = 0;

/// How a call for a token ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Vended,
    /// With a warning.
    Warned,
    /// Used for the caller, who did not see it.
    Proxied,
}

impl Outcome {
    const fn key(self) -> &'static str {
        match self {
            Self::Vended => "vended",
            Self::Warned => "warned",
            Self::Proxied => "proxied",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("what is to be accounted for cannot be written")]
pub(crate) struct Full;

#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    counts: HashMap<Counted, Count>,
    refusals: Vec<(AuditEvent, DateTime<Utc>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Counted {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    api_key_id: String,
    /// Minutes since the epoch.
    minute: i64,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    vends: i64,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
}

impl Usage {
    /// Counts one. Refused where too much waits to be written.
    pub(crate) fn note(
        &self,
        api_key_id: &str,
        (tenant_id, connection_id): (TenantId, ConnectionId),
        outcome: Outcome,
        now: DateTime<Utc>,
    ) -> Result<(), Full> {
        let minute = now.timestamp().div_euclid(60);
        let counted = Counted { tenant_id, connection_id, api_key_id: api_key_id.to_owned(), minute, outcome };
        self.lock().add(counted, Count { vends: 1, first_at: now, last_at: now })
    }

    /// Keeps one refusal for the audit.
    pub(crate) fn note_refusal(&self, event: AuditEvent, now: DateTime<Utc>) -> Result<(), Full> {
        let mut waiting = self.lock();
        if waiting.refusals.len() >= MOST {
            return Err(Full);
        }
        waiting.refusals.push((event, now));
        Ok(())
    }

    /// Leaves as much room as was needed: a map that grows is copied again and again.
    fn take(&self) -> Waiting {
        let mut waiting = self.lock();
        let empty = Waiting { counts: HashMap::with_capacity(waiting.counts.len()), refusals: Vec::new() };
        mem::replace(&mut *waiting, empty)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, counted: Counted, more: Count) -> Result<(), Full> {
        if self.counts.len() >= MOST && !self.counts.contains_key(&counted) {
            return Err(Full);
        }
        self.put_back(counted, more);
        Ok(())
    }

    /// What was promised to be written is kept, whatever has come meanwhile.
    fn put_back(&mut self, counted: Counted, more: Count) {
        let count = self.counts.entry(counted).or_insert(Count { vends: 0, ..more });
        count.vends += more.vends;
        count.first_at = count.first_at.min(more.first_at);
        count.last_at = count.last_at.max(more.last_at);
    }
}

/// Writes what waits; what could not be written waits on.
pub(crate) async fn write(app: &App) -> Result<(), StoreError> {
    let Waiting { counts, mut refusals } = app.usage.take();
    let mut counts: Vec<_> = counts.into_iter().collect();
    let written = write_all(app, &mut counts, &mut refusals).await;
    if written.is_err() {
        let mut waiting = app.usage.lock();
        for (counted, count) in counts {
            waiting.put_back(counted, count);
        }
        waiting.refusals.extend(refusals);
    }
    written
}

/// Takes out of both lists what is written.
async fn write_all(
    app: &App,
    counts: &mut Vec<(Counted, Count)>,
    refusals: &mut Vec<(AuditEvent, DateTime<Utc>)>,
) -> Result<(), StoreError> {
    if !counts.is_empty() {
        put_down(app, counts).await?;
        counts.clear();
    }
    while !refusals.is_empty() {
        let size = refusals.len().min(BATCH);
        audit_event::insert_many(app.pools.engine(), &refusals[..size]).await?;
        refusals.drain(..size);
    }
    Ok(())
}

/// All of it or nothing: a batch for each shard, or one that is added at once.
async fn put_down(app: &App, counts: &mut [(Counted, Count)]) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if counts.len() <= FEW {
        let batch = token_vend::insert_batch(&mut *tx, NO_SHARD, &vends(counts), now).await?;
        add(&mut tx, &[batch]).await?;
        return tx.commit().await;
    }
    counts.sort_unstable_by_key(|(counted, _)| shard_of(counted.connection_id));
    for batch in counts.chunk_by(|(a, _), (b, _)| shard_of(a.connection_id) == shard_of(b.connection_id)) {
        let Some((first, _)) = batch.first() else { continue };
        token_vend::insert_batch(&mut *tx, shard_of(first.connection_id), &vends(batch), now).await?;
    }
    tx.commit().await
}

/// Adds what was put down in minutes that are over. A shard that cannot be is tried again, and keeps no other waiting.
pub(crate) async fn fold(app: &App) -> Result<(), StoreError> {
    let Some(minute) = minute_of(app.clock.shared_now()) else { return Ok(()) };
    let mut folded = Ok(());
    for shard in token_vend::list_shards(app.pools.engine(), minute).await? {
        folded = folded.and(fold_shard(app, shard, minute).await);
    }
    folded
}

async fn fold_shard(app: &App, shard: i16, minute: DateTime<Utc>) -> Result<(), StoreError> {
    loop {
        let mut tx = app.pools.begin_as_engine().await?;
        if !token_vend::lock_shard(&mut *tx, shard).await? {
            return Ok(());
        }
        let batches = token_vend::list_batches(&mut *tx, shard, minute).await?;
        if batches.is_empty() {
            return Ok(());
        }
        add(&mut tx, &batches).await?;
        tx.commit().await?;
    }
}

/// With the counts goes when their connections were last used.
async fn add(tx: &mut Tx, batches: &[Uuid]) -> Result<(), StoreError> {
    let folded = token_vend::fold(&mut **tx, batches).await?;
    let used: Vec<_> = folded.iter().map(Used::from).collect();
    for batch in used.chunks(BATCH) {
        token_vend::update_last_used(&mut **tx, batch).await?;
    }
    Ok(())
}

impl From<&Folded> for Used {
    fn from(folded: &Folded) -> Self {
        let Folded { tenant_id, connection_id, last_at } = *folded;
        Self { tenant_id, connection_id, at: last_at, early_seconds: early().as_seconds_f64() }
    }
}

fn minute_of(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    at.duration_trunc(TimeDelta::minutes(1)).ok()
}

fn vends(counts: &[(Counted, Count)]) -> Vec<Vends> {
    let vends = |(counted, count): &(Counted, Count)| {
        Some(Vends {
            tenant_id: counted.tenant_id,
            connection_id: counted.connection_id,
            api_key_id: counted.api_key_id.clone(),
            minute: minute_of(count.first_at)?,
            outcome: counted.outcome.key(),
            vends: count.vends,
            first_at: count.first_at,
            last_at: count.last_at,
        })
    };
    counts.iter().filter_map(vends).collect()
}

/// Forgets counts that are older than the audit is kept, a hundred thousand at a time at most.
pub(crate) async fn sweep(app: &App) -> Result<(), StoreError> {
    let kept = TimeDelta::from_std(app.config.audit_retention).unwrap_or(TimeDelta::MAX);
    let Some(before) = app.clock.shared_now().checked_sub_signed(kept) else { return Ok(()) };
    for _ in 0..100 {
        if token_vend::delete_older(app.pools.engine(), before).await? < token_vend::SWEEP {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s55_vends_are_counted_by_key_connection_and_minute_and_the_count_is_bounded() {
        let (usage, place) = (Usage::default(), (TenantId::new(), ConnectionId::new()));
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        for seconds in [61, 59, 60, 119] {
            usage.note("a", place, Outcome::Vended, at(seconds)).unwrap();
        }
        usage.note("b", place, Outcome::Vended, at(60)).unwrap();
        let counts: Vec<_> = usage.lock().counts.iter().map(|(counted, count)| (counted.clone(), *count)).collect();
        let mut counts = vends(&counts);
        counts.sort_by_key(|vends| (vends.api_key_id.clone(), vends.minute));
        let told: Vec<_> = counts
            .iter()
            .map(|vends| (vends.api_key_id.as_str(), vends.minute, vends.vends, vends.first_at, vends.last_at))
            .collect();
        assert_eq!(
            told,
            [("a", at(0), 1, at(59), at(59)), ("a", at(60), 3, at(60), at(119)), ("b", at(60), 1, at(60), at(60))]
        );
        for _ in 3..MOST {
            usage.note("c", (place.0, ConnectionId::new()), Outcome::Proxied, at(0)).unwrap();
        }
        assert!(usage.note("d", place, Outcome::Vended, at(0)).is_err());
        assert!(usage.note("a", place, Outcome::Vended, at(59)).is_ok(), "a known one is counted");
    }
}
