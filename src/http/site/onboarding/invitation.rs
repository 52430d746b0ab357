//! A link as one browser sees it.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{ConfirmPage, Ended, EndedPage, OnboardingPage, ReconnectedHere, Turn, refusal};
use crate::{
    app::App,
    domain::{
        digest::{Digest, digest},
        ids::OnboardingLinkId,
        onboarding::{LinkState, Refusal},
        organization::{Environment, FoundOrganization},
        secret::OnboardingToken,
    },
    http::{
        caller::Visitor,
        cookie,
        page::{self, Label, Moment, Place},
        problem::Problem,
        site::{
            organization_choice::{Choice, ChoiceProblem, OrganizationOption},
            parts::AtStake,
        },
    },
    login::begin::scopes_of,
    onboarding::path as path_of,
    store::onboarding_link::{self, Named, OnboardingLink, Rested},
};

/// 32 bytes in base64url.
const TOKEN_LENGTH: usize = 43;

pub(in crate::http::site) struct Invitation {
    pub(in crate::http::site) link: OnboardingLink,
    /// The browser's cookie, as links know it.
    pub(in crate::http::site) browser: Option<Digest>,
    /// As the page was asked for.
    path: String,
}

impl Invitation {
    /// By the link's token; by its id only in the browser that started it.
    pub(in crate::http::site) async fn find(app: &App, request: &HttpRequest, name: &str) -> Result<Self, Problem> {
        let browser = cookie::browser(app, request).map(|token| digest(token.expose().as_bytes()));
        let named = match name.parse::<OnboardingLinkId>() {
            Ok(id) => Named::Id(id),
            Err(_) if name.len() == TOKEN_LENGTH => {
                Named::Token(digest(OnboardingToken::new(name).expose().as_bytes()))
            }
            Err(_) => return Err(Problem::NOT_FOUND),
        };
        let link = onboarding_link::find(app.pools.engine(), &named).await?.ok_or(Problem::NOT_FOUND)?;
        let found = Self { link, browser, path: format!("/onboarding/{name}") };
        if matches!(named, Named::Id(_)) && !found.is_ours() {
            return Err(Problem::NOT_FOUND);
        }
        Ok(found)
    }

    /// As it stands now.
    pub(super) async fn again(self, app: &App) -> Result<Self, Problem> {
        let named = Named::Id(self.link.onboarding_link_id);
        let link = onboarding_link::find(app.pools.engine(), &named).await?.ok_or(Problem::NOT_FOUND)?;
        Ok(Self { link, ..self })
    }

    /// Whether this browser started it.
    pub(in crate::http::site) fn is_ours(&self) -> bool {
        self.browser.as_ref().is_some_and(|browser| self.link.is_of(browser))
    }

    /// The page for where it stands; with problems, what was wrong with the last answer.
    pub(super) async fn show(
        &self,
        app: &App,
        visitor: &Visitor,
        problems: Vec<ChoiceProblem>,
    ) -> Result<HttpResponse, Problem> {
        let now = app.clock.shared_now();
        match self.link.state(now) {
            LinkState::Created => self.ask(app, visitor, Turn::First, StatusCode::OK).await,
            LinkState::Started if self.is_ours() => self.ask(app, visitor, Turn::Again, StatusCode::OK).await,
            LinkState::Started | LinkState::Consented if !self.is_ours() => {
                self.ask(app, visitor, Turn::Elsewhere, StatusCode::OK).await
            }
            LinkState::Consented => {
                let id = self.link.onboarding_link_id;
                match onboarding_link::find_rested(app.pools.engine(), id).await? {
                    Some(rested) => self.confirm(app, visitor, &rested, problems),
                    None => self.ended(app, visitor),
                }
            }
            _ => self.ended(app, visitor),
        }
    }

    /// Why it cannot be started here.
    pub(super) async fn refuse_start(&self, app: &App, visitor: &Visitor) -> Result<HttpResponse, Problem> {
        if self.link.state(app.clock.shared_now()).is_open() {
            return self.ask(app, visitor, Turn::Elsewhere, StatusCode::FORBIDDEN).await;
        }
        self.ended(app, visitor)
    }

    /// Why nothing is confirmed here: it is another browser's, has ended, or there was no consent yet.
    pub(super) async fn refuse_confirm(&self, app: &App, visitor: &Visitor) -> Result<HttpResponse, Problem> {
        match self.link.state(app.clock.shared_now()) {
            LinkState::Created => self.ask(app, visitor, Turn::First, StatusCode::BAD_REQUEST).await,
            LinkState::Started if self.is_ours() => self.ask(app, visitor, Turn::Again, StatusCode::BAD_REQUEST).await,
            LinkState::Started | LinkState::Consented => {
                self.ask(app, visitor, Turn::Elsewhere, StatusCode::FORBIDDEN).await
            }
            _ => self.ended(app, visitor),
        }
    }

