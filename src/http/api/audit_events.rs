//! `GET /audit-events`.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};

use super::{
    backend::{AuditRead, Backend},
    cursor::List,
    paging::{Narrowed, Paging, narrow, plain_text},
    parameters::Parameters,
    refusals::Refused,
    schema::{AuditEvent, AuditEventList},
};
use crate::{
    app::App,
    domain::audit::{ActorFilter, OutcomeFilter, parse_action},
    http::problem::Problem,
    store::{
        audit_event::listed::{Filter, Page, Position, list},
        connection,
    },
};

/// Lists audit events.
///
/// What was done and what was refused, the newest first. A tenant that is not there, or not the key's, has none.
/// What is rare is looked for a stretch at a time: a page may hold fewer events than asked for, even none, while `next`
/// says where to look further.
#[utoipa::path(
    get, path = "/audit-events", tag = "audit", security(("api_key" = ["audit:read"])),
    params(
        ("tenant" = Option<String>, Query, description = "Our id, your `external_id` or the slug; narrows what the key sees"),
        ("action" = Option<String>, Query, description = "What was done, like `token_refused`"),
        ("actor" = Option<String>, Query, description = "Who did it: our id of the person, the id of a key, or `engine`"),
        ("connection" = Option<String>, Query, format = "uuid", description = "Those about this connection"),
        ("outcome" = Option<String>, Query, description = "`done`: it came to pass; `not_done`: refused, failed or left for later"),
        ("since" = Option<String>, Query, format = "date-time", description = "The first moment that counts"),
        ("until" = Option<String>, Query, format = "date-time", description = "The first moment that does not count any more"),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 200, description = "50 unless given"),
        ("cursor" = Option<String>, Query, description = "What `next` said, with the same filters and a key of the same tenant"),
    ),
    responses((status = 200, description = "A page of them", body = AuditEventList), Refused),
)]
pub(crate) async fn list_audit_events(
    app: web::Data<App>,
    backend: Backend<AuditRead>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::read(request.query_string());
    let tenant = parameters.take("tenant", plain_text);
    let mut filter = Filter {
        tenant_id: None,
        action: parameters.take("action", parse_action),
        actor: parameters.take("actor", ActorFilter::from_str),
        connection_id: parameters.take("connection", |id| id.parse().map_err(|_| "must be an id")),
        outcome: parameters.take("outcome", OutcomeFilter::from_str),
        since: parameters.take("since", moment),
        until: parameters.take("until", moment),
    };
    let of = List::new("audit_events", backend.tenant_id, &format!("{tenant:?} {filter:?}"));
    let paging = Paging::read(&mut parameters, &app.keys, of, Position::from_text);
    parameters.finish()?;
    let mut tx = backend.begin(&app).await?;
    let page = match narrow(&mut tx, backend.tenant_id, tenant.as_deref()).await? {
        Narrowed::To(tenant_id) => {
            filter.tenant_id = match (tenant_id, filter.connection_id) {
                // Every index but that of time is led by the tenant.
                (None, Some(connection_id)) => connection::tenant_of::find(&mut *tx, connection_id).await?,
                (tenant_id, _) => tenant_id,
            };
            list(&mut tx, &filter, paging.after, paging.limit()).await?
        }
        Narrowed::Nothing => Page { events: Vec::new(), next: None },
    };
    tx.commit().await?;
    let next = page.next.map(|next| paging.seal(&app.keys, &next.to_text()));
    let audit_events = page.events.into_iter().map(AuditEvent::from).collect();
    Ok(HttpResponse::Ok().json(AuditEventList { audit_events, next }))
}

fn moment(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let read = DateTime::parse_from_rfc3339(text);
    read.map(|at| at.with_timezone(&Utc)).map_err(|_| "must be a time as in RFC 3339: 2026-11-21T10:00:00Z")
}
