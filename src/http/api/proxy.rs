//! `ANY /connections/{id}/proxy/{path}`: a product's answer, with the connection's token.
//!
//! What is asked is read from the request as it came, undecoded: the router's idea of the path is
//! not used (security.md S-60). Headers pass by a list; nothing else of the request does (S-61).

mod answer;
mod request;

use actix_web::{HttpRequest, HttpResponse, Resource, http::Method, web};
use bytes::Bytes;

use super::{
    backend::{Backend, Proxy},
    vending::{count, refuse},
};
use crate::{
    app::App,
    http::{not_allowed, problem::Problem},
    proxy,
    vault::usage::Outcome,
};

/// The route; other methods are 405.
pub(super) fn resource() -> Resource {
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let resource = web::resource("/connections/{id}/proxy/{path:.*}");
    let resource =
        methods.into_iter().fold(resource, |resource, method| resource.route(web::method(method).to(call_product)));
    resource.default_service(not_allowed("GET, HEAD, POST, PUT, PATCH, DELETE"))
}

/// `ANY /api/v1/connections/{id}/proxy/{path}`
async fn call_product(
    app: web::Data<App>,
    backend: Backend<Proxy>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let asked = request::read(backend.tenant_id, &request)?;
    let has_body = request::has_body(&request, asked.method)?;
    let connection_id = asked.connection_id;
    let explain = |error| answer::explain(error, |error| refuse(&app, &backend, &request, connection_id, error));
    let admitted = proxy::admit(&app, asked).await.map_err(explain)?;
    let body = if has_body { request::read_body(payload).await? } else { Bytes::new() };
    count(&app, &backend, admitted.connection(), Outcome::Proxied)?;
    Ok(answer::respond(admitted.send(&app, &body).await.map_err(explain)?))
}
