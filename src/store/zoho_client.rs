//! Clients of Zoho's API console that are not ours: whose an imported token is, Zoho refreshes it for
//! that client alone.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::{
    data_centre::DataCentre,
    ids::{TenantId, ZohoClientId},
};

/// What the sealed column is called where it is sealed.
pub(crate) const CLIENT_SECRET: &str = "zoho_client.client_secret_sealed";

/// A client, its secret as it is stored.
#[derive(Debug)]
pub(crate) struct ZohoClient {
    pub(crate) client_id: String,
    pub(crate) client_secret_sealed: Vec<u8>,
}

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    zoho_client_id: ZohoClientId,
) -> Result<Option<ZohoClient>, StoreError> {
    Ok(sqlx::query_as!(
        ZohoClient,
        "select client_id, client_secret_sealed from zoho_client where tenant_id = $1 and zoho_client_id = $2",
        tenant_id as TenantId,
        zoho_client_id as ZohoClientId,
    )
    .fetch_optional(db)
    .await?)
}

/// A tenant's client as Zoho's console names it, its row locked.
pub(crate) async fn find_id(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    data_centre: DataCentre,
    client_id: &str,
) -> Result<Option<ZohoClientId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select zoho_client_id as "zoho_client_id: ZohoClientId" from zoho_client
           where tenant_id = $1 and data_centre = $2 and client_id = $3 for update"#,
        tenant_id as TenantId,
        data_centre.key(),
        client_id,
    )
    .fetch_optional(db)
    .await?)
}

/// A client about to be stored. The secret is sealed for this id, so that a row that is there already
/// cannot take it.
#[derive(Debug)]
pub(crate) struct NewZohoClient<'a> {
    pub(crate) tenant_id: TenantId,
    pub(crate) zoho_client_id: ZohoClientId,
    pub(crate) data_centre: DataCentre,
    pub(crate) client_id: &'a str,
    pub(crate) client_secret_sealed: &'a [u8],
}

/// False where the tenant has this client already.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    new: &NewZohoClient<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into zoho_client (tenant_id, zoho_client_id, data_centre, client_id, client_secret_sealed, created_at)
         values ($1, $2, $3, $4, $5, $6) on conflict on constraint zoho_client_once do nothing",
        new.tenant_id as TenantId,
        new.zoho_client_id as ZohoClientId,
        new.data_centre.key(),
        new.client_id,
        new.client_secret_sealed,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Zoho has accepted another secret of the same client.
pub(crate) async fn update_secret(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    zoho_client_id: ZohoClientId,
    client_secret_sealed: &[u8],
) -> Result<(), StoreError> {
    sqlx::query!(
        "update zoho_client set client_secret_sealed = $3 where tenant_id = $1 and zoho_client_id = $2",
        tenant_id as TenantId,
        zoho_client_id as ZohoClientId,
        client_secret_sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}
