//! `/operator/connections/{id}`: one connection of any tenant, as whoever is asked for help needs to see it. It is to be
//! read; what can be done about it is the business of its person and its tenant.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    connection::{Event, Revocation, ScopeStanding},
    parts::{Health, Reason, Standing},
    seen_connection::SeenConnection,
};
use crate::{
    app::App,
    domain::{ids::ConnectionId, test_outcome::TestOutcome},
    http::{
        operator::Operator,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
    },
    store::{
        connection::{Connection, of_tenant},
        operator::connection::{Engine, find_engine},
    },
};

#[derive(Template)]
#[template(path = "operator_connection.html")]
pub(crate) struct OperatorConnectionPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    /// `active`, `suspended` and so on
    pub(crate) tenant_standing: &'static str,
    pub(crate) seen: SeenConnection,
    pub(crate) client_id: String,
    pub(crate) renewal: Renewal,
}

/// How the refresh engine fares with it.
pub(crate) struct Renewal {
    /// Its client came with it; otherwise the client is this site's.
    pub(crate) has_own_client: bool,
    pub(crate) failures: i32,
    /// Nobody asks Zoho before.
    pub(crate) not_before: Option<Moment>,
    /// When it is renewed unasked.
    pub(crate) due_at: Option<Moment>,
    pub(crate) dead_since: Option<Moment>,
    pub(crate) is_under_way: bool,
    /// Of `budget` in ten minutes.
    pub(crate) calls: i64,
    pub(crate) budget: u32,
}

impl Renewal {
    fn of(app: &App, connection: &Connection, engine: &Engine, now: DateTime<Utc>) -> Self {
        let moment = |at| Moment::new(at, now);
        Self {
            has_own_client: engine.has_own_client,
            failures: engine.refresh_failures,
            not_before: connection.retry_at.filter(|at| *at > now).map(moment),
            due_at: engine.refresh_at.map(moment),
            dead_since: engine.dead_since.map(moment),
            is_under_way: engine.lease_until.is_some_and(|until| until > now),
            calls: engine.calls,
            budget: app.config.refreshes_per_10_minutes,
        }
    }
}

/// `GET /operator/connections/{id}`
pub(crate) async fn get_connection(
    app: web::Data<App>,
    operator: Operator,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ConnectionId = id.parse().map_err(|_| Problem::NOT_FOUND)?;
    let now = app.clock.shared_now();
    let (mut tx, tenant) = operator.look_at_connection(&app, "connection", id).await?;
    let found = of_tenant::find(&mut tx, tenant.tenant_id, id).await?;
    let (connection, person) = found.ok_or(Problem::NOT_FOUND)?;
    let seen = SeenConnection::read(&app, &mut tx, &connection, person.as_ref()).await?;
    let engine = find_engine(&mut tx, tenant.tenant_id, id, now).await?.ok_or(Problem::NOT_FOUND)?;
    tx.commit().await?;
    let page = OperatorConnectionPage {
        shell: operator.shell(&app, Place::OperatorConnections),
        tenant: Label::new(&tenant.name),
        tenant_standing: tenant.standing().key(),
        slug: tenant.slug,
        seen,
        renewal: Renewal::of(&app, &connection, &engine, now),
        client_id: connection.client_id,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[cfg(test)]
mod samples;
