//! `/connections`: mine, across my tenants, with what wants attention first.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{
    connection::{extra_scopes, start_of},
    parts::{AtStake, Health, Organization, Reason, RefreshTokens, Standing},
    sign_in::begin_attempt,
};
use crate::{
    app::App,
    domain::{
        connection::Status, organization::Environment, product::Product, return_path::ReturnPath, scope::ScopeSet,
        secret::FormToken, tenant::Role,
    },
    http::{
        answers,
        caller::Member,
        form::Posted,
        page::{self, Label, Moment, Place, Shell, TenantConsole},
        problem::Problem,
        tenant::check_not_suspended,
    },
    login::Begin,
    store::{
        connection::{self, Connection},
        login_attempt::Purpose,
        membership::{self, Membership},
        tenant,
    },
};

#[derive(Template)]
#[template(path = "connections.html")]
pub(crate) struct ConnectionsPage {
    pub(crate) shell: Shell,
    pub(crate) just_connected: Option<JustConnected>,
    pub(crate) attention: Vec<Attention>,
    /// In the order to show them; the person's tenants that have no connection are left out.
    pub(crate) tenants: Vec<TenantConnections>,
    pub(crate) connect: ConnectForm,
    /// The tenants whose programs the person may give keys to.
    pub(crate) consoles: Vec<TenantConsole>,
}

impl ConnectionsPage {
    fn count(&self) -> usize {
        self.tenants.iter().map(|tenant| tenant.connections.len()).sum()
    }
}

pub(crate) struct TenantConnections {
    pub(crate) slug: String,
    pub(crate) name: Label,
    /// `owner`, `admin` or `member`
    pub(crate) role: &'static str,
    pub(crate) connections: Vec<ConnectionRow>,
    pub(crate) is_suspended: bool,
}

pub(crate) struct ConnectionRow {
    pub(crate) id: String,
    pub(crate) product: &'static str,
    /// None while it is to be chosen.
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    pub(crate) standing: Standing,
    pub(crate) connected_at: Moment,
    pub(crate) last_refreshed_at: Option<Moment>,
}

/// What the sign-in that has just ended brought about.
pub(crate) struct JustConnected {
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    pub(crate) tenant: Label,
    /// The scopes that Zoho granted.
    pub(crate) scopes: Vec<String>,
}

pub(crate) enum Attention {
    NeedsReconnect {
        id: String,
        product: &'static str,
        organization: Option<Organization>,
        reason: Reason,
    },
    Choosing {
        id: String,
        product: &'static str,
    },
    ScopesMissing {
        id: String,
        product: &'static str,
        organization: Option<Organization>,
        scopes: Vec<String>,
    },
    NearLimit {
        data_centre: &'static str,
        tokens: RefreshTokens,
        /// Named when the next consent would cost a connection its token.
        at_stake: Option<AtStake>,
    },
}

/// "Connect another": `POST /connections`.
pub(crate) struct ConnectForm {
    /// The tenants that may receive access; one is named, several are offered. The person always has one.
    pub(crate) tenants: Vec<TenantOption>,
    /// Keys of the products offered in the person's data centre.
    pub(crate) products: Vec<&'static str>,
    pub(crate) problem: Option<ConnectProblem>,
}

impl ConnectForm {
    fn has(&self, problem: ConnectProblem) -> bool {
        self.problem == Some(problem)
    }

    /// The words, if that is the problem.
    fn error<'a>(&self, problem: ConnectProblem, words: &'a str) -> &'a str {
        if self.has(problem) { words } else { "" }
    }
}

