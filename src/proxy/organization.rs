//! Naming the connection's organization to the product.
//!
//! | Product | Where | Source |
//! |---|---|---|
//! | Zia Agents | header `X-ZIAAGENTS-ORG` | its documentation, `zoho-oauth.md` §10 |
//! | Desk | header `orgId` | its documentation; without it a token of several portals is refused |
//! | CRM | header `X-CRM-ORG` | Zoho's SDKs and file uploads; elsewhere the token itself tells |
//! | Connect | parameter `scopeID` | its documentation, `zoho-oauth.md` §10 |
//! | Books | parameter `organization_id` | its documentation |
//! | SalesIQ | the path (`/api/v2/{portal}/…`), which is the caller's | its documentation |
//! | Assist | nowhere: the token has one organization | its documentation |
//!
//! These headers are never the caller's: they are not on the list of those that are passed on. A
//! parameter may be, if it names the same organization.

use super::{Asked, ProxyError};
use crate::{
    domain::{organization::ZohoOrganizationId, product::Product, proxy_path::ProxyPath, proxy_query::ProxyQuery},
    vault::access_token::Vended,
};

enum Named {
    Header(&'static str),
    Parameter(&'static str),
    Nowhere,
}

const fn place(product: Product) -> Named {
    match product {
        Product::ZiaAgents => Named::Header("x-ziaagents-org"),
        Product::Desk => Named::Header("orgid"),
        Product::Crm => Named::Header("x-crm-org"),
        Product::Connect => Named::Parameter("scopeID"),
        Product::Books => Named::Parameter("organization_id"),
        Product::Salesiq | Product::Assist => Named::Nowhere,
    }
}

/// Adds the organization to a call's headers, or to the query it returns.
pub(super) fn name(asked: &mut Asked, vended: &Vended) -> Result<ProxyQuery, ProxyError> {
    let id = &vended.organization.zoho_id;
    match place(vended.product) {
        Named::Header(header) => asked.headers.push((header, id.to_string())),
        Named::Parameter(parameter) => return in_query(parameter, id, &asked.path, &asked.query),
        Named::Nowhere => {}
    }
    Ok(asked.query.clone())
}

fn in_query(
    parameter: &'static str,
    id: &ZohoOrganizationId,
    path: &ProxyPath,
    query: &ProxyQuery,
) -> Result<ProxyQuery, ProxyError> {
    let given = query.values(parameter);
    if given.iter().any(|given| given != id.as_str()) {
        return Err(ProxyError::ForeignOrganization(parameter));
    }
    // The calls that tell which organizations there are know no such parameter.
    let is_list = path.is(&["pulse", "api", "allScopes"]) || path.is(&["books", "v3", "organizations"]);
    Ok(if given.is_empty() && !is_list { query.with(parameter, id.as_str()) } else { query.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s43_a_parameter_names_the_connections_organization_or_none() {
        let id: ZohoOrganizationId = "929".parse().expect("an id");
        let sent = |path: &str, query: &str| {
            let (path, query) = (ProxyPath::parse(path).expect("a path"), ProxyQuery::parse(query).expect("a query"));
            in_query("scopeID", &id, &path, &query).map(|query| query.as_str().to_owned()).ok()
        };
        assert_eq!(sent("pulse/api/tasks", "").as_deref(), Some("scopeID=929"));
        assert_eq!(sent("pulse/api/tasks", "limit=5").as_deref(), Some("limit=5&scopeID=929"));
        assert_eq!(sent("pulse/api/tasks", "scopeID=929&limit=5").as_deref(), Some("scopeID=929&limit=5"));
        assert_eq!(sent("pulse/api/allScopes", "").as_deref(), Some(""));
        for foreign in ["scopeID=930", "scopeID=929&scopeID=930", "SCOPEID=1", "scopeID=", "scopeI%44=1", "scopeID"] {
            assert_eq!(sent("pulse/api/tasks", foreign), None, "{foreign}");
        }
    }
}
