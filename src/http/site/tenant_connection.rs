//! `/tenants/{tenant}/connections/{id}`: anybody's connection as an administrator of its tenant sees it: how it fares, who
//! used it with which key, and what has happened since the consent.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use super::{
    connection::{Event, Revocation, ScopeStanding},
    onboarding_links::Made,
    parts::{Health, Reason, Standing},
    reconnect_link::Offer,
    seen_connection::SeenConnection,
    test_call,
};
use crate::{
    app::App,
    domain::{ids::ConnectionId, secret::FormToken, test_outcome::TestOutcome},
    http::{
        form::Posted,
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    store::{
        connection::{self, of_tenant},
        person::Person,
    },
};

#[derive(Template)]
#[template(path = "tenant_connection.html")]
pub(crate) struct TenantConnectionPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) seen: SeenConnection,
    /// Asking its person to reconnect it, where that would help.
    pub(crate) offer: Option<Offer>,
    /// The link that was asked for.
    pub(crate) made: Option<Made>,
}

/// The tenant's connection of that id; another tenant's does not exist (security.md S-41).
pub(crate) async fn connection_of(
    app: &App,
    admin: &TenantAdmin,
    id: &str,
) -> Result<(connection::Connection, Option<Person>), Problem> {
    let connection_id: ConnectionId = id.parse().map_err(|_| Problem::NOT_FOUND)?;
    let tenant_id = admin.tenant.tenant_id;
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let found = of_tenant::find(&mut tx, tenant_id, connection_id).await?;
    tx.commit().await?;
    found.ok_or(Problem::NOT_FOUND)
}

/// `GET /tenants/{tenant}/connections/{id}`
pub(crate) async fn get_connection(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (_, id) = path.into_inner();
    let (connection, person) = connection_of(&app, &admin, &id).await?;
    let page = TenantConnectionPage::of(&app, &admin, &connection, person.as_ref()).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

impl TenantConnectionPage {
    pub(crate) async fn of(
        app: &App,
        admin: &TenantAdmin,
        connection: &connection::Connection,
        person: Option<&Person>,
    ) -> Result<Self, Problem> {
        let mut tx = app.pools.begin_as_tenant(connection.tenant_id).await?;
        let seen = SeenConnection::read(app, &mut tx, connection, person).await?;
        tx.commit().await?;
        Ok(Self {
            shell: admin.shell(app, Place::TenantConnections),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            seen,
            offer: Offer::of(connection, person),
            made: None,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestForm {
    #[serde(default)]
    csrf: String,
}

/// `POST /tenants/{tenant}/connections/{id}/test`: one harmless call, told on the page and in the history.
pub(crate) async fn post_test(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, TestForm>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let (_, id) = path.into_inner();
    let (connection, _) = connection_of(&app, &admin, &id).await?;
    test_call::test(&app, &admin.member, connection.tenant_id, connection.connection_id).await?;
    Ok(see_other(&admin.path(&format!("connections/{}", connection.connection_id))))
}

#[cfg(test)]
mod samples;
