//! Organizations as back ends see them: with their tenant, page after page by the primary key.

use super::StoreError;
use crate::{
    domain::{
        data_centre::DataCentre,
        ids::{OrganizationId, TenantId},
        organization::{Environment, ZohoOrganizationId},
        product::Product,
    },
    store::{known, tx::Tx},
};

#[derive(Debug)]
pub(crate) struct ListedOrganization {
    pub(crate) tenant_id: TenantId,
    pub(crate) tenant_external_id: Option<String>,
    pub(crate) tenant_name: String,
    pub(crate) organization_id: OrganizationId,
    pub(crate) zoho_id: ZohoOrganizationId,
    pub(crate) name: String,
    pub(crate) environment: Environment,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
}

/// At most `limit` organizations after the one named. With `only`, of that tenant. The page is cut out before it is joined:
/// otherwise the planner joins whole tenants and sorts them.
pub(crate) async fn list(
    tx: &mut Tx,
    only: Option<TenantId>,
    after: Option<(TenantId, OrganizationId)>,
    limit: i64,
) -> Result<Vec<ListedOrganization>, StoreError> {
    // A filter that is not set must vanish from the plan, or the index is not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    let (after_tenant, after_organization) = after.unzip();
    let rows = sqlx::query!(
        r#"select o.tenant_id as "tenant_id: TenantId", t.external_id, t.name as tenant_name,
               o.organization_id as "organization_id: OrganizationId", o.zoho_id, o.name, o.environment, o.product, o.data_centre
           from (
               select * from organization
               where ($1::uuid is null or tenant_id = $1)
                 and ($2::uuid is null or (tenant_id, organization_id) > ($2, $3))
               order by tenant_id, organization_id limit $4
           ) o
           join tenant t using (tenant_id)
           order by o.tenant_id, o.organization_id"#,
        only as Option<TenantId>,
        after_tenant as Option<TenantId>,
        after_organization as Option<OrganizationId>,
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ListedOrganization {
                tenant_id: row.tenant_id,
                tenant_external_id: row.external_id,
                tenant_name: row.tenant_name,
                organization_id: row.organization_id,
                zoho_id: known(&row.zoho_id, "organization.zoho_id")?,
                name: row.name,
                environment: known(&row.environment, "organization.environment")?,
                product: known(&row.product, "organization.product")?,
                data_centre: known(&row.data_centre, "organization.data_centre")?,
            })
        })
        .collect()
}
