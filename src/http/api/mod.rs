//! The API for back ends: `/api/v1`, JSON, an API key in `Authorization` (design.md §6).

pub(crate) mod access_token;
mod audit_events;
mod backend;
pub(crate) mod body;
pub(crate) mod connections;
pub(crate) mod cursor;
pub(crate) mod document;
mod endpoints;
mod onboarding_links;
pub(crate) mod openapi;
mod organizations;
mod paging;
pub(crate) mod parameters;
mod proxy;
mod refusals;
pub(crate) mod schema;
mod search;
mod tenants;
mod transport;
mod vending;
mod webhook_deliveries;
mod webhook_endpoints;

use actix_web::{HttpRequest, Scope, middleware::from_fn, web};

const ROOT: &str = "/api/v1";

/// Everything under `/api/v1`; what is no route there is 404 in the API's own words.
pub(crate) fn routes() -> impl actix_web::dev::HttpServiceFactory {
    endpoints().register(scope()).wrap(from_fn(transport::refuse_plain_http))
}

endpoints::endpoints! {
    get "/connections/{id}/access-token" access_token::get_access_token;
    get "/access-token" access_token::find_access_token;
    get "/connections" connections::list_connections;
    get "/connections/{id}" connections::get_connection;
    post "/connections" connections::import_connection;
    delete "/connections/{id}" connections::disconnect_connection;
    get "/tenants" tenants::list_tenants;
    post "/tenants" tenants::create_tenant;
    post "/onboarding-links" onboarding_links::create_onboarding_link;
    get "/onboarding-links/{id}" onboarding_links::get_onboarding_link;
    delete "/onboarding-links/{id}" onboarding_links::withdraw_onboarding_link;
    get "/organizations" organizations::list_organizations;
    any "/connections/{id}/proxy/{path:.*}" proxy::call_product;
    get "/webhook-endpoints" webhook_endpoints::list_webhook_endpoints;
    post "/webhook-endpoints" webhook_endpoints::create_webhook_endpoint;
    get "/webhook-endpoints/{id}" webhook_endpoints::get_webhook_endpoint;
    patch "/webhook-endpoints/{id}" webhook_endpoints::update_webhook_endpoint;
    delete "/webhook-endpoints/{id}" webhook_endpoints::delete_webhook_endpoint;
    post "/webhook-endpoints/{id}/rotate-secret" webhook_endpoints::rotate_webhook_secret;
    post "/webhook-endpoints/{id}/test" webhook_endpoints::test_webhook_endpoint;
    get "/webhook-deliveries" webhook_deliveries::list_webhook_deliveries;
    post "/webhook-deliveries/{id}/redeliver" webhook_deliveries::redeliver_webhook;
    get "/audit-events" audit_events::list_audit_events;
    get "/openapi.json" openapi::get_openapi;
}

fn scope() -> Scope {
    web::scope(ROOT)
}

/// Whether a request is the API's, also where no route matches: it decides how problems are told, and
/// that a change counts by its key and not by its origin.
pub(crate) fn is_api(request: &HttpRequest) -> bool {
    request.path().strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
