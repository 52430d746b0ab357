//! `/tenants/{tenant}/connections/{id}`: anybody's connection as an administrator of its tenant sees it: how it fares, who
//! used it with which key, and what has happened since the consent.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::TimeDelta;
use serde::Deserialize;

use super::{
    connection::{
        Event, HistoryEntry, Receipt, Revocation, ScopeLine, ScopeStanding, SomebodyAtZoho, Tested, TokenLife,
        just_tested, scope_lines,
    },
    onboarding_links::Made,
    parts::{Health, Organization, Reason, RefreshTokens, Standing},
    plot::Plot,
    reconnect_link::Offer,
    test_call,
};
use crate::{
    app::App,
    domain::{ids::ConnectionId, secret::FormToken, test_outcome::TestOutcome},
    http::{
        form::Posted,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    store::{
        audit_event,
        connection::{self, of_tenant},
        person::Person,
        revocation, token_vend,
    },
};

/// Days that the plots go back.
const DAYS: i32 = 14;

#[derive(Template)]
#[template(path = "tenant_connection.html")]
pub(crate) struct TenantConnectionPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    /// Absent where an imported token does not tell.
    pub(crate) person: Option<SomebodyAtZoho>,
    pub(crate) standing: Standing,
    pub(crate) scopes: Vec<ScopeLine>,
    pub(crate) connected_at: Moment,
    pub(crate) last_refreshed_at: Option<Moment>,
    pub(crate) last_used_at: Option<Moment>,
    pub(crate) token: Option<TokenLife>,
    /// Of its person, for the client that it belongs to.
    pub(crate) refresh_tokens: Option<RefreshTokens>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) tested: Option<Tested>,
    pub(crate) history: Vec<HistoryEntry>,
    /// Who used it in these days, the latest first.
    pub(crate) keys: Vec<KeyUse>,
    pub(crate) uses: Plot,
    pub(crate) refreshes: Plot,
    pub(crate) failures: Plot,
    /// Asking its person to reconnect it, where that would help.
    pub(crate) offer: Option<Offer>,
    /// The link that was asked for.
    pub(crate) made: Option<Made>,
}

pub(crate) struct KeyUse {
    pub(crate) id: String,
    /// Absent for a key of the whole installation, or one that is gone.
    pub(crate) name: Option<Label>,
    pub(crate) vends: i64,
    pub(crate) calls: i64,
    pub(crate) last_at: Moment,
}

impl TenantConnectionPage {
    fn is_missing_scopes(&self) -> bool {
        self.scopes.iter().any(|line| line.standing == ScopeStanding::Missing)
    }
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
        let now = app.clock.shared_now();
        let (tenant_id, connection_id) = (connection.tenant_id, connection.connection_id);
        let since = now - TimeDelta::days(i64::from(DAYS));
        let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
        let history = audit_event::list_of_connection(&mut *tx, tenant_id, connection_id).await?;
        let keys = token_vend::list_by_key(&mut *tx, tenant_id, connection_id, since).await?;
        let days = token_vend::count_by_day(&mut *tx, tenant_id, connection_id, now, DAYS).await?;
        tx.commit().await?;
        let receipt = match connection.disconnected_at {
            Some(at) => revocation::find_receipt(app.pools.engine(), tenant_id, connection_id).await?.map(|receipt| {
                Receipt { disconnected_at: Moment::new(at, now), revocation: Revocation::of(&receipt, now) }
            }),
            None => None,
        };
        let refresh_tokens = match person {
            Some(person) => Some(RefreshTokens::of(app, person, &connection.client_id).await?),
            None => None,
        };
        let plot = |of: fn(&token_vend::Day) -> i64| Plot::of(&days.iter().map(of).collect::<Vec<_>>(), now);
        Ok(Self {
            shell: admin.shell(app, Place::TenantConnections),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            id: connection_id.to_string(),
            product: connection.product.key(),
            organization: connection.organization.as_ref().map(Organization::of),
            data_centre: connection.data_centre.key(),
            person: person.map(|person| SomebodyAtZoho {
                name: Label::new(&person.display_name),
                email: Label::new(&person.email),
                zuid: person.zuid.to_string(),
            }),
            standing: Standing::of(connection, now),
            scopes: scope_lines(&connection.scopes_requested, &connection.scopes_granted),
            connected_at: Moment::new(connection.connected_at, now),
            last_refreshed_at: connection.last_refreshed_at.map(|at| Moment::new(at, now)),
            last_used_at: connection.last_used_at.map(|at| Moment::new(at, now)),
            token: connection
                .access_token_expires_at
                .map(|at| TokenLife { expires_at: Moment::new(at, now), lifetime: 3600 }),
            refresh_tokens,
            receipt,
            tested: just_tested(&history, now),
            history: history.iter().filter_map(|entry| HistoryEntry::of(entry, now)).collect(),
            keys: keys
                .into_iter()
                .map(|key| KeyUse {
                    id: key.api_key_id,
                    name: key.name.as_deref().map(Label::new),
                    vends: key.vends,
                    calls: key.calls,
                    last_at: Moment::new(key.last_at, now),
                })
                .collect(),
            uses: plot(|day| day.uses),
            refreshes: plot(|day| day.refreshes),
            failures: plot(|day| day.failures),
            offer: Offer::of(connection, person),
            made: None,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestForm {
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
