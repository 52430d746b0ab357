//! A connection with new tokens: the one statement that gives it any.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, types::Json};

use super::{Choices, StoreError};
use crate::domain::{
    data_centre::DataCentre,
    digest::Digest,
    ids::{ConnectionId, OrganizationId, PersonId, TenantId, ZohoClientId},
    organization::{Environment, FoundOrganization},
    product::Product,
    scope::ScopeSet,
};

/// What a connection becomes when a grant is deposited.
#[derive(Debug)]
pub(crate) struct Deposit<'a> {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) person_id: Option<PersonId>,
    /// Absent: the person has to choose.
    pub(crate) organization_id: Option<OrganizationId>,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    pub(crate) client_id: &'a str,
    pub(crate) zoho_client_id: Option<ZohoClientId>,
    pub(crate) scopes_requested: &'a ScopeSet,
    pub(crate) scopes_granted: &'a ScopeSet,
    pub(crate) refresh_token_sealed: &'a [u8],
    pub(crate) refresh_token_digest: &'a Digest,
    pub(crate) access_token_sealed: &'a [u8],
    pub(crate) access_token_expires_at: DateTime<Utc>,
    pub(crate) choices: &'a [FoundOrganization],
    pub(crate) environment: Option<Environment>,
    pub(crate) consented_at: DateTime<Utc>,
    /// When it is to be refreshed unasked; sooner where somebody uses it.
    pub(crate) refresh_at: DateTime<Utc>,
    pub(crate) refresh_at_in_use: DateTime<Utc>,
}

/// Writes a connection with new tokens: a new row, or the one with that id made whole again.
pub(crate) async fn upsert(
    db: impl PgExecutor<'_>,
    deposit: &Deposit<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let choosing = deposit.organization_id.is_none();
    sqlx::query!(
        "insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status, status_reason,
             scopes_requested, scopes_granted, client_id, refresh_token_sealed, access_token_sealed, access_token_expires_at,
             token_version, choices, environment, health, connected_at, consented_at, zoho_client_id, refresh_at,
             refresh_token_digest)
         values ($1, $2, $3, $4, $5, $6, $7, null, $8, $9, $10, $11, $12, $13, 1, $14, $15, 'ok', $17, $16, $18, $19, $21)
         on conflict (tenant_id, connection_id) do update set
             organization_id = excluded.organization_id, status = excluded.status, status_reason = null,
             scopes_requested = excluded.scopes_requested, scopes_granted = excluded.scopes_granted,
             client_id = excluded.client_id, refresh_token_sealed = excluded.refresh_token_sealed,
             access_token_sealed = excluded.access_token_sealed, access_token_expires_at = excluded.access_token_expires_at,
             token_version = connection.token_version + 1, choices = excluded.choices, environment = excluded.environment,
             health = 'ok', consented_at = excluded.consented_at, disconnected_at = null, zoho_client_id = excluded.zoho_client_id,
             lease_owner = null, lease_until = null, fence = connection.fence + 1, token_calls = '{}', retry_at = null,
             refresh_at = case when connection.last_used_at > $17::timestamptz - interval '24 hours' then $20 else excluded.refresh_at end,
             refresh_failures = 0, dead_since = null, refresh_token_digest = excluded.refresh_token_digest",
        deposit.tenant_id as TenantId,
        deposit.connection_id as ConnectionId,
        deposit.person_id as Option<PersonId>,
        deposit.organization_id as Option<OrganizationId>,
        deposit.product.key(),
        deposit.data_centre.key(),
        if choosing { "choosing" } else { "active" },
        deposit.scopes_requested.names(),
        deposit.scopes_granted.names(),
        deposit.client_id,
        deposit.refresh_token_sealed,
        deposit.access_token_sealed,
        deposit.access_token_expires_at,
        choosing.then(|| Json(Choices(deposit.choices.to_vec()))) as Option<Json<Choices>>,
        deposit.environment.map(Environment::key),
        deposit.consented_at,
        now,
        deposit.zoho_client_id as Option<ZohoClientId>,
        deposit.refresh_at,
        deposit.refresh_at_in_use,
        deposit.refresh_token_digest.as_slice(),
    )
    .execute(db)
    .await?;
    Ok(())
}
