//! `/tenants/{tenant}/audit`: who did what in a tenant, when, from where, and how it ended; also what was refused.

pub(crate) mod asked;
#[cfg(test)]
mod samples;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};

use self::asked::{Asked, Controls, Whom};
use super::{
    console_list::{PAGE, PIECE},
    csv,
};
use crate::{
    app::App,
    domain::audit::came_to_pass,
    http::{
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        tenant::TenantAdmin,
    },
    store::{
        api_key,
        audit_event::listed::{Listed, ListedActor, list},
        membership,
    },
};

#[derive(Template)]
#[template(path = "audit.html")]
pub(crate) struct AuditPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) controls: Controls,
    pub(crate) rows: Vec<AuditRow>,
    /// The address of the next page.
    pub(crate) next: Option<String>,
    /// There was no time to fill the page: so far, what fits was looked for.
    pub(crate) looked_back_to: Option<Moment>,
}

pub(crate) struct AuditRow {
    pub(crate) at: Moment,
    pub(crate) who: Who,
    pub(crate) action: String,
    pub(crate) is_done: bool,
    pub(crate) outcome: String,
    pub(crate) connection: Option<AboutConnection>,
    pub(crate) peer: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) detail: Option<String>,
}

/// Whoever did it.
pub(crate) struct Who {
    /// `person`, `api_key`, `engine`, …
    pub(crate) kind: String,
    pub(crate) name: Option<Label>,
    pub(crate) email: Option<Label>,
    pub(crate) id: Option<String>,
    /// The address that shows what else they did.
    pub(crate) only: Option<String>,
}

pub(crate) struct AboutConnection {
    pub(crate) id: String,
    /// Absent: it is gone.
    pub(crate) product: Option<&'static str>,
    pub(crate) organization: Option<Label>,
}

impl AuditRow {
    fn of(listed: Listed, asked: &Asked, path: &str, now: DateTime<Utc>) -> Self {
        Self {
            at: Moment::new(listed.at, now),
            who: Who::of(listed.actor, asked, path),
            action: listed.action,
            is_done: came_to_pass(&listed.outcome),
            outcome: listed.outcome,
            connection: listed.connection.map(|connection| AboutConnection {
                id: connection.connection_id.to_string(),
                product: connection.product.map(crate::domain::product::Product::key),
                organization: connection.organization.as_deref().filter(|name| !name.is_empty()).map(Label::new),
            }),
            peer: listed.peer,
            request_id: listed.request_id.map(|id| id.to_string()),
            detail: listed.detail,
        }
    }
}

impl Who {
    fn of(actor: ListedActor, asked: &Asked, path: &str) -> Self {
        let filter = actor.id.as_deref().and_then(|id| id.parse().ok());
        Self {
            kind: actor.kind,
            name: actor.name.as_deref().map(Label::new),
            email: actor.email.as_deref().map(Label::new),
            only: filter.map(|filter| asked.by(filter).at(path)),
            id: actor.id,
        }
    }
}

/// `GET /tenants/{tenant}/audit`
pub(crate) async fn get_audit(
    app: web::Data<App>,
    admin: TenantAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant_id = admin.tenant.tenant_id;
    let asked = Asked::read(&app, tenant_id, request.query_string())?;
    let (now, path) = (app.clock.shared_now(), admin.path("audit"));
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let listed = list(&mut tx, &asked.filter(tenant_id), asked.before, usize::from(PAGE)).await?;
    let whom = Whom {
        members: membership::list_of_tenant(&mut *tx, tenant_id).await?,
        keys: api_key::list_of_tenant(&mut *tx, tenant_id, None, now).await?,
    };
    tx.commit().await?;
    let is_short = listed.events.len() < usize::from(PAGE);
    let page = AuditPage {
        shell: admin.shell(&app, Place::Audit),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        controls: asked.controls(&path, &whom),
        next: listed.next.map(|next| asked.from(&app, tenant_id, &path, next)),
        looked_back_to: listed.next.filter(|_| is_short).map(|next| Moment::new(next.at(), now)),
        rows: listed.events.into_iter().map(|listed| AuditRow::of(listed, &asked, &path, now)).collect(),
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

const COLUMNS: [&str; 13] = [
    "at",
    "actor_kind",
    "actor_id",
    "actor",
    "email",
    "action",
    "outcome",
    "connection_id",
    "product",
    "organization",
    "peer",
    "request_id",
    "detail",
];

/// `GET /tenants/{tenant}/audit/csv`: all that the filters leave, whatever the page.
pub(crate) async fn get_audit_csv(
    app: web::Data<App>,
    admin: TenantAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant_id = admin.tenant.tenant_id;
    let filter = Asked::read(&app, tenant_id, request.query_string())?.filter(tenant_id);
    Ok(csv::respond("audit", csv::line(&COLUMNS), None, move |before| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
            let listed = list(&mut tx, &filter, before, usize::from(PIECE)).await?;
            tx.commit().await?;
            Ok((listed.events.into_iter().map(csv_line).collect(), listed.next.map(Some)))
        }
    }))
}

fn csv_line(listed: Listed) -> String {
    let (actor, connection) = (listed.actor, listed.connection.as_ref());
    csv::line(&[
        listed.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        actor.kind,
        actor.id.unwrap_or_default(),
        actor.name.unwrap_or_default(),
        actor.email.unwrap_or_default(),
        listed.action,
        listed.outcome,
        connection.map(|connection| connection.connection_id.to_string()).unwrap_or_default(),
        connection
            .and_then(|connection| connection.product)
            .map(|product| product.key().to_owned())
            .unwrap_or_default(),
        connection.and_then(|connection| connection.organization.clone()).unwrap_or_default(),
        listed.peer.unwrap_or_default(),
        listed.request_id.map(|id| id.to_string()).unwrap_or_default(),
        listed.detail.unwrap_or_default(),
    ])
}
