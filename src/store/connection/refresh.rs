//! The lease under which a connection's access token is refreshed, and what is written under it
//! (security.md 4.3).
//!
//! A claim is one statement: lease, fence and budget together. Whoever writes afterwards names owner
//! and fence; a holder that comes back late finds no row.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::{StoreError, known};
use crate::domain::{
    connection::{Health, ReconnectReason},
    data_centre::DataCentre,
    ids::{AuditEventId, ConnectionId, PersonId, TenantId, ZohoClientId},
};

/// Longer than the longest call, and never renewed.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(15);
/// The span in which Zoho counts access tokens (`zoho-oauth.md` §9).
pub(crate) const BUDGET_SPAN: TimeDelta = TimeDelta::minutes(10);

/// What is further ahead than it can be was written before Postgres's clock was set back, and holds
/// nobody up (security.md R-17).
pub(crate) const BELIEVED_LEASE: TimeDelta = TimeDelta::seconds(20);
pub(crate) const BELIEVED_WAIT: TimeDelta = TimeDelta::minutes(80);

/// Whoever was vended within this is in use: its token is renewed before anybody asks.
pub(crate) const IN_USE: TimeDelta = TimeDelta::hours(24);

/// A connection whose lease is ours.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) owner: Uuid,
    pub(crate) fence: i64,
    pub(crate) data_centre: DataCentre,
    pub(crate) person_id: Option<PersonId>,
    pub(crate) client_id: String,
    pub(crate) zoho_client_id: Option<ZohoClientId>,
    pub(crate) refresh_token_sealed: Vec<u8>,
    pub(crate) health: Health,
    pub(crate) consented_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) refresh_failures: i32,
    pub(crate) dead_since: Option<DateTime<Utc>>,
    /// Some endpoint wants to know of each refresh.
    pub(crate) is_told: bool,
}

impl Claimed {
    /// Vended within a day.
    pub(crate) fn is_in_use(&self, now: DateTime<Utc>) -> bool {
        self.last_used_at.is_some_and(|used_at| now - used_at < IN_USE)
    }
}

struct ClaimedRow {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    fence: i64,
    data_centre: String,
    person_id: Option<PersonId>,
    client_id: String,
    zoho_client_id: Option<ZohoClientId>,
    refresh_token_sealed: Vec<u8>,
    health: String,
    consented_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    refresh_failures: i32,
    dead_since: Option<DateTime<Utc>>,
    is_told: bool,
}

impl ClaimedRow {
    fn owned_by(self, owner: Uuid) -> Result<Claimed, StoreError> {
        Ok(Claimed {
            tenant_id: self.tenant_id,
            connection_id: self.connection_id,
            owner,
            fence: self.fence,
            data_centre: known(&self.data_centre, "connection.data_centre")?,
            person_id: self.person_id,
            client_id: self.client_id,
            zoho_client_id: self.zoho_client_id,
            refresh_token_sealed: self.refresh_token_sealed,
            health: known(&self.health, "connection.health")?,
            consented_at: self.consented_at,
            last_used_at: self.last_used_at,
            refresh_failures: self.refresh_failures,
            dead_since: self.dead_since,
            is_told: self.is_told,
        })
    }
}

/// Claims one connection whose token is still the one that was seen. `None`: somebody holds it, it
/// has to wait, its budget is spent, or its token is another one by now.
pub(crate) async fn claim(
    db: impl PgExecutor<'_>,
    (tenant_id, connection_id): (TenantId, ConnectionId),
    seen_version: i64,
    owner: Uuid,
    budget: i32,
    now: DateTime<Utc>,
) -> Result<Option<Claimed>, StoreError> {
    let row = sqlx::query_as!(
        ClaimedRow,
        r#"update connection set lease_owner = $4, lease_until = $5, fence = fence + 1,
               token_calls = array_append(array(select at from unnest(token_calls) at where at > $7 and at <= $9), $6)
           where tenant_id = $1 and connection_id = $2 and status = 'active' and token_version = $3
             and (lease_until is null or lease_until <= $6 or lease_until > $9)
             and (retry_at is null or retry_at <= $6 or retry_at > $10)
             and (select count(*) from unnest(token_calls) at where at > $7 and at <= $9) < $8
           returning tenant_id as "tenant_id: TenantId", connection_id as "connection_id: ConnectionId", fence, data_centre,
               person_id as "person_id: PersonId", client_id, zoho_client_id as "zoho_client_id: ZohoClientId",
               refresh_token_sealed as "refresh_token_sealed!", health, consented_at, last_used_at,
               refresh_failures, dead_since,
               exists (select from webhook_endpoint e
                       where (e.tenant_id is null or e.tenant_id = connection.tenant_id) and e.disabled_at is null
                         and 'connection.refreshed' = any(e.event_types)) as "is_told!""#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
        seen_version,
        owner,
        now + LEASE,
        now,
        now - BUDGET_SPAN,
        i64::from(budget),
        now + BELIEVED_LEASE,
        now + BELIEVED_WAIT,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| row.owned_by(owner)).transpose()
}

