//! What becomes of a connection apart from its tokens' renewal: its organization is chosen, it ends, it goes.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::ids::{ConnectionId, OrganizationId, TenantId};

/// A row that never had an organization gets one, before its new tokens are deposited.
pub(crate) async fn update_organization(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    organization_id: OrganizationId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update connection set organization_id = $3, choices = null, environment = null,
             status = case when status = 'choosing' then 'active' else status end
         where tenant_id = $1 and connection_id = $2 and organization_id is null",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        organization_id as OrganizationId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The person chose: the unfinished row becomes a connection of that organization.
pub(crate) async fn update_chosen(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    organization_id: OrganizationId,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update connection set organization_id = $3, status = 'active', choices = null, environment = null
         where tenant_id = $1 and connection_id = $2 and status = 'choosing'",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        organization_id as OrganizationId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a connection and erases its tokens. True where it was not ended already.
pub(crate) async fn update_disconnected(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update connection set status = 'disconnected', status_reason = null, refresh_token_sealed = null, access_token_sealed = null,
             access_token_expires_at = null, choices = null, environment = null, health = 'ok', token_version = token_version + 1,
             disconnected_at = $3, lease_owner = null, lease_until = null, fence = fence + 1, retry_at = null, refresh_at = null,
             refresh_failures = 0, dead_since = null, refresh_token_digest = null
         where tenant_id = $1 and connection_id = $2 and status <> 'disconnected'",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes an unfinished choice whose tokens went to another row.
pub(crate) async fn delete_choosing(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from connection where tenant_id = $1 and connection_id = $2 and status = 'choosing'",
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .execute(db)
    .await?;
    Ok(())
}
