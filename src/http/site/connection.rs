//! `/connections/{id}`: one connection, from consent to today, and what can be done with it.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

pub(crate) use history::{Event, HistoryEntry, Tested, just_tested};

use super::{
    organization_choice,
    parts::{AtStake, Health, Organization, Reason, RefreshTokens, Standing},
    sign_in::begin_attempt,
};
use crate::{
    app::App,
    domain::{
        connection::Status, data_centre::DataCentre, ids::ConnectionId, return_path::ReturnPath, scope::ScopeSet,
        secret::FormToken, test_outcome::TestOutcome,
    },
    http::{
        caller::Member,
        form::Posted,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        tenant::check_not_suspended,
    },
    login::{
        Begin,
        begin::{LONGEST_EXTRA_SCOPES, scopes_of},
    },
    store::{StoreError, audit_event, connection, login_attempt::Purpose, person::Person, revocation},
    vault::revoke::SHARED,
};

#[derive(Template)]
#[template(path = "connection.html")]
pub(crate) struct ConnectionPage {
    pub(crate) shell: Shell,
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    pub(crate) tenant: Label,
    pub(crate) person: SomebodyAtZoho,
    pub(crate) standing: Standing,
    pub(crate) scopes: Vec<ScopeLine>,
    pub(crate) connected_at: Moment,
    pub(crate) last_refreshed_at: Option<Moment>,
    pub(crate) last_used_at: Option<Moment>,
    /// The access token at hand; none before the first refresh and after the end.
    pub(crate) token: Option<TokenLife>,
    pub(crate) refresh_tokens: RefreshTokens,
    /// Named when reconnecting would cost another connection its refresh token.
    pub(crate) at_stake: Option<AtStake>,
    /// Where it is disconnected: what Zoho said to the revocation.
    pub(crate) receipt: Option<Receipt>,
    /// What a test call of the last minutes brought.
    pub(crate) tested: Option<Tested>,
    /// Newest first.
    pub(crate) history: Vec<HistoryEntry>,
}

impl ConnectionPage {
    fn is_missing_scopes(&self) -> bool {
        self.scopes.iter().any(|line| line.standing == ScopeStanding::Missing)
    }
}

pub(crate) struct SomebodyAtZoho {
    pub(crate) name: Label,
    pub(crate) email: Label,
    pub(crate) zuid: String,
}

