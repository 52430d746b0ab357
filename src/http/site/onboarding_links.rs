//! `/tenants/{tenant}/onboarding-links`: the tenant's invitations, and making one. Its address is shown in the answer to
//! its form and never again, also when that form is sent once more.

mod asked;
mod form;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};

use self::asked::Asked;
use super::console_list::PAGE as ROWS;
use crate::{
    app::App,
    domain::{
        onboarding::{LinkState, Refusal},
        product::Product,
        secret::OnboardingToken,
    },
    http::{
        answers,
        form::Posted,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        tenant::TenantAdmin,
    },
    onboarding::{
        By,
        links::{self, make},
    },
    store::{
        audit_event::Actor,
        onboarding_link::listed::{ListedLink, list},
    },
};
pub(crate) use asked::Controls;
pub(super) use form::{Life, LinkProblem, LinkRequest, link_id};

#[derive(Template)]
#[template(path = "onboarding_links.html")]
pub(crate) struct OnboardingLinksPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) made: Option<Made>,
    pub(crate) controls: Controls,
    pub(crate) links: Vec<LinkRow>,
    pub(crate) next: Option<String>,
    pub(crate) form: LinkForm,
}

pub(crate) enum Made {
    /// Shown this once.
    Link { url: OnboardingToken, expires_at: Moment },
    /// The form was sent again.
    Before,
}

impl Made {
    /// And the status that tells it.
    pub(super) fn of(made: Option<links::Made>, now: DateTime<Utc>) -> (StatusCode, Self) {
        match made {
            Some(made) => {
                let expires_at = Moment::new(made.expires_at, now);
                (StatusCode::OK, Self::Link { url: made.url, expires_at })
            }
            None => (StatusCode::CONFLICT, Self::Before),
        }
    }
}

pub(crate) struct LinkRow {
    pub(crate) id: String,
    pub(crate) product: &'static str,
    /// Absent: a program, or somebody who has left.
    pub(crate) inviter: Option<Label>,
    /// Who has connected.
    pub(crate) person: Option<Label>,
    pub(crate) email_domain: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) state: LinkState,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) created_at: Moment,
    /// When it ends by itself, or has ended.
    pub(crate) ends_at: Moment,
    /// The connection that it asks to be reconnected.
    pub(crate) reconnects: Option<String>,
}

impl LinkRow {
    pub(crate) fn of(link: &ListedLink, now: DateTime<Utc>) -> Self {
        let ends_at = match link.state {
            LinkState::Consented => link.confirm_by.unwrap_or(link.expires_at),
            LinkState::Created | LinkState::Started => link.expires_at,
            _ => link.ended_at.unwrap_or(link.expires_at),
        };
        Self {
            id: link.onboarding_link_id.to_string(),
            product: link.product.key(),
            inviter: link.inviter.as_deref().map(Label::new),
            person: link.person.as_deref().filter(|_| link.connection_id.is_some()).map(Label::new),
            email_domain: link.expected_email_domain.clone(),
            organization: link.expected_organization.clone(),
            state: link.state,
            refusal: link.refusal,
            created_at: Moment::new(link.created_at, now),
            ends_at: Moment::new(ends_at, now),
            reconnects: link.reconnects.map(|id| id.to_string()),
        }
    }
}

