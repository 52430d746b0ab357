//! `GET /connections` and `GET /connections/{id}`.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    backend::{Backend, ConnectionsRead},
    cursor::List,
    parameters::Parameters,
    refusals::{Refused, RefusedOrUnknown},
    schema::{Connection, ConnectionList},
};
use crate::{
    app::App,
    domain::{connection::Status, ids::ConnectionId, organization::ZohoOrganizationId, product::Product},
    http::problem::Problem,
    store::{
        connection::listed::{Filter, PersonName, list},
        tenant,
    },
};

const DEFAULT_LIMIT: i64 = 50;
const MOST: i64 = 200;

/// Lists connections.
///
/// In a stable order, page after page. A tenant that is not there, or not the key's, has none.
#[utoipa::path(
    get, path = "/connections", tag = "connections", security(("api_key" = ["connections:read"])),
    params(
        ("tenant" = Option<String>, Query, description = "Our id, your `external_id` or the slug; narrows what the key sees"),
        ("product" = Option<Product>, Query),
        ("organization" = Option<String>, Query, description = "Zoho's id"),
        ("person" = Option<String>, Query, description = "Our id, or data centre and ZUID: `eu:795000000`"),
        ("status" = Option<Status>, Query),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 200, description = "50 unless given"),
        ("cursor" = Option<String>, Query, description = "What `next` said, with the same filters and a key of the same tenant"),
    ),
    responses((status = 200, description = "A page of them", body = ConnectionList), Refused),
)]
pub(crate) async fn list_connections(
    app: web::Data<App>,
    backend: Backend<ConnectionsRead>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&app, &backend, request.query_string())?;
    let mut tx = backend.begin(&app).await?;
    let mut filter = asked.filter;
    filter.tenant_id = backend.tenant_id;
    if let Some(name) = &asked.tenant {
        let named = tenant::find_by_any_name(&mut *tx, name).await?;
        // A tenant that is not there, or not this key's, has no connections.
        let Some(named) = named.filter(|named| backend.tenant_id.is_none_or(|own| own == *named)) else {
            return Ok(HttpResponse::Ok().json(ConnectionList { connections: Vec::new(), next: None }));
        };
        filter.tenant_id = Some(named);
    }
    // One more tells whether there is another page.
    let mut connections = list(&mut tx, &filter, asked.after, asked.limit + 1).await?;
    tx.commit().await?;
    let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let has_more = connections.len() > limit;
    connections.truncate(limit);
    let next = connections.last().filter(|_| has_more);
    let next = next.map(|last| asked.list.seal(&app.keys, (last.tenant_id, last.connection_id)));
    let connections = connections.into_iter().map(Connection::from).collect();
    Ok(HttpResponse::Ok().json(ConnectionList { connections, next }))
}

/// Gets a connection.
///
/// Another tenant's id and an invented one are the same 404.
#[utoipa::path(
    get, path = "/connections/{id}", tag = "connections", security(("api_key" = ["connections:read"])),
    params(("id" = String, Path, format = "uuid", description = "The connection's id")),
    responses((status = 200, description = "The connection", body = Connection), RefusedOrUnknown),
)]
pub(crate) async fn get_connection(
    app: web::Data<App>,
    backend: Backend<ConnectionsRead>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Parameters::read(request.query_string()).finish()?;
    let connection_id: ConnectionId = id.parse().map_err(|_| Problem::NOT_FOUND)?;
    let filter = Filter { tenant_id: backend.tenant_id, connection_id: Some(connection_id), ..Filter::default() };
    let mut tx = backend.begin(&app).await?;
    let found = list(&mut tx, &filter, None, 1).await?;
    tx.commit().await?;
    let connection = found.into_iter().next().ok_or(Problem::NOT_FOUND)?;
    Ok(HttpResponse::Ok().json(Connection::from(connection)))
}

/// A list as it was asked for.
#[derive(Debug)]
struct Asked {
    tenant: Option<String>,
    filter: Filter,
    limit: i64,
    after: Option<(crate::domain::ids::TenantId, ConnectionId)>,
    list: List,
}

impl Asked {
    fn read(app: &App, backend: &Backend<ConnectionsRead>, query: &str) -> Result<Self, Problem> {
        let mut parameters = Parameters::read(query);
        let tenant = parameters.take("tenant", plain_text);
        let filter = Filter {
            product: parameters.take("product", Product::from_str),
            organization: parameters.take("organization", ZohoOrganizationId::from_str),
            person: parameters.take("person", person),
            status: parameters.take("status", status),
            ..Filter::default()
        };
        let limit = parameters.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
        let list = List::new(backend.tenant_id, &format!("{tenant:?} {filter:?}"));
        let after = parameters.take("cursor", |cursor| list.open(&app.keys, cursor));
        parameters.finish()?;
        Ok(Self { tenant, filter, limit, after, list })
    }
}

/// Postgres refuses U+0000 in text (security.md D-14).
pub(super) fn plain_text(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) { Err("must hold no control characters") } else { Ok(text.to_owned()) }
}

pub(super) fn person(text: &str) -> Result<PersonName, &'static str> {
    let id = text.parse().map(PersonName::Id).ok();
    id.or_else(|| text.parse().map(PersonName::Key).ok()).ok_or("must be our id, or like eu:795000000")
}

fn status(text: &str) -> Result<&'static str, &'static str> {
    Status::KEYS
        .into_iter()
        .find(|key| *key == text)
        .ok_or("must be one of choosing active needs_reconnect disconnected")
}

fn limit(text: &str) -> Result<i64, &'static str> {
    text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or("must be 1 to 200")
}
