//! The API for back ends: `/api/v1`, JSON, an API key in `Authorization` (design.md §6).

pub(crate) mod access_token;
mod backend;
pub(crate) mod connections;
mod cursor;
pub(crate) mod document;
mod parameters;
mod proxy;
mod search;
mod transport;
mod vending;

use actix_web::{HttpRequest, Scope, middleware::from_fn, web};

use super::get;

const ROOT: &str = "/api/v1";

/// Everything under `/api/v1`; what is no route there is 404 in the API's own words.
pub(crate) fn routes() -> impl actix_web::dev::HttpServiceFactory {
    scope()
        .service(get("/connections", connections::list_connections))
        .service(get("/connections/{id}", connections::get_connection))
        .service(get("/connections/{id}/access-token", access_token::get_access_token))
        .service(get("/access-token", access_token::find_access_token))
        .service(proxy::resource())
        .wrap(from_fn(transport::refuse_plain_http))
}

fn scope() -> Scope {
    web::scope(ROOT)
}

/// Whether a request is the API's, also where no route matches: it decides how problems are told, and
/// that a change counts by its key and not by its origin.
pub(crate) fn is_api(request: &HttpRequest) -> bool {
    request.path().strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
