//! Who was handed an access token: one row per key, connection and minute.
//!
//! Counts are put down as they come (`insert_batch`), which costs little however many they are, and added to those rows
//! (`fold`): few at once, many when their minute is over.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::StoreError;
use crate::domain::ids::{ConnectionId, TenantId};

/// Vends of one key for one connection in one minute.
#[derive(Debug, Clone)]
pub(crate) struct Vends {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) api_key_id: String,
    pub(crate) minute: DateTime<Utc>,
    pub(crate) outcome: &'static str,
    pub(crate) vends: i64,
    pub(crate) first_at: DateTime<Utc>,
    pub(crate) last_at: DateTime<Utc>,
}

/// Connections are spread over so many shards; the counts of one are added up in memory.
const SHARDS: i16 = 32;

/// Which shard counts of a connection are put into.
pub(crate) fn shard_of(connection_id: ConnectionId) -> i16 {
    // The end of an id is random.
    let [.., last] = Uuid::from(connection_id).into_bytes();
    i16::from(last) % SHARDS
}

/// Puts counts down, and tells the batch that they are.
pub(crate) async fn insert_batch(
    db: impl PgExecutor<'_>,
    shard: i16,
    counted: &[Vends],
    now: DateTime<Utc>,
) -> Result<Uuid, StoreError> {
    fn column<T>(counted: &[Vends], of: impl Fn(&Vends) -> T) -> Vec<T> {
        counted.iter().map(of).collect()
    }
    let token_vend_batch_id = Uuid::now_v7();
    sqlx::query!(
        "insert into token_vend_batch (token_vend_batch_id, shard, written_at, tenant_ids, connection_ids, api_key_ids, minutes,
             outcomes, vends, first_at, last_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        token_vend_batch_id,
        shard,
        now,
        &column(counted, |vends| vends.tenant_id) as &[TenantId],
        &column(counted, |vends| vends.connection_id) as &[ConnectionId],
        &column(counted, |vends| vends.api_key_id.clone()),
        &column(counted, |vends| vends.minute),
        &column(counted, |vends| vends.outcome.to_owned()),
        &column(counted, |vends| vends.vends),
        &column(counted, |vends| vends.first_at),
        &column(counted, |vends| vends.last_at),
    )
    .execute(db)
    .await?;
    Ok(token_vend_batch_id)
}

/// The shards of which something was put down before `before`.
pub(crate) async fn list_shards(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<Vec<i16>, StoreError> {
    let shards = sqlx::query_scalar!("select distinct shard from token_vend_batch where written_at < $1", before);
    Ok(shards.fetch_all(db).await?)
}

/// Whether the shard is the transaction's own to fold: replicas that add to the same rows would wait for each other.
pub(crate) async fn lock_shard(db: impl PgExecutor<'_>, shard: i16) -> Result<bool, StoreError> {
    let locked = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtext('token_vend_batch'), $1) as "locked!""#,
        i32::from(shard),
    );
    Ok(locked.fetch_one(db).await?)
}

/// What was put down of one shard before `before`, the oldest first, as much as one statement adds.
pub(crate) async fn list_batches(
    db: impl PgExecutor<'_>,
    shard: i16,
    before: DateTime<Utc>,
) -> Result<Vec<Uuid>, StoreError> {
    let batches = sqlx::query_scalar!(
        "select token_vend_batch_id from token_vend_batch where shard = $1 and written_at < $2 order by token_vend_batch_id limit 100",
        shard,
        before,
    );
    Ok(batches.fetch_all(db).await?)
}

/// A connection, and when it was last used by what was folded.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) last_at: DateTime<Utc>,
}

/// Adds batches to the counts, in the order of the primary key: whoever writes the same rows does not wait in a circle.
pub(crate) async fn fold(db: impl PgExecutor<'_>, batches: &[Uuid]) -> Result<Vec<Folded>, StoreError> {
    Ok(sqlx::query_as!(
        Folded,
        r#"with batch as (delete from token_vend_batch where token_vend_batch_id = any($1) returning *),
           counted as (
               select unnest(tenant_ids) as tenant_id, unnest(connection_ids) as connection_id, unnest(api_key_ids) as api_key_id,
                   unnest(minutes) as minute, unnest(outcomes) as outcome, unnest(vends) as vends, unnest(first_at) as first_at,
                   unnest(last_at) as last_at
               from batch),
           added as (
               select tenant_id, connection_id, api_key_id, minute, outcome, sum(vends)::bigint as vends, min(first_at) as first_at,
                   max(last_at) as last_at
               from counted group by tenant_id, connection_id, api_key_id, minute, outcome
               order by tenant_id, connection_id, api_key_id, minute, outcome),
           written as (
               insert into token_vend (tenant_id, connection_id, api_key_id, minute, outcome, vends, first_at, last_at)
               select * from added
               on conflict (tenant_id, connection_id, api_key_id, minute, outcome) do update set
                   vends = token_vend.vends + excluded.vends, first_at = least(token_vend.first_at, excluded.first_at),
                   last_at = greatest(token_vend.last_at, excluded.last_at))
           select tenant_id as "tenant_id!: TenantId", connection_id as "connection_id!: ConnectionId", max(last_at) as "last_at!"
           from added group by tenant_id, connection_id order by tenant_id, connection_id"#,
        batches,
    )
    .fetch_all(db)
    .await?)
}

