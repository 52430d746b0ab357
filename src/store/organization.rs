//! Zoho organizations as a tenant knows them.

pub(crate) mod listed;
pub(crate) mod of_tenant;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::{
    data_centre::DataCentre,
    ids::{OrganizationId, TenantId},
    organization::{Environment, FoundOrganization},
    product::Product,
    trouble::Trouble,
};

/// New, or with today's name. Only where a connection is about to be made to it, in the same transaction.
pub(crate) async fn upsert(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    data_centre: DataCentre,
    product: Product,
    environment: Environment,
    found: &FoundOrganization,
    now: DateTime<Utc>,
) -> Result<OrganizationId, StoreError> {
    Ok(sqlx::query_scalar!(
        // What is about to be connected works as a rule: its row is not written into every index again for that.
        r#"insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at, trouble)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict on constraint organization_once do update set
               -- An id that was only typed is no better name than the one we know.
               name = case when excluded.name = excluded.zoho_id then organization.name else excluded.name end
           returning organization_id as "organization_id: OrganizationId""#,
        tenant_id as TenantId,
        OrganizationId::new() as OrganizationId,
        data_centre.key(),
        product.key(),
        found.id.as_str(),
        environment.key(),
        found.name,
        now,
        Trouble::None.rank(),
    )
    .fetch_one(db)
    .await?)
}
