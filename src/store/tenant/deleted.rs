//! Tenants whose deletion was confirmed: what they have is ended in pieces, however much it is.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    domain::ids::{ConnectionId, TenantId},
    store::{StoreError, tx::Connection},
};

/// Connections ended with one statement. Few, because each lets its organization count its people anew.
const PIECE: i64 = 50;

/// Begins the deletion: from the commit on nothing of the tenant counts any more. False where it had begun.
pub(crate) async fn begin(tx: &mut Connection, tenant_id: TenantId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    // Whoever confirms an invitation locks it before the tenant, and so does this.
    sqlx::query!(
        "select onboarding_link_id from onboarding_link where tenant_id = $1 and ended_at is null
         order by onboarding_link_id for update",
        tenant_id as TenantId,
    )
    .fetch_all(&mut *tx)
    .await?;
    let done = sqlx::query!(
        "update tenant set deleted_at = $2, suspended_at = coalesce(suspended_at, $2), own_of_person_id = null
         where tenant_id = $1 and deleted_at is null",
        tenant_id as TenantId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "update api_key set revoked_at = $2 where tenant_id = $1 and revoked_at is null",
        tenant_id as TenantId,
        now
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from membership where tenant_id = $1", tenant_id as TenantId).execute(&mut *tx).await?;
    sqlx::query!(
        "update onboarding_link set state = 'withdrawn', ended_at = $2, due_at = null
         where tenant_id = $1 and ended_at is null and state <> 'consented'",
        tenant_id as TenantId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    // What rests there is revoked by whoever ends links that are due.
    sqlx::query!(
        "update onboarding_link set due_at = $2 where tenant_id = $1 and state = 'consented'",
        tenant_id as TenantId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(true)
}

/// Some of those that are not through, first who still has something to end: many may wait for Zoho.
pub(crate) async fn list(db: impl PgExecutor<'_>) -> Result<Vec<TenantId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id: TenantId" from tenant t where deleted_at is not null and erased_at is null
           order by exists (select from connection c where c.tenant_id = t.tenant_id and c.trouble < 7) desc, random() limit 20"#
    )
    .fetch_all(db)
    .await?)
}

/// Ends some of the connections: the sealed refresh token moves to the revocations, due now, and what is left in the row
/// opens nothing. `sealed_as` is what they were sealed as, without the connection's id. What somebody else has in hand is
/// left for the next time.
pub(crate) async fn end_connections(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    sealed_as: &str,
    now: DateTime<Utc>,
) -> Result<Vec<ConnectionId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"with piece as (
               select connection_id, person_id, client_id, data_centre, refresh_token_sealed, consented_at
               from connection where tenant_id = $1 and trouble < 7
               order by connection_id limit $4 for update skip locked),
           moved as (
               insert into revocation (revocation_id, tenant_id, connection_id, person_id, client_id, data_centre, reason, token_sealed,
                   sealed_as, created_at, due_at, granted_at, tries)
               select gen_random_uuid(), $1, connection_id, person_id, client_id, data_centre, 'disconnected', refresh_token_sealed,
                   $2 || connection_id, $3, $3, consented_at, 0
               from piece where refresh_token_sealed is not null)
           update connection c set status = 'disconnected', status_reason = null, refresh_token_sealed = null,
               access_token_sealed = null, access_token_expires_at = null, choices = null, environment = null, health = 'ok',
               token_version = token_version + 1, disconnected_at = $3, lease_owner = null, lease_until = null, fence = fence + 1,
               retry_at = null, refresh_at = null, refresh_failures = 0, dead_since = null, zoho_client_id = null,
               refresh_token_digest = null
           from piece where c.tenant_id = $1 and c.connection_id = piece.connection_id
           returning c.connection_id as "connection_id: ConnectionId""#,
        tenant_id as TenantId,
        sealed_as,
        now,
        PIECE,
    )
    .fetch_all(db)
    .await?)
}

/// Forgets what was told, or was to be, but for the end itself: some at a time, since it may be a month of every refresh.
pub(crate) async fn delete_deliveries(db: impl PgExecutor<'_>, tenant_id: TenantId) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from webhook_delivery where webhook_delivery_id in (
             select webhook_delivery_id from webhook_delivery
             where tenant_id = $1 and event_type <> 'tenant.deleted' limit 1000)",
        tenant_id as TenantId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Ends the deletion once everything has ended: secrets of foreign clients and webhooks go, and the names are free.
/// False where something has not ended yet.
pub(crate) async fn erase(tx: &mut Connection, tenant_id: TenantId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update tenant t set erased_at = $2, external_id = null, slug = 'deleted-' || t.tenant_id
         where t.tenant_id = $1 and t.deleted_at is not null and t.erased_at is null
           and not exists (select from connection c where c.tenant_id = $1 and c.trouble < 7)
           and not exists (select from onboarding_link l where l.tenant_id = $1 and l.ended_at is null)
           and not exists (select from revocation r where r.tenant_id = $1 and r.done_at is null)
           and not exists (
               select from webhook_delivery d
               where d.tenant_id = $1 and d.status = 'pending' and d.event_type = 'tenant.deleted')",
        tenant_id as TenantId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "update connection set zoho_client_id = null where tenant_id = $1 and zoho_client_id is not null",
        tenant_id as TenantId,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from zoho_client where tenant_id = $1", tenant_id as TenantId).execute(&mut *tx).await?;
    sqlx::query!("delete from webhook_endpoint where tenant_id = $1", tenant_id as TenantId).execute(&mut *tx).await?;
    Ok(true)
}