/// A connection that was used: when, and how long before the end of its token it is to be refreshed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) early_seconds: f64,
}

/// Writes when connections were last used, to the minute. A connection that nobody used for a day
/// becomes one in use: it is refreshed before its token ends.
pub(crate) async fn update_last_used(db: impl PgExecutor<'_>, used: &[Used]) -> Result<(), StoreError> {
    let tenants: Vec<_> = used.iter().map(|used| used.tenant_id).collect();
    let connections: Vec<_> = used.iter().map(|used| used.connection_id).collect();
    let times: Vec<_> = used.iter().map(|used| used.at).collect();
    let early: Vec<_> = used.iter().map(|used| used.early_seconds).collect();
    sqlx::query!(
        "update connection c set last_used_at = u.at,
             refresh_at = case
                 when c.status = 'active' and c.retry_at is null
                     and (c.last_used_at is null or c.last_used_at < u.at - interval '23 hours')
                 then least(c.refresh_at, c.access_token_expires_at - u.early * interval '1 second')
                 else c.refresh_at end
         from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::float8[]) u (tenant_id, connection_id, at, early)
         where c.tenant_id = u.tenant_id and c.connection_id = u.connection_id
           and (c.last_used_at is null or c.last_used_at < u.at - interval '1 minute')",
        &tenants as &[TenantId],
        &connections as &[ConnectionId],
        &times,
        &early,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Rows of one sweep: few enough to hold nobody up.
pub(crate) const SWEEP: u64 = 1000;

/// Forgets counts from before `before`, [`SWEEP`] at most. Tells how many.
pub(crate) async fn delete_older(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from token_vend where ctid = any(array(select ctid from token_vend where minute < $1 limit 1000))",
        before,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// What one key did with a connection.
#[derive(Debug)]
pub(crate) struct KeyUse {
    pub(crate) api_key_id: String,
    /// Absent for keys that are not of this tenant: those of the whole installation.
    pub(crate) name: Option<String>,
    /// Tokens handed out, and calls through the proxy.
    pub(crate) vends: i64,
    pub(crate) calls: i64,
    pub(crate) last_at: DateTime<Utc>,
}

/// Who used a connection since then, the latest first.
pub(crate) async fn list_by_key(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    since: DateTime<Utc>,
) -> Result<Vec<KeyUse>, StoreError> {
    Ok(sqlx::query_as!(
        KeyUse,
        r#"select v.api_key_id, k.name as "name?",
               coalesce(sum(v.vends) filter (where v.outcome <> 'proxied'), 0)::bigint as "vends!",
               coalesce(sum(v.vends) filter (where v.outcome = 'proxied'), 0)::bigint as "calls!", max(v.last_at) as "last_at!"
           from token_vend v left join api_key k on k.api_key_id = v.api_key_id and k.tenant_id = v.tenant_id
           where v.tenant_id = $1 and v.connection_id = $2 and v.minute >= $3
           group by v.api_key_id, k.name order by max(v.last_at) desc limit 20"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
        since,
    )
    .fetch_all(db)
    .await?)
}

/// What happened to a connection in one day, by UTC.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Day {
    pub(crate) uses: i64,
    pub(crate) refreshes: i64,
    pub(crate) failures: i64,
}

/// The `days` days that end with that of `now`, the oldest first. Failures are as the history tells them: when trouble
/// began, and not each try.
pub(crate) async fn count_by_day(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    now: DateTime<Utc>,
    days: i32,
) -> Result<Vec<Day>, StoreError> {
    Ok(sqlx::query_as!(
        Day,
        r#"with day as (
               select began, began + interval '1 day' as ended
               from generate_series(date_trunc('day', $3::timestamptz, 'UTC') - ($4 - 1) * interval '1 day',
                                    date_trunc('day', $3::timestamptz, 'UTC'), interval '1 day') began)
           select coalesce((select sum(v.vends) from token_vend v
                            where v.tenant_id = $1 and v.connection_id = $2 and v.minute >= began and v.minute < ended), 0)::bigint as "uses!",
               told.refreshes as "refreshes!", told.failures as "failures!"
           from day left join lateral (
               select count(*) filter (where e.action in ('refreshed', 'recovered')) as refreshes,
                   count(*) filter (where e.action in ('refresh_failed', 'needs_reconnect')) as failures
               from audit_event e where e.tenant_id = $1 and e.connection_id = $2 and e.at >= began and e.at < ended) told on true
           order by began"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
        now,
        days,
    )
    .fetch_all(db)
    .await?)
}
