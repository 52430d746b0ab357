//! Who was handed an access token: one row per key, connection and minute.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

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

/// Adds counts, many at once, in the order of the primary key: replicas that write the same rows do
/// not wait for each other in a circle.
pub(crate) async fn upsert(db: impl PgExecutor<'_>, counted: &[Vends]) -> Result<(), StoreError> {
    let column = |of: fn(&Vends) -> DateTime<Utc>| counted.iter().map(of).collect::<Vec<_>>();
    let tenants: Vec<_> = counted.iter().map(|vends| vends.tenant_id).collect();
    let connections: Vec<_> = counted.iter().map(|vends| vends.connection_id).collect();
    let keys: Vec<_> = counted.iter().map(|vends| vends.api_key_id.clone()).collect();
    let outcomes: Vec<_> = counted.iter().map(|vends| vends.outcome.to_owned()).collect();
    let counts: Vec<_> = counted.iter().map(|vends| vends.vends).collect();
    sqlx::query!(
        "insert into token_vend (tenant_id, connection_id, api_key_id, minute, outcome, vends, first_at, last_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[], $7::timestamptz[],
             $8::timestamptz[])
         on conflict (tenant_id, connection_id, api_key_id, minute, outcome) do update set
             vends = token_vend.vends + excluded.vends, first_at = least(token_vend.first_at, excluded.first_at),
             last_at = greatest(token_vend.last_at, excluded.last_at)",
        &tenants as &[TenantId],
        &connections as &[ConnectionId],
        &keys,
        &column(|vends| vends.minute),
        &outcomes,
        &counts,
        &column(|vends| vends.first_at),
        &column(|vends| vends.last_at),
    )
    .execute(db)
    .await?;
    Ok(())
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