/// Claims what is due in one data centre, the longest due first; rows that somebody else has in hand
/// are skipped.
pub(crate) async fn claim_due(
    db: impl PgExecutor<'_>,
    data_centre: DataCentre,
    owner: Uuid,
    budget: i32,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, StoreError> {
    let rows = sqlx::query_as!(
        ClaimedRow,
        r#"update connection set lease_owner = $2, lease_until = $3, fence = fence + 1,
               token_calls = array_append(array(select at from unnest(token_calls) at where at > $5 and at <= $8), $4)
           where (tenant_id, connection_id) in (
               select tenant_id, connection_id from connection
               where status = 'active' and refresh_at <= $4 and data_centre = $1
                 and not exists (
                     select from tenant t where t.tenant_id = connection.tenant_id and t.suspended_at is not null)
                 and (lease_until is null or lease_until <= $4 or lease_until > $8)
                 and (retry_at is null or retry_at <= $4 or retry_at > $9)
                 and (select count(*) from unnest(token_calls) at where at > $5 and at <= $8) < $6
               order by refresh_at limit $7 for update skip locked)
           returning tenant_id as "tenant_id: TenantId", connection_id as "connection_id: ConnectionId", fence, data_centre,
               person_id as "person_id: PersonId", client_id, zoho_client_id as "zoho_client_id: ZohoClientId",
               refresh_token_sealed as "refresh_token_sealed!", health, consented_at, last_used_at,
               refresh_failures, dead_since,
               exists (select from webhook_endpoint e
                       where (e.tenant_id is null or e.tenant_id = connection.tenant_id) and e.disabled_at is null
                         and 'connection.refreshed' = any(e.event_types)) as "is_told!""#,
        data_centre.key(),
        owner,
        now + LEASE,
        now,
        now - BUDGET_SPAN,
        i64::from(budget),
        most,
        now + BELIEVED_LEASE,
        now + BELIEVED_WAIT,
    )
    .fetch_all(db)
    .await?;
    // A row that this version does not understand is no reason to drop the others.
    let owned = |row: ClaimedRow| {
        let connection_id = row.connection_id;
        row.owned_by(owner)
            .inspect_err(
                |error| tracing::error!(%error, connection.id = %connection_id, "a connection cannot be refreshed"),
            )
            .ok()
    };
    Ok(rows.into_iter().filter_map(owned).collect())
}

/// Connections of suspended tenants that are due are not refreshed. They come back in `pause`, so that the others behind
/// them are found; after a resumption whoever wants a token has it refreshed at once. Tells how many there were.
pub(crate) async fn postpone_suspended(
    db: impl PgExecutor<'_>,
    data_centres: &[DataCentre],
    pause: TimeDelta,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let keys: Vec<_> = data_centres.iter().map(|data_centre| data_centre.key().to_owned()).collect();
    let done = sqlx::query!(
        "update connection set refresh_at = $2 where (tenant_id, connection_id) in (
             select c.tenant_id, c.connection_id from connection c join tenant t on t.tenant_id = c.tenant_id
             where c.status = 'active' and c.data_centre = any($3) and c.refresh_at <= $1 and t.suspended_at is not null
             limit 500 for update of c skip locked)",
        now,
        now + pause,
        &keys,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// In which of these data centres something is due.
pub(crate) async fn list_due_data_centres(
    db: impl PgExecutor<'_>,
    data_centres: &[DataCentre],
    now: DateTime<Utc>,
) -> Result<Vec<DataCentre>, StoreError> {
    let keys: Vec<_> = data_centres.iter().map(|data_centre| data_centre.key().to_owned()).collect();
    sqlx::query_scalar!(
        r#"select key as "key!" from unnest($1::text[]) key
           where exists (select from connection where status = 'active' and data_centre = key and refresh_at <= $2)"#,
        &keys,
        now,
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(|key| known(key, "connection.data_centre"))
    .collect()
}

/// Why a claim was refused.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) is_active: bool,
    pub(crate) token_version: i64,
    pub(crate) health: Health,
    pub(crate) lease_until: Option<DateTime<Utc>>,
    pub(crate) retry_at: Option<DateTime<Utc>>,
    /// The latest last.
    pub(crate) token_calls: Vec<DateTime<Utc>>,
}

pub(crate) async fn find_standing(
    db: impl PgExecutor<'_>,
    (tenant_id, connection_id): (TenantId, ConnectionId),
) -> Result<Option<Standing>, StoreError> {
    Ok(sqlx::query_as!(
        Standing,
        r#"select status = 'active' as "is_active!", token_version, health as "health: Health", lease_until, retry_at, token_calls
           from connection where tenant_id = $1 and connection_id = $2"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(db)
    .await?)
}

/// A new access token, ready to be stored.
#[derive(Debug)]
pub(crate) struct Refreshed<'a> {
    pub(crate) access_token_sealed: &'a [u8],
    pub(crate) expires_at: DateTime<Utc>,
    /// Where the answer named them.
    pub(crate) scopes_granted: Option<&'a [String]>,
    pub(crate) refresh_at: DateTime<Utc>,
    /// How the history tells it: `refreshed`, or `recovered` after trouble.
    pub(crate) action: &'static str,
}

/// Stores a new access token with its line of history. False: the lease is not ours any more.
pub(crate) async fn update_refreshed(
    db: impl PgExecutor<'_>,
    claimed: &Claimed,
    new: &Refreshed<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "with refreshed as (
             update connection set access_token_sealed = $5, access_token_expires_at = $6, scopes_granted = coalesce($7, scopes_granted),
                 token_version = token_version + 1, last_refreshed_at = $9, refresh_at = $8, health = 'ok', refresh_failures = 0,
                 retry_at = null, dead_since = null, lease_owner = null, lease_until = null
             where tenant_id = $1 and connection_id = $2 and lease_owner = $3 and fence = $4 and status = 'active'
             returning tenant_id, connection_id)
         insert into audit_event (audit_event_id, at, tenant_id, connection_id, actor_kind, action, outcome)
         select $10, $9, tenant_id, connection_id, 'engine', $11, 'done' from refreshed",
        claimed.tenant_id as TenantId,
        claimed.connection_id as ConnectionId,
        claimed.owner,
        claimed.fence,
        new.access_token_sealed,
        new.expires_at,
        new.scopes_granted,
        new.refresh_at,
        now,
        AuditEventId::new() as AuditEventId,
        new.action,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How a refresh failed, and what follows from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed {
    pub(crate) health: Health,
    /// Nobody asks before.
    pub(crate) retry_at: Option<DateTime<Utc>>,
    pub(crate) refresh_at: DateTime<Utc>,
    /// Zoho said that the refresh token is dead.
    pub(crate) dead_since: Option<DateTime<Utc>>,
    /// Whether Zoho may have counted the call.
    pub(crate) counts: bool,
}

/// Notes a failure, gives the lease back, and tells the history where the health has changed. False:
/// the lease is not ours any more.
pub(crate) async fn update_failed(
    db: impl PgExecutor<'_>,
    claimed: &Claimed,
    failed: &Failed,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = sqlx::query_scalar!(
        r#"with failed as (
             update connection set health = $5, retry_at = $6, refresh_at = $7, dead_since = $8, refresh_failures = refresh_failures + 1,
                 token_calls = case when $9 then token_calls else token_calls[:cardinality(token_calls) - 1] end,
                 lease_owner = null, lease_until = null
             where tenant_id = $1 and connection_id = $2 and lease_owner = $3 and fence = $4 and status = 'active'
             returning tenant_id, connection_id),
         told as (
             insert into audit_event (audit_event_id, at, tenant_id, connection_id, actor_kind, action, outcome)
             select $11, $10, tenant_id, connection_id, 'engine', 'refresh_failed', $5 from failed where $12)
         select count(*) as "count!" from failed"#,
        claimed.tenant_id as TenantId,
        claimed.connection_id as ConnectionId,
        claimed.owner,
        claimed.fence,
        failed.health.key(),
        failed.retry_at,
        failed.refresh_at,
        failed.dead_since,
        failed.counts,
        now,
        AuditEventId::new() as AuditEventId,
        claimed.health != failed.health,
    )
    .fetch_one(db)
    .await?;
    Ok(row == 1)
}

/// Zoho has ended the grant: only its owner can help. False: the lease is not ours any more.
pub(crate) async fn update_needs_reconnect(
    db: impl PgExecutor<'_>,
    claimed: &Claimed,
    reason: ReconnectReason,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update connection set status = 'needs_reconnect', status_reason = $5, health = 'ok', retry_at = null, refresh_at = null,
             dead_since = coalesce(dead_since, $6), lease_owner = null, lease_until = null, token_version = token_version + 1,
             access_token_sealed = null, access_token_expires_at = null
         where tenant_id = $1 and connection_id = $2 and lease_owner = $3 and fence = $4 and status = 'active'",
        claimed.tenant_id as TenantId,
        claimed.connection_id as ConnectionId,
        claimed.owner,
        claimed.fence,
        reason.key(),
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
