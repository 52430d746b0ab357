//! A connection's tokens as they are stored, for those who are about to change them.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::{
    ids::{ConnectionId, OrganizationId, PersonId, TenantId, ZohoClientId},
    product::Product,
};

/// A connection's tokens as they are stored, its row locked.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) connection_id: ConnectionId,
    pub(crate) is_choosing: bool,
    pub(crate) needs_reconnect: bool,
    pub(crate) person_id: Option<PersonId>,
    pub(crate) consented_at: DateTime<Utc>,
    pub(crate) client_id: String,
    pub(crate) zoho_client_id: Option<ZohoClientId>,
    pub(crate) scopes_requested: Vec<String>,
    pub(crate) scopes_granted: Vec<String>,
    pub(crate) refresh_token_sealed: Option<Vec<u8>>,
    pub(crate) access_token_sealed: Option<Vec<u8>>,
    pub(crate) access_token_expires_at: Option<DateTime<Utc>>,
}

/// One connection's tokens, its row locked.
pub(crate) async fn find_held(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<Option<Held>, StoreError> {
    Ok(sqlx::query_as!(
        Held,
        r#"select connection_id as "connection_id: ConnectionId", status = 'choosing' as "is_choosing!", status = 'needs_reconnect' as "needs_reconnect!",
               person_id as "person_id: PersonId", consented_at, client_id,
               zoho_client_id as "zoho_client_id: ZohoClientId", scopes_requested, scopes_granted, refresh_token_sealed, access_token_sealed, access_token_expires_at
           from connection where tenant_id = $1 and connection_id = $2 for update"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(db)
    .await?)
}

/// The same person's connection to an organization and product in a tenant, locked; `None` for the
/// organization means the unfinished choice.
pub(crate) async fn find_same(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    person_id: Option<PersonId>,
    organization_id: Option<OrganizationId>,
    product: Product,
) -> Result<Option<Held>, StoreError> {
    Ok(sqlx::query_as!(
        Held,
        r#"select connection_id as "connection_id: ConnectionId", status = 'choosing' as "is_choosing!", status = 'needs_reconnect' as "needs_reconnect!",
               person_id as "person_id: PersonId", consented_at, client_id,
               zoho_client_id as "zoho_client_id: ZohoClientId", scopes_requested, scopes_granted, refresh_token_sealed, access_token_sealed, access_token_expires_at
           from connection
           where tenant_id = $1 and person_id is not distinct from $2 and organization_id is not distinct from $3 and product = $4
           for update"#,
        tenant_id as TenantId,
        person_id as Option<PersonId>,
        organization_id as Option<OrganizationId>,
        product.key(),
    )
    .fetch_optional(db)
    .await?)
}
