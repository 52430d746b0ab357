//! `GET /connections/{id}/access-token`, and `GET /access-token` by the caller's own ids.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;

use super::{
    backend::{Backend, TokensRead},
    parameters::Parameters,
    refusals::{NoToken, NoTokenOrSeveral},
    schema::AccessToken,
    search::{NotOne, Search},
    vending::{count, refuse, refuse_search},
};
use crate::{
    app::App,
    domain::{ids::ConnectionId, product::Product},
    http::problem::Problem,
    vault::{
        access_token::{Wanted, vend},
        usage::Outcome,
    },
};

/// The life that is asked for where the caller does not say; and the most, for a token lives an hour.
const DEFAULT_MINIMUM: TimeDelta = TimeDelta::seconds(300);
const MOST_SECONDS: i64 = 3000;
const LONGEST_TOKEN_ID: usize = 64;

/// Gets an access token of a connection.
///
/// One that works: refreshed before it ends, at most once for all who ask at the same time. While Zoho cannot be
/// asked, the old one is handed out to its real end, with a word in `warnings`.
#[utoipa::path(
    get, path = "/connections/{id}/access-token", tag = "tokens", security(("api_key" = ["tokens:read"])),
    params(
        ("id" = String, Path, format = "uuid", description = "The connection's id"),
        ("minimum_seconds" = Option<u16>, Query, minimum = 0, maximum = 3000,
            description = "The life you need; 300 unless given. A token with less is renewed first, where Zoho lets us"),
        ("rejected" = Option<String>, Query,
            description = "The `token_id` of a token that Zoho refused. All who name it share one new token"),
    ),
    responses((status = 200, description = "A token that works", body = AccessToken), NoToken),
)]
pub(crate) async fn get_access_token(
    app: web::Data<App>,
    backend: Backend<TokensRead>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::read(request.query_string());
    let life = Life::take(&mut parameters);
    parameters.finish()?;
    let connection_id: ConnectionId = id.parse().map_err(|_| Problem::NOT_FOUND)?;
    respond(&app.into_inner(), &backend, &request, connection_id, life).await
}

/// Gets an access token by your own ids.
///
/// The token of the one connection that fits. Say whose it is: a tenant, an organization or a person, or with a
/// tenant's key at least a product. Two that fit are told instead of one taken (`ambiguous`, with `candidates`); what
/// was disconnected gives way to what was not.
#[utoipa::path(
    get, path = "/access-token", tag = "tokens", security(("api_key" = ["tokens:read"])),
    params(
        ("tenant" = Option<String>, Query, example = "acme", description = "Our id, your `external_id` or the slug"),
        ("product" = Option<Product>, Query, example = "assist"),
        ("organization" = Option<String>, Query, description = "Zoho's id"),
        ("person" = Option<String>, Query, description = "Our id, or data centre and ZUID: `eu:795000000`"),
        ("minimum_seconds" = Option<u16>, Query, minimum = 0, maximum = 3000,
            description = "The life you need; 300 unless given. A token with less is renewed first, where Zoho lets us"),
        ("rejected" = Option<String>, Query,
            description = "The `token_id` of a token that Zoho refused. All who name it share one new token"),
    ),
    responses((status = 200, description = "A token that works", body = AccessToken), NoTokenOrSeveral),
)]
pub(crate) async fn find_access_token(
    app: web::Data<App>,
    backend: Backend<TokensRead>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::read(request.query_string());
    let life = Life::take(&mut parameters);
    let search = Search::take(&mut parameters, backend.tenant_id);
    parameters.finish()?;
    let app = app.into_inner();
    let connection_id = search.find_one(&app, backend.tenant_id).await.map_err(|not_one| match not_one {
        NotOne::Refused(problem, tenant_id) => refuse_search(&app, &backend, &request, tenant_id, problem),
        NotOne::Store(error) => error.into(),
    })?;
    respond(&app, &backend, &request, connection_id, life).await
}

/// What a caller says of the token it wants.
struct Life {
    minimum: TimeDelta,
    rejected: Option<String>,
}

impl Life {
    fn take(parameters: &mut Parameters) -> Self {
        Self {
            minimum: parameters.take("minimum_seconds", minimum).unwrap_or(DEFAULT_MINIMUM),
            rejected: parameters.take("rejected", token_id),
        }
    }
}

fn minimum(text: &str) -> Result<TimeDelta, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (0..=MOST_SECONDS).contains(seconds) && !text.starts_with('+'));
    seconds.map(TimeDelta::seconds).ok_or("must be a number from 0 to 3000")
}

fn token_id(text: &str) -> Result<String, &'static str> {
    let is_id = text.len() <= LONGEST_TOKEN_ID && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_id { Ok(text.to_owned()) } else { Err("must be the token_id of the token that Zoho refused") }
}

async fn respond(
    app: &Arc<App>,
    backend: &Backend<TokensRead>,
    request: &HttpRequest,
    connection_id: ConnectionId,
    Life { minimum, rejected }: Life,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted { connection_id, tenant_id: backend.tenant_id, minimum, rejected };
    let vended = match vend(app, &wanted).await {
        Ok(vended) => vended,
        Err(error) => return Err(refuse(app, backend, request, connection_id, error).await),
    };
    let outcome = if vended.warnings.is_empty() { Outcome::Vended } else { Outcome::Warned };
    count(app, backend, (vended.tenant_id, vended.connection_id), outcome)?;
    Ok(HttpResponse::Ok().json(AccessToken::of(app, &vended)))
}
