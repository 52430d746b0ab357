//! `GET` and `POST /connections`, `GET` and `DELETE /connections/{id}`.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use super::{
    backend::{Backend, ConnectionsRead, ConnectionsWrite},
    body,
    cursor::{List, pair},
    paging::{Narrowed, Paging, narrow, plain_text},
    parameters::{Parameters, id_alone},
    refusals::{NotImported, Refused, RefusedOrUnknown},
    schema::{Connection, ConnectionList, Disconnected, Import},
};
use crate::{
    app::App,
    domain::{
        connection::Status,
        ids::{ConnectionId, TenantId},
        organization::ZohoOrganizationId,
        product::Product,
    },
    http::{
        caller::{peer, request_id},
        problem::Problem,
        tenant::check_not_suspended,
    },
    store::{
        audit_event::Actor,
        connection::listed::{Filter, ListedConnection, PersonName, list},
        tenant,
    },
    vault::{
        disconnect::{Disconnect, disconnect},
        import::{
            By,
            draft::{self, Defaults},
            import,
        },
    },
};

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
    let Asked { tenant, mut filter, paging } = Asked::read(&app, &backend, request.query_string())?;
    let mut tx = backend.begin(&app).await?;
    let connections = match narrow(&mut tx, backend.tenant_id, tenant.as_deref()).await? {
        Narrowed::To(tenant_id) => {
            filter.tenant_id = tenant_id;
            list(&mut tx, &filter, paging.after, paging.rows()).await?
        }
        Narrowed::Nothing => Vec::new(),
    };
    tx.commit().await?;
    let (connections, next) =
        paging.cut(&app.keys, connections, |last| format!("{} {}", last.tenant_id, last.connection_id));
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
) -> Result<HttpResponse, Problem> {
    let connection = find(&app, &backend, id_alone(&request)?).await?;
    Ok(HttpResponse::Ok().json(Connection::from(connection)))
}

/// Unknown and another tenant's are the same (security.md S-41).
async fn find<G>(app: &App, backend: &Backend<G>, connection_id: ConnectionId) -> Result<ListedConnection, Problem> {
    let filter = Filter { tenant_id: backend.tenant_id, connection_id: Some(connection_id), ..Filter::default() };
    let mut tx = backend.begin(app).await?;
    let mut found = list(&mut tx, &filter, None, 1).await?;
    tx.commit().await?;
    found.pop().ok_or(Problem::NOT_FOUND)
}

/// Imports a connection.
///
/// A token that Zoho granted elsewhere: the code of a self client, exchanged once, or a refresh token, proved by
/// one refresh. The same person, organization and product again is the same connection with the new token. A dead
/// code or token is `invalid-request`; so is an organization that Zoho does not list for the token, and a refresh
/// token of several organizations without one: `errors[]` names those it lists. A spent code of several is kept as
/// `choosing`. Without the profile scope `person` is null.
#[utoipa::path(
    post, path = "/connections", tag = "connections", security(("api_key" = ["connections:write"])),
    request_body = Import,
    responses(
        (status = 201, description = "Imported", body = Connection),
        (status = 200, description = "It existed, and has this token now", body = Connection),
        NotImported,
    ),
)]
pub(crate) async fn import_connection(
    app: web::Data<App>,
    backend: Backend<ConnectionsWrite>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    Parameters::read(request.query_string()).finish()?;
    let mut members = body::members(&request, payload).await?;
    let draft = draft::read(&mut members, &Defaults::default());
    let (tenant, wanted) = body::finish(members, draft)?;
    // As the key: it sees its own tenant, also where its slug is another one's `external_id`.
    let mut tx = backend.begin(&app).await?;
    let tenant_id = tenant::find_by_any_name(&mut *tx, &tenant).await?;
    tx.commit().await?;
    let tenant_id = tenant_id.filter(|named| backend.tenant_id.is_none_or(|own| own == *named));
    let by = By {
        actor: Actor::ApiKey(backend.api_key_id.clone()),
        request_id: Some(request_id(&request)),
        peer: Some(peer(&app, &request)),
    };
    let tenant_id = tenant_id.ok_or(Problem::NOT_FOUND)?;
    check_not_suspended(&app, tenant_id).await?;
    let imported = import(&app, tenant_id, wanted, by).await?;
    let connection = find(&app, &backend, imported.connection_id).await?;
    let status = if imported.existed { StatusCode::OK } else { StatusCode::CREATED };
    Ok(HttpResponse::build(status).json(Connection::from(connection)))
}

/// Disconnects a connection.
///
/// Unusable at once, on every replica within a second; its refresh token is revoked at Zoho, which is asked until it
/// confirms. Again is `already`.
#[utoipa::path(
    delete, path = "/connections/{id}", tag = "connections", security(("api_key" = ["connections:write"])),
    params(("id" = String, Path, format = "uuid", description = "The connection's id")),
    responses((status = 200, description = "It has ended", body = Disconnected), RefusedOrUnknown),
)]
pub(crate) async fn disconnect_connection(
    app: web::Data<App>,
    backend: Backend<ConnectionsWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let connection = find(&app, &backend, id_alone(&request)?).await?;
    // What has ended is told so, whatever became of its tenant.
    if connection.status != Status::Disconnected {
        check_not_suspended(&app, connection.tenant_id).await?;
    }
    let wanted = Disconnect {
        tenant_id: connection.tenant_id,
        connection_id: connection.connection_id,
        data_centre: connection.data_centre,
        actor: Actor::ApiKey(backend.api_key_id.clone()),
        request_id: request_id(&request),
        peer: peer(&app, &request),
    };
    let revoked = disconnect(&app, wanted).await?;
    Ok(HttpResponse::Ok().json(Disconnected::from(revoked)))
}

/// A list as it was asked for.
#[derive(Debug)]
struct Asked {
    tenant: Option<String>,
    filter: Filter,
    paging: Paging<(TenantId, ConnectionId)>,
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
        let list = List::new("connections", backend.tenant_id, &format!("{tenant:?} {filter:?}"));
        let paging = Paging::read(&mut parameters, &app.keys, list, pair);
        parameters.finish()?;
        Ok(Self { tenant, filter, paging })
    }
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