    async fn ask(&self, app: &App, visitor: &Visitor, turn: Turn, status: StatusCode) -> Result<HttpResponse, Problem> {
        let link = &self.link;
        let at_stake = match &visitor.session {
            Some(session) => AtStake::of(app, &session.person).await?.map(|(_, stake)| stake),
            None => None,
        };
        let page = OnboardingPage {
            shell: visitor.shell(app, Place::Elsewhere),
            path: self.path.clone(),
            tenant: Label::new(&link.tenant_name),
            inviter: link.inviter.as_deref().map(Label::new),
            product: link.product.key(),
            reconnects: link.reconnects.as_ref().map(|reconnects| ReconnectedHere {
                organization: Label::new(&reconnects.organization.name),
                email: Label::new(&reconnects.email),
            }),
            scopes: scopes_of(app, Some(link.product), &link.scopes).names().to_vec(),
            expected_email_domain: link.expected_email_domain.as_ref().map(ToString::to_string),
            expires_at: Moment::new(link.expires_at, app.clock.shared_now()),
            china: app.config.zoho.starts_at_cn(),
            at_stake,
            limit: app.config.refresh_tokens_per_person,
            turn,
        };
        if status.is_success() { Ok(page::respond(status, &page)?) } else { refusal(status, &page) }
    }

    fn confirm(
        &self,
        app: &App,
        visitor: &Visitor,
        rested: &Rested,
        problems: Vec<ChoiceProblem>,
    ) -> Result<HttpResponse, Problem> {
        let (link, now) = (&self.link, app.clock.shared_now());
        let Some(person) = &link.person else { return self.ended(app, visitor) };
        let option = |found: &FoundOrganization| OrganizationOption {
            id: found.id.to_string(),
            name: Some(Label::new(&found.name)).filter(|_| found.name != found.id.as_str()),
            environment: rested.environment.map(Environment::key),
            is_connected: false,
        };
        let mut organizations: Vec<_> = rested.organizations.iter().map(option).collect();
        let only = if organizations.len() == 1 { organizations.pop() } else { None };
        let choice = if rested.organizations.is_empty() {
            Choice::Typed
        } else {
            Choice::Listed { organizations, asks_environment: rested.environment.is_none() }
        };
        let page = ConfirmPage {
            shell: visitor.shell(app, Place::Elsewhere),
            path: self.path.clone(),
            tenant: Label::new(&link.tenant_name),
            product: link.product.key(),
            name: Label::new(&person.display_name),
            email: Label::new(&person.email),
            data_centre: person.data_centre.key(),
            only,
            choice,
            confirm_by: Moment::new(link.confirm_by.unwrap_or(now), now),
            problems,
        };
        if page.problems.is_empty() {
            Ok(page::respond(StatusCode::OK, &page)?)
        } else {
            refusal(StatusCode::BAD_REQUEST, &page)
        }
    }

    /// 410; 403 for the browser of whoever was not the person it was made for.
    fn ended(&self, app: &App, visitor: &Visitor) -> Result<HttpResponse, Problem> {
        let link = &self.link;
        let expected = match link.refusal {
            Some(Refusal::EmailDomain) => {
                link.expected_email_domain.as_ref().map(|domain| Ended::WrongDomain(domain.to_string()))
            }
            Some(Refusal::Organization) => {
                link.expected_organization.as_ref().map(|id| Ended::WrongOrganization(id.to_string()))
            }
            Some(Refusal::Person) | None => None,
        };
        let (status, end) = match (link.state(app.clock.shared_now()), expected.filter(|_| self.is_ours())) {
            (LinkState::Refused, Some(wrong)) => (StatusCode::FORBIDDEN, wrong),
            (LinkState::Refused, None) => (StatusCode::GONE, Ended::Refused),
            (LinkState::Withdrawn, _) => (StatusCode::GONE, Ended::Withdrawn),
            (LinkState::Connected, _) => (StatusCode::GONE, Ended::Used),
            _ => (StatusCode::GONE, Ended::Expired),
        };
        let page =
            EndedPage { shell: visitor.shell(app, Place::Elsewhere), tenant: Label::new(&link.tenant_name), end };
        refusal(status, &page)
    }

    /// 410, where the tenant is suspended and the invitation would otherwise stand.
    pub(super) fn suspended(&self, app: &App, visitor: &Visitor) -> Option<Result<HttpResponse, Problem>> {
        let link = &self.link;
        let stands = link.tenant_is_suspended && link.state(app.clock.shared_now()).is_open();
        stands.then(|| {
            let (shell, tenant) = (visitor.shell(app, Place::Elsewhere), Label::new(&link.tenant_name));
            refusal(StatusCode::GONE, &EndedPage { shell, tenant, end: Ended::Suspended })
        })
    }

    /// Where this browser goes on.
    pub(in crate::http::site) fn path(&self) -> String {
        path_of(self.link.onboarding_link_id)
    }
}