pub(crate) struct TenantOption {
    /// What the form sends.
    pub(crate) value: String,
    pub(crate) name: Label,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectProblem {
    ProductMissing,
    ScopesMalformed,
}

/// For so long a new connection is announced at the top.
const JUST_NOW: TimeDelta = TimeDelta::minutes(2);

/// `GET /connections`
pub(crate) async fn get_connections(app: web::Data<App>, member: Member) -> Result<HttpResponse, Problem> {
    let page = ConnectionsPage::of(&app, &member, None).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

impl ConnectionsPage {
    async fn of(app: &App, member: &Member, problem: Option<ConnectProblem>) -> Result<Self, Problem> {
        let now = app.clock.shared_now();
        let person = member.person();
        let connections = connection::list_of_person(app.pools.engine(), person.person_id, None).await?;
        let memberships = membership::list_of_person(app.pools.engine(), person.person_id).await?;
        let tokens = RefreshTokens::of(app, person, app.config.zoho.client_id(person.data_centre)).await?;
        let mut attention: Vec<_> = connections.iter().filter_map(Attention::of).collect();
        if tokens.near_limit {
            let at_stake = AtStake::of(app, person).await?.map(|(_, stake)| stake);
            attention.push(Attention::NearLimit { data_centre: person.data_centre.key(), tokens, at_stake });
        }
        let offered = app.config.zoho.servers.hosts(person.data_centre);
        let offers =
            |product: &Product| offered.is_some_and(|hosts| hosts.product(*product, Environment::Production).is_some());
        Ok(Self {
            shell: member.shell(app, Place::Connections),
            just_connected: JustConnected::of(&connections, now),
            attention,
            tenants: by_tenant(&memberships, &connections, now),
            connect: ConnectForm {
                tenants: memberships
                    .iter()
                    .filter(|membership| !membership.is_suspended)
                    .map(|membership| TenantOption {
                        value: membership.tenant_slug.clone(),
                        name: Label::new(&membership.tenant_name),
                    })
                    .collect(),
                products: Product::ALL.into_iter().filter(offers).map(Product::key).collect(),
                problem,
            },
            consoles: memberships
                .iter()
                .filter(|membership| membership.role >= Role::Admin)
                .map(TenantConsole::of)
                .collect(),
        })
    }
}

fn by_tenant(memberships: &[Membership], connections: &[Connection], now: DateTime<Utc>) -> Vec<TenantConnections> {
    let rows = |membership: &Membership| -> Vec<ConnectionRow> {
        connections
            .iter()
            .filter(|connection| connection.tenant_id == membership.tenant_id)
            .map(|connection| ConnectionRow {
                id: connection.connection_id.to_string(),
                product: connection.product.key(),
                organization: connection.organization.as_ref().map(Organization::of),
                data_centre: connection.data_centre.key(),
                standing: Standing::of(connection, now),
                connected_at: Moment::new(connection.connected_at, now),
                last_refreshed_at: connection.last_refreshed_at.map(|at| Moment::new(at, now)),
            })
            .collect()
    };
    memberships
        .iter()
        .map(|membership| TenantConnections {
            slug: membership.tenant_slug.clone(),
            name: Label::new(&membership.tenant_name),
            role: membership.role.key(),
            connections: rows(membership),
            is_suspended: membership.is_suspended,
        })
        .filter(|tenant| !tenant.connections.is_empty() || tenant.is_suspended)
        .collect()
}

impl JustConnected {
    fn of(connections: &[Connection], now: DateTime<Utc>) -> Option<Self> {
        let newest = connections
            .iter()
            .filter(|connection| connection.status == Status::Active && now - connection.consented_at < JUST_NOW)
            .max_by_key(|connection| connection.consented_at)?;
        Some(Self {
            id: newest.connection_id.to_string(),
            product: newest.product.key(),
            organization: newest.organization.as_ref().map(Organization::of),
            tenant: Label::new(&newest.tenant_name),
            scopes: newest.scopes_granted.names().to_vec(),
        })
    }
}

impl Attention {
    fn of(connection: &Connection) -> Option<Self> {
        let id = connection.connection_id.to_string();
        let product = connection.product.key();
        let organization = connection.organization.as_ref().map(Organization::of);
        match connection.status {
            Status::NeedsReconnect(reason) => {
                Some(Self::NeedsReconnect { id, product, organization, reason: Reason::of(reason) })
            }
            Status::Choosing => Some(Self::Choosing { id, product }),
            Status::Disconnected => None,
            Status::Active => {
                let missing = connection.scopes_requested.missing_from(&connection.scopes_granted);
                let scopes = missing.names().to_vec();
                (!scopes.is_empty()).then_some(Self::ScopesMissing { id, product, organization, scopes })
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectRequest {
    #[serde(default)]
    csrf: String,
    product: Option<String>,
    tenant: Option<String>,
    scopes: Option<String>,
}

/// `POST /connections`: a signed-in person connects a product to a tenant of theirs.
pub(crate) async fn post_connections(
    app: web::Data<App>,
    request: HttpRequest,
    Posted(member, form): Posted<Member, ConnectRequest>,
) -> Result<HttpResponse, Problem> {
    member.check(&FormToken::new(form.csrf))?;
    let person = member.person();
    let refuse = async |problem| -> Result<HttpResponse, Problem> {
        let page = ConnectionsPage::of(&app, &member, Some(problem)).await?;
        Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?))
    };
    let Some(Ok(product)) = form.product.as_deref().map(str::parse::<Product>) else {
        return refuse(ConnectProblem::ProductMissing).await;
    };
    let scopes = form.scopes.unwrap_or_default().parse::<ScopeSet>().ok();
    let Some(extra_scopes) = scopes.and_then(|scopes| extra_scopes(&app, product, &scopes).ok()) else {
        return refuse(ConnectProblem::ScopesMalformed).await;
    };
    // No tenant stands in for one that is missing (security.md S-43).
    let name = form.tenant.ok_or(Problem::INVALID)?;
    let tenant_id = tenant::find_by_any_name(app.pools.engine(), &name).await?.ok_or(Problem::NOT_FOUND)?;
    membership::find(app.pools.engine(), tenant_id, person.person_id).await?.ok_or(Problem::NOT_FOUND)?;
    check_not_suspended(&app, tenant_id).await?;
    let begin = Begin {
        purpose: Purpose::Connect { tenant_id, person_id: person.person_id },
        lineage: Some(member.session.lineage),
        product: Some(product),
        extra_scopes,
        offline: true,
        data_centre: start_of(&app, person.data_centre)?,
        return_path: ReturnPath::default_page(),
    };
    begin_attempt(&app, &request, begin)
}

#[cfg(test)]
mod samples;
