//! A connection's stored tokens apart from any lease: exchanged by comparing, told to be unreadable, and
//! erased when they are long dead.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::ids::{ConnectionId, TenantId};

/// Should a refresh answer ever carry another refresh token: kept by comparing with the one it
/// replaces, lease or not, for the old one may be dead by now.
pub(crate) async fn update_refresh_token(
    db: impl PgExecutor<'_>,
    (tenant_id, connection_id): (TenantId, ConnectionId),
    old_sealed: &[u8],
    refresh_token_sealed: &[u8],
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update connection set refresh_token_sealed = $4
         where tenant_id = $1 and connection_id = $2 and refresh_token_sealed = $3",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        old_sealed,
        refresh_token_sealed,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A refresh token as it is stored.
pub(crate) async fn find_refresh_token(
    db: impl PgExecutor<'_>,
    (tenant_id, connection_id): (TenantId, ConnectionId),
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query_scalar!(
        "select refresh_token_sealed from connection where tenant_id = $1 and connection_id = $2",
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.flatten())
}

/// A stored token does not open, or does so again. Only the health: nothing else may be touched.
pub(crate) async fn update_readable(
    db: impl PgExecutor<'_>,
    (tenant_id, connection_id): (TenantId, ConnectionId),
    readable: bool,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update connection set health = case when $3 then 'ok' else 'unreadable' end
         where tenant_id = $1 and connection_id = $2 and status = 'active' and (health = 'unreadable') = $3",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        readable,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Erases what was kept of grants that Zoho ended before `before`.
pub(crate) async fn erase_dead_tokens(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "update connection set refresh_token_sealed = null
         where (tenant_id, connection_id) in (
             select tenant_id, connection_id from connection
             where status = 'needs_reconnect' and refresh_token_sealed is not null and dead_since < $1
             limit 500 for update skip locked)",
        before,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
