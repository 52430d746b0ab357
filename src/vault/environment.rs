//! What an answer's `api_domain` tells about the environment a grant is of.

use super::grant::KeptGrant;
use crate::domain::{
    data_centre::DataCentre, ids::RequestId, organization::Environment, product::Product, servers::Hosts,
};

/// `api_domain` is compared, never used; a foreign one is ignored and alarms (security.md S-19).
/// Only CRM and Books live under it, so that for others "production" says nothing.
pub(crate) fn environment_of(
    hosts: &Hosts,
    data_centre: DataCentre,
    product: Option<Product>,
    grant: &KeptGrant,
    request_id: Option<RequestId>,
) -> Option<Environment> {
    let api_domain = grant.api_domain.as_deref()?;
    let Some(environment) = hosts.environment_of(api_domain) else {
        metrics::counter!("foreign_api_domains_total", "data_centre" => data_centre.key()).increment(1);
        let request_id = request_id.map(|id| id.to_string());
        tracing::error!(%data_centre, request.id = request_id, "an answer named a foreign api_domain; ignored");
        return None;
    };
    let is_certain = environment != Environment::Production || matches!(product, Some(Product::Crm | Product::Books));
    is_certain.then_some(environment)
}