pub(crate) struct ScopeLine {
    pub(crate) scope: String,
    pub(crate) standing: ScopeStanding,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeStanding {
    Granted,
    /// Asked for, not granted.
    Missing,
    /// Granted beyond what was asked for.
    Extra,
}

pub(crate) struct TokenLife {
    pub(crate) expires_at: Moment,
    /// Seconds it was to live when it was issued: the whole length of the bar.
    pub(crate) lifetime: i64,
}

pub(crate) struct Receipt {
    pub(crate) disconnected_at: Moment,
    pub(crate) revocation: Revocation,
}

#[derive(Clone, Copy)]
pub(crate) enum Revocation {
    /// Zoho confirmed.
    Yes { at: Moment },
    /// The token was dead at Zoho before.
    Already { at: Moment },
    /// Another connection lives by the same token, so that Zoho was not asked.
    Shared { at: Moment },
    /// Not yet confirmed, being retried.
    Pending { next_try_at: Option<Moment> },
}

/// A connection of the person's own, in a tenant where they are a member. Anybody else's is the
/// same as none (security.md S-41).
pub(crate) async fn own_connection(app: &App, member: &Member, id: &str) -> Result<connection::Connection, Problem> {
    let connection_id: ConnectionId = id.parse().map_err(|_| Problem::NOT_FOUND)?;
    let found = connection::list_of_person(app.pools.engine(), member.person().person_id, Some(connection_id)).await?;
    found.into_iter().next().ok_or(Problem::NOT_FOUND)
}

/// The same, for whoever is about to use it or to give it new access.
pub(crate) async fn own_working_connection(
    app: &App,
    member: &Member,
    id: &str,
) -> Result<connection::Connection, Problem> {
    let connection = own_connection(app, member, id).await?;
    check_not_suspended(app, connection.tenant_id).await?;
    Ok(connection)
}

#[derive(Debug, Deserialize)]
pub(crate) struct ConnectionQuery {
    return_to: Option<String>,
}

/// `GET /connections/{id}`
pub(crate) async fn get_connection(
    app: web::Data<App>,
    member: Member,
    id: web::Path<String>,
    query: web::Query<ConnectionQuery>,
) -> Result<HttpResponse, Problem> {
    let connection = own_connection(&app, &member, &id).await?;
    if connection.status == Status::Choosing {
        let return_to = query.return_to.as_deref().and_then(ReturnPath::parse);
        let page = organization_choice::page_of(&app, &member, &connection, return_to.as_ref(), Vec::new()).await?;
        return Ok(page::respond(StatusCode::OK, &page)?);
    }
    let page = ConnectionPage::of(&app, &member, &connection).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

impl ConnectionPage {
    async fn of(app: &App, member: &Member, connection: &connection::Connection) -> Result<Self, Problem> {
        let now = app.clock.shared_now();
        let (tenant_id, connection_id) = (connection.tenant_id, connection.connection_id);
        let person = member.person();
        let history = audit_event::list_of_connection(app.pools.engine(), tenant_id, connection_id).await?;
        let receipt = Receipt::find(app, connection, now).await?;
        let refresh_tokens = RefreshTokens::of(app, person, &connection.client_id).await?;
        Ok(Self {
            shell: member.shell(app, Place::Connections),
            id: connection_id.to_string(),
            product: connection.product.key(),
            organization: connection.organization.as_ref().map(Organization::of),
            data_centre: connection.data_centre.key(),
            tenant: Label::new(&connection.tenant_name),
            person: SomebodyAtZoho::of(person),
            standing: Standing::of(connection, now),
            scopes: scope_lines(&connection.scopes_requested, &connection.scopes_granted),
            connected_at: Moment::new(connection.connected_at, now),
            last_refreshed_at: connection.last_refreshed_at.map(|at| Moment::new(at, now)),
            last_used_at: connection.last_used_at.map(|at| Moment::new(at, now)),
            token: TokenLife::of(connection, now),
            at_stake: AtStake::of(app, person).await?.filter(|(id, _)| *id != connection_id).map(|(_, stake)| stake),
            refresh_tokens,
            receipt,
            tested: just_tested(&history, now),
            history: history.iter().filter_map(|entry| HistoryEntry::of(entry, now)).collect(),
        })
    }
}

impl SomebodyAtZoho {
    pub(crate) fn of(person: &Person) -> Self {
        Self { name: Label::new(&person.display_name), email: Label::new(&person.email), zuid: person.zuid.to_string() }
    }
}

impl TokenLife {
    pub(crate) fn of(connection: &connection::Connection, now: DateTime<Utc>) -> Option<Self> {
        connection.access_token_expires_at.map(|at| Self { expires_at: Moment::new(at, now), lifetime: 3600 })
    }
}

impl Receipt {
    /// Of a connection that has ended.
    pub(crate) async fn find(
        app: &App,
        connection: &connection::Connection,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(at) = connection.disconnected_at else { return Ok(None) };
        let receipt =
            revocation::find_receipt(app.pools.engine(), connection.tenant_id, connection.connection_id).await?;
        Ok(receipt
            .map(|receipt| Self { disconnected_at: Moment::new(at, now), revocation: Revocation::of(&receipt, now) }))
    }
}

impl Revocation {
    fn of(receipt: &revocation::Receipt, now: DateTime<Utc>) -> Self {
        match (receipt.outcome.as_deref(), receipt.done_at) {
            (Some(SHARED), Some(at)) => Self::Shared { at: Moment::new(at, now) },
            (Some("already"), Some(at)) => Self::Already { at: Moment::new(at, now) },
            (Some(_), Some(at)) => Self::Yes { at: Moment::new(at, now) },
            _ => Self::Pending { next_try_at: Some(Moment::new(receipt.due_at, now)) },
        }
    }
}

pub(crate) fn scope_lines(requested: &ScopeSet, granted: &ScopeSet) -> Vec<ScopeLine> {
    let line = |standing| move |scope: &String| ScopeLine { scope: scope.clone(), standing };
    let missing = requested.missing_from(granted);
    let asked = requested.names().iter().map(|scope| {
        let standing = if missing.covers(scope) { ScopeStanding::Missing } else { ScopeStanding::Granted };
        line(standing)(scope)
    });
    let extra = granted.missing_from(requested);
    asked.chain(extra.names().iter().map(line(ScopeStanding::Extra))).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReconnectForm {
    #[serde(default)]
    csrf: String,
    scopes: Option<String>,
}

/// `POST /connections/{id}/reconnect`: the same connection, a new consent.
pub(crate) async fn post_reconnect(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    Posted(member, form): Posted<Member, ReconnectForm>,
) -> Result<HttpResponse, Problem> {
    member.check(&FormToken::new(form.csrf))?;
    let connection = own_working_connection(&app, &member, &id).await?;
    // What was asked for before stays asked for.
    let mut scopes = connection.scopes_requested.clone();
    scopes.extend(&form.scopes.unwrap_or_default().parse().map_err(|_| Problem::INVALID)?);
    let begin = Begin {
        purpose: Purpose::Reconnect {
            tenant_id: connection.tenant_id,
            connection_id: connection.connection_id,
            person_id: member.person().person_id,
        },
        lineage: Some(member.session.lineage),
        product: Some(connection.product),
        extra_scopes: extra_scopes(&app, connection.product, &scopes)?,
        offline: true,
        data_centre: start_of(&app, connection.data_centre)?,
        return_path: ReturnPath::parse(&format!("/connections/{}", connection.connection_id))
            .unwrap_or_else(ReturnPath::default_page),
    };
    begin_attempt(&app, &request, begin)
}

/// Those of `scopes` that the product's settings do not ask for anyway.
pub(crate) fn extra_scopes(
    app: &App,
    product: crate::domain::product::Product,
    scopes: &ScopeSet,
) -> Result<ScopeSet, Problem> {
    let usual = scopes_of(app, Some(product), &ScopeSet::default());
    let extra = scopes.not_named_in(&usual);
    if extra.to_parameter().len() > LONGEST_EXTRA_SCOPES { Err(Problem::INVALID) } else { Ok(extra) }
}

/// Where a flow of that data centre's person starts: China stands apart, and may be switched off.
pub(crate) fn start_of(app: &App, data_centre: DataCentre) -> Result<DataCentre, Problem> {
    let zoho = &app.config.zoho;
    match data_centre {
        DataCentre::Cn if zoho.home != DataCentre::Cn && !zoho.starts_at_cn() => Err(Problem::INVALID),
        DataCentre::Cn => Ok(DataCentre::Cn),
        _ => Ok(zoho.home),
    }
}

mod history;
#[cfg(test)]
mod samples;
