//! `GET /connections/{id}/access-token`, and `GET /access-token` by the caller's own ids.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;

use super::{
    backend::{Backend, TokensRead},
    parameters::Parameters,
    search::Search,
    vending::{count, refuse},
};
use crate::{
    app::App,
    domain::{ids::ConnectionId, organization::ZohoOrganizationId},
    http::problem::Problem,
    vault::{
        access_token::{Vended, Wanted, vend},
        usage::Outcome,
    },
};

/// The life that is asked for where the caller does not say; and the most, for a token lives an hour.
const DEFAULT_MINIMUM: TimeDelta = TimeDelta::seconds(300);
const MOST_SECONDS: i64 = 3000;
const LONGEST_TOKEN_ID: usize = 64;

/// `GET /api/v1/connections/{id}/access-token`
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

/// `GET /api/v1/access-token`
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
    let connection_id = search.find_one(&app, backend.tenant_id).await?;
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
    let vended = vend(app, &wanted).await.map_err(|error| refuse(app, backend, request, connection_id, error))?;
    let outcome = if vended.warnings.is_empty() { Outcome::Vended } else { Outcome::Warned };
    count(app, backend, (vended.tenant_id, vended.connection_id), outcome)?;
    Ok(HttpResponse::Ok().json(AccessToken::of(app, &vended)))
}

/// The `AccessToken` of design.md §6.
#[derive(Serialize)]
pub(crate) struct AccessToken<'a> {
    access_token: &'a str,
    token_id: &'a str,
    token_type: &'static str,
    expires_at: String,
    expires_in: i64,
    connection_id: ConnectionId,
    product: &'static str,
    data_centre: &'static str,
    api_domain: &'a str,
    /// Absent where the servers table has no host of this product any more.
    product_url: Option<&'a str>,
    organization: Organization<'a>,
    scopes: &'a [String],
    warnings: Vec<&'static str>,
}

#[derive(Serialize)]
struct Organization<'a> {
    id: &'a ZohoOrganizationId,
    name: &'a str,
    environment: &'static str,
}

impl<'a> AccessToken<'a> {
    fn of(app: &'a App, vended: &'a Vended) -> Self {
        let hosts = app.config.zoho.servers.hosts(vended.data_centre);
        let organization = &vended.organization;
        Self {
            access_token: vended.access_token.expose(),
            token_id: &vended.token_id,
            token_type: "Zoho-oauthtoken",
            expires_at: time(vended.expires_at),
            expires_in: (vended.expires_at - app.clock.shared_now()).num_seconds().max(0),
            connection_id: vended.connection_id,
            product: vended.product.key(),
            data_centre: vended.data_centre.key(),
            api_domain: hosts.map_or("", |hosts| hosts.api_in(organization.environment)),
            product_url: hosts.and_then(|hosts| hosts.product(vended.product, organization.environment)),
            organization: Organization {
                id: &organization.zoho_id,
                name: &organization.name,
                environment: organization.environment.key(),
            },
            scopes: vended.scopes_granted.names(),
            warnings: vended.warnings.iter().map(|warning| warning.key()).collect(),
        }
    }
}

/// To the second, rounded down: a token is never told to live longer than it does.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
