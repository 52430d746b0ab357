//! What an import knows beyond a deposit: that Zoho has been asked for an access token already.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::ids::{ConnectionId, OrganizationId, PersonId, TenantId};
use crate::domain::product::Product;

/// When access tokens were asked for with the token that stands there now.
pub(crate) async fn find_token_calls(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    person_id: Option<PersonId>,
    organization_id: Option<OrganizationId>,
    product: Product,
) -> Result<Vec<DateTime<Utc>>, StoreError> {
    let calls = sqlx::query_scalar!(
        "select token_calls from connection
         where tenant_id = $1 and person_id is not distinct from $2 and organization_id is not distinct from $3 and product = $4
         for update",
        tenant_id as TenantId,
        person_id as Option<PersonId>,
        organization_id as Option<OrganizationId>,
        product.key(),
    )
    .fetch_optional(db)
    .await?;
    Ok(calls.unwrap_or_default())
}

/// The calls that count against the budget of the token that was deposited.
pub(crate) async fn update_token_calls(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    calls: &[DateTime<Utc>],
) -> Result<(), StoreError> {
    sqlx::query!(
        "update connection set token_calls = $3 where tenant_id = $1 and connection_id = $2",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        calls,
    )
    .execute(db)
    .await?;
    Ok(())
}