/// "Invite somebody".
pub(crate) struct LinkForm {
    /// Where it is sent.
    pub(crate) action: String,
    pub(crate) nonce: String,
    /// Keys, with the one that was chosen.
    pub(crate) products: Vec<(&'static str, bool)>,
    pub(crate) scopes: String,
    pub(crate) email_domain: String,
    pub(crate) organization: String,
    pub(crate) return_url: String,
    /// Where a return address may lead; none are offered if there are none.
    pub(crate) origins: Vec<String>,
    pub(crate) lives: Vec<(Life, bool)>,
    pub(crate) problems: Vec<LinkProblem>,
}

/// The console's page.
const PAGE: &str = "onboarding-links";

impl LinkForm {
    pub(super) fn of(app: &App, action: String, request: &LinkRequest, problems: Vec<LinkProblem>) -> Self {
        let product = request.product.unwrap_or(app.config.login_product);
        Self {
            action,
            nonce: crate::domain::secret::random_token(),
            products: Product::ALL.into_iter().map(|known| (known.key(), known == product)).collect(),
            scopes: request.scopes.clone(),
            email_domain: request.email_domain.clone(),
            organization: request.organization.clone(),
            return_url: request.return_url.clone(),
            origins: app.config.return_origins.clone(),
            lives: Life::ALL.into_iter().map(|life| (life, life == request.life)).collect(),
            problems,
        }
    }

    pub(super) fn has(&self, problem: LinkProblem) -> bool {
        self.problems.contains(&problem)
    }

    /// The words, if that is a problem.
    pub(super) fn error<'a>(&self, problem: LinkProblem, words: &'a str) -> &'a str {
        if self.has(problem) { words } else { "" }
    }
}

impl OnboardingLinksPage {
    async fn of(
        app: &App,
        admin: &TenantAdmin,
        asked: &Asked,
        made: Option<Made>,
        form: LinkForm,
    ) -> Result<Self, Problem> {
        let (now, tenant_id, path) = (app.clock.shared_now(), admin.tenant.tenant_id, admin.path(PAGE));
        let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
        let mut links = list(&mut tx, tenant_id, asked.state, asked.after.as_ref(), i64::from(ROWS) + 1, now).await?;
        tx.commit().await?;
        let next = asked.cut(app, tenant_id, &path, &mut links);
        Ok(Self {
            shell: admin.shell(app, Place::OnboardingLinks),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            made,
            controls: asked.controls(&path),
            next,
            links: links.iter().map(|link| LinkRow::of(link, now)).collect(),
            form,
        })
    }
}

/// The administrator, as links know who does something.
pub(super) fn by(admin: &TenantAdmin) -> By {
    By {
        actor: Actor::Person(admin.member.person().person_id),
        request_id: Some(admin.member.request_id),
        peer: Some(admin.member.peer.clone()),
    }
}

/// `GET /tenants/{tenant}/onboarding-links`
pub(crate) async fn get_onboarding_links(
    app: web::Data<App>,
    admin: TenantAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&app, admin.tenant.tenant_id, request.query_string())?;
    let form = LinkForm::of(&app, admin.path(PAGE), &LinkRequest::default(), Vec::new());
    let page = OnboardingLinksPage::of(&app, &admin, &asked, None, form).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/onboarding-links`: answers with the address in place of a redirect, because nothing
/// keeps it that could be redirected to.
pub(crate) async fn post_onboarding_links(
    app: web::Data<App>,
    Posted(admin, request): Posted<TenantAdmin, LinkRequest>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&request.form_token())?;
    let wanted = match request.parse(&app) {
        Ok(wanted) => wanted,
        Err(problems) => {
            let form = LinkForm::of(&app, admin.path(PAGE), &request, problems);
            let page = OnboardingLinksPage::of(&app, &admin, &Asked::default(), None, form).await?;
            return Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?));
        }
    };
    let by = by(&admin);
    let tx = app.pools.begin_as_tenant(admin.tenant.tenant_id).await?;
    let id = link_id(&request.nonce, admin.tenant.tenant_id, admin.member.person().person_id);
    let made = make(&app, tx, admin.tenant.tenant_id, id, &wanted, &by).await?;
    let (status, made) = Made::of(made, app.clock.shared_now());
    let form = LinkForm::of(&app, admin.path(PAGE), &LinkRequest::default(), Vec::new());
    let page = OnboardingLinksPage::of(&app, &admin, &Asked::default(), Some(made), form).await?;
    Ok(answers::with_page(page::respond(status, &page)?))
}

#[cfg(test)]
pub(super) mod samples;
