//! A connection's stored tokens apart from any lease: exchanged by comparing, told to be unreadable, found in
//! several connections, and erased when they are long dead.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::{
    data_centre::DataCentre,
    digest::Digest,
    ids::{ConnectionId, TenantId},
};

/// Should a refresh answer ever carry another refresh token: kept by comparing with the one it
/// replaces, lease or not, for the old one may be dead by now.
pub(crate) async fn update_refresh_token(
    db: impl PgExecutor<'_>,
    (tenant_id, connection_id): (TenantId, ConnectionId),
    old_sealed: &[u8],
    refresh_token_sealed: &[u8],
    refresh_token_digest: &Digest,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update connection set refresh_token_sealed = $4, refresh_token_digest = $5
         where tenant_id = $1 and connection_id = $2 and refresh_token_sealed = $3",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        old_sealed,
        refresh_token_sealed,
        refresh_token_digest.as_slice(),
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

/// Whether a connection lives by this refresh token of a client, whosever it is: `digests` are the token's under each
/// key.
pub(crate) async fn is_held(
    db: impl PgExecutor<'_>,
    digests: &[Digest],
    client_id: &str,
    data_centre: DataCentre,
) -> Result<bool, StoreError> {
    let digests: Vec<Vec<u8>> = digests.iter().map(|digest| digest.to_vec()).collect();
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from connection
               where refresh_token_digest = any($1) and client_id = $2 and data_centre = $3
                 and refresh_token_sealed is not null and status in ('active', 'choosing')) as "exists!""#,
        &digests,
        client_id,
        data_centre.key(),
    )
    .fetch_one(db)
    .await?)
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
        "update connection set refresh_token_sealed = null, refresh_token_digest = null
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
