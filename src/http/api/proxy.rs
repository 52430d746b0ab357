//! `ANY /connections/{id}/proxy/{path}`: a product's answer, with the connection's token.
//!
//! What is asked is read from the request as it came, undecoded: the router's idea of the path is
//! not used (security.md S-60). Headers pass by a list; nothing else of the request does (S-61).

mod answer;
mod request;

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;

use super::{
    backend::{Backend, Proxy},
    refusals::NoToken,
    vending::{count, refuse},
};
use crate::{app::App, http::problem::Problem, proxy, vault::usage::Outcome};

/// Calls a product with a connection's token.
///
/// The rest of the path, with its query, is sent to the product's host in the connection's data centre, under the
/// prefixes of that product alone. The organization is named where the product wants that. A token that is refused is
/// renewed and the call repeated, once. What comes back is the product's own answer, with `X-Login-With-Zoho-Connection` and
/// `Server-Timing` added.
#[utoipa::path(
    method(get, head, post, put, patch, delete), path = "/connections/{id}/proxy/{path}", tag = "proxy",
    security(("api_key" = ["proxy"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The connection's id"),
        ("path" = String, Path, example = "api/v2/user", description = "Path and query of the product's API, slashes included"),
    ),
    responses((status = "2XX", description = "The product's own answer; its refusals come as they are, too"), NoToken),
)]
pub(crate) async fn call_product(
    app: web::Data<App>,
    backend: Backend<Proxy>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let asked = request::read(backend.tenant_id, &request)?;
    let has_body = request::has_body(&request, asked.method)?;
    let connection_id = asked.connection_id;
    let explain = async |error| {
        answer::explain(error, async |error| refuse(&app, &backend, &request, connection_id, error).await).await
    };
    let admitted = match proxy::admit(&app, asked).await {
        Ok(admitted) => admitted,
        Err(error) => return Err(explain(error).await),
    };
    let body = if has_body { request::read_body(payload).await? } else { Bytes::new() };
    count(&app, &backend, admitted.connection(), Outcome::Proxied)?;
    match admitted.send(&app, &body).await {
        Ok(answered) => Ok(answer::respond(answered)),
        Err(error) => Err(explain(error).await),
    }
}
