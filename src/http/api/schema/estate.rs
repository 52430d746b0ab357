//! Tenants, and the organizations they have connected.

use serde::Serialize;
use utoipa::ToSchema;

use super::Tenant;
use crate::{
    domain::{data_centre::DataCentre, organization::Environment, product::Product},
    store::{organization::listed, tenant::listed as tenants},
};

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TenantList {
    pub(crate) tenants: Vec<ListedTenant>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required, example = json!(null))]
    pub(crate) next: Option<String>,
}

/// A customer of yours, with its address here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ListedTenant {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000a0")]
    id: String,
    /// Your own id of it.
    #[schema(required, example = "acme")]
    external_id: Option<String>,
    #[schema(example = "Acme")]
    name: String,
    /// Stands in the addresses of its pages.
    #[schema(example = "acme-7f3a21")]
    slug: String,
}

/// A tenant to be made.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "read member by member in tenants.rs; this is its description")]
pub(crate) struct NewTenant {
    /// Your own id of it.
    #[schema(min_length = 1, max_length = 200, example = "acme")]
    external_id: String,
    #[schema(min_length = 1, example = "Acme")]
    name: String,
    /// Made from the name where it is left out.
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", example = "acme")]
    slug: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OrganizationList {
    pub(crate) organizations: Vec<ListedOrganization>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required, example = json!(null))]
    pub(crate) next: Option<String>,
}

/// A Zoho organization as a tenant knows it. One that two tenants know is listed twice.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ListedOrganization {
    /// Zoho's id, as text: up to 19 digits, or a name.
    #[schema(example = "77000000")]
    id: String,
    #[schema(example = "Zylker")]
    name: String,
    #[schema(value_type = Environment)]
    environment: &'static str,
    #[schema(value_type = Product)]
    product: &'static str,
    #[schema(value_type = DataCentre)]
    data_centre: &'static str,
    tenant: Tenant,
}

impl From<tenants::Tenant> for ListedTenant {
    fn from(tenant: tenants::Tenant) -> Self {
        Self { id: tenant.tenant_id.to_string(), external_id: tenant.external_id, name: tenant.name, slug: tenant.slug }
    }
}

impl From<listed::ListedOrganization> for ListedOrganization {
    fn from(organization: listed::ListedOrganization) -> Self {
        Self {
            id: organization.zoho_id.into(),
            name: organization.name,
            environment: organization.environment.key(),
            product: organization.product.key(),
            data_centre: organization.data_centre.key(),
            tenant: Tenant {
                id: organization.tenant_id.to_string(),
                external_id: organization.tenant_external_id,
                name: organization.tenant_name,
            },
        }
    }
}
