//! `/onboarding/{token}`: who invites, to which tenant, what is asked for; after consent, who and what is about to be
//! connected, asked once more. Steps 2 and 4 of `onboarding`.
//!
//! Opening it changes nothing (security.md S-37, S-46). Once started, the link's id stands for its token, in the browser
//! that started it alone: no row and no log holds the token.

mod invitation;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use super::{
    connection::start_of,
    organization_choice::{Choice, ChoiceProblem, OrganizationOption, parse_choice},
    parts::AtStake,
    sign_in::begin_attempt,
};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        digest::digest,
        onboarding::LinkState,
        return_path::ReturnPath,
        secret::{BrowserToken, FormToken, random_token},
    },
    http::{
        add_cookie, answers,
        caller::Visitor,
        cookie,
        form::Posted,
        page::{self, Label, Moment, Shell},
        problem::Problem,
        see_other,
    },
    login::Begin,
    onboarding::{
        By,
        confirm::{ConfirmError, confirm},
        end::refuse,
        path as path_of,
        start::start,
    },
    store::{
        audit_event::Actor,
        login_attempt::Purpose,
        onboarding_link::{OnboardingLink, find_started},
    },
};
pub(super) use invitation::Invitation;

/// Before it is started, or where another browser has started it.
#[derive(Template)]
#[template(path = "onboarding.html")]
pub(crate) struct OnboardingPage {
    pub(crate) shell: Shell,
    /// Where the form goes.
    pub(crate) path: String,
    pub(crate) tenant: Label,
    /// Absent: a program of the tenant's.
    pub(crate) inviter: Option<Label>,
    pub(crate) product: &'static str,
    /// What is to be reconnected, where it is not about something new.
    pub(crate) reconnects: Option<ReconnectedHere>,
    /// Every scope that will be asked for.
    pub(crate) scopes: Vec<String>,
    pub(crate) expected_email_domain: Option<String>,
    pub(crate) expires_at: Moment,
    /// Whether a client for China is configured: Zoho runs it apart, and its flow must start there.
    pub(crate) china: bool,
    /// What the consent of the person who is signed in would cost.
    pub(crate) at_stake: Option<AtStake>,
    pub(crate) limit: u32,
    pub(crate) turn: Turn,
}

pub(crate) struct ReconnectedHere {
    pub(crate) organization: Label,
    /// The address of the only person who can.
    pub(crate) email: Label,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    First,
    /// This browser has begun before and has not finished.
    Again,
    /// Another browser has begun.
    Elsewhere,
}

/// After consent: who and what is about to be connected.
#[derive(Template)]
#[template(path = "onboarding_confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) shell: Shell,
    pub(crate) path: String,
    pub(crate) tenant: Label,
    pub(crate) product: &'static str,
    pub(crate) name: Label,
    pub(crate) email: Label,
    pub(crate) data_centre: &'static str,
    /// The only organization there is; otherwise the person says which.
    pub(crate) only: Option<OrganizationOption>,
    pub(crate) choice: Choice,
    pub(crate) confirm_by: Moment,
    pub(crate) problems: Vec<ChoiceProblem>,
}

impl ConfirmPage {
    /// Above ten, a list wants a search.
    const SEARCH_ABOVE: usize = 10;

    fn problem(&self, field: &str) -> Option<ChoiceProblem> {
        self.problems.iter().copied().find(|problem| problem.field() == field)
    }
}

/// What is no invitation any more, and why.
#[derive(Template)]
#[template(path = "onboarding_ended.html")]
pub(crate) struct EndedPage {
    pub(crate) shell: Shell,
    pub(crate) tenant: Label,
    pub(crate) end: Ended,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Used,
    Expired,
    Withdrawn,
    /// The tenant is, until whoever runs the site resumes it.
    Suspended,
    /// By the person.
    Refused,
    /// Told to the browser of the person who consented, and to no other.
    WrongDomain(String),
    WrongOrganization(String),
}

/// `GET /onboarding/{token}`
pub(crate) async fn get_onboarding(
    app: web::Data<App>,
    visitor: Visitor,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let invitation = Invitation::find(&app, &request, &name).await?;
    if let Some(answer) = invitation.suspended(&app, &visitor) {
        return answer;
    }
    invitation.show(&app, &visitor, Vec::new()).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnboardingForm {
    csrf: Option<String>,
    step: Step,
    /// `cn`: the account is in China.
    data_centre: Option<String>,
    organization: Option<String>,
    name: Option<String>,
    environment: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Start,
    Confirm,
    /// Not this account, or not this organization.
    Refuse,
}

/// `POST /onboarding/{token}`: whoever is not signed in has no form token; that the form is ours holds for
/// everybody (security.md S-38).
pub(crate) async fn post_onboarding(
    app: web::Data<App>,
    request: HttpRequest,
    name: web::Path<String>,
    Posted(visitor, form): Posted<Visitor, OnboardingForm>,
) -> Result<HttpResponse, Problem> {
    if visitor.session.is_some() && !visitor.accepts(&FormToken::new(form.csrf.as_deref().unwrap_or_default())) {
        return Err(Problem::FormExpired);
    }
    let invitation = Invitation::find(&app, &request, &name).await?;
    // What was granted may be refused all the same: then it is withdrawn at Zoho at once.
    if let Some(answer) = invitation.suspended(&app, &visitor)
        && !matches!(form.step, Step::Refuse)
    {
        return answer;
    }
    match form.step {
        Step::Start => post_start(&app, &visitor, &request, invitation, form.data_centre.as_deref()).await,
        Step::Confirm => post_confirm(&app, &visitor, invitation, &form).await,
        Step::Refuse => post_refuse(&app, &visitor, invitation).await,
    }
}

async fn post_start(
    app: &App,
    visitor: &Visitor,
    request: &HttpRequest,
    invitation: Invitation,
    data_centre: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let link = &invitation.link;
    let state = link.state(app.clock.shared_now());
    if state == LinkState::Consented && invitation.is_ours() {
        return Ok(see_other(&path_of(link.onboarding_link_id)));
    }
    let token = cookie::browser(app, request).unwrap_or_else(|| BrowserToken::new(random_token()));
    let browser = digest(token.expose().as_bytes());
    let begin = begin(app, visitor, link, data_centre)?;
    let is_open = matches!(state, LinkState::Created | LinkState::Started);
    if !is_open || !start(app, link, &browser, &by(visitor, None)).await? {
        let invitation = invitation.again(app).await?;
        return invitation.refuse_start(app, visitor).await;
    }
    let mut answer = begin_attempt(app, request, begin)?;
    add_cookie(&mut answer, &cookie::set_browser(app, &token));
    Ok(answer)
}

fn begin(app: &App, visitor: &Visitor, link: &OnboardingLink, data_centre: Option<&str>) -> Result<Begin, Problem> {
    let home = match (data_centre, &visitor.session) {
        (Some("cn"), _) if app.config.zoho.starts_at_cn() => DataCentre::Cn,
        (None | Some(""), _) if link.reconnects.is_some() => {
            start_of(app, link.reconnects.as_ref().map_or(app.config.zoho.home, |known| known.data_centre))?
        }
        (None | Some(""), Some(session)) => start_of(app, session.person.data_centre)?,
        (None | Some(""), None) => app.config.zoho.home,
        (Some(_), _) => return Err(Problem::INVALID),
    };
    Ok(Begin {
        purpose: Purpose::Onboarding {
            tenant_id: link.tenant_id,
            onboarding_link_id: link.onboarding_link_id,
            person_id: visitor.session.as_ref().map(|session| session.person.person_id),
        },
        lineage: visitor.session.as_ref().map(|session| session.lineage),
        product: Some(link.product),
        extra_scopes: link.scopes.clone(),
        offline: true,
        data_centre: home,
        return_path: ReturnPath::default_page(),
    })
}

async fn post_confirm(
    app: &App,
    visitor: &Visitor,
    invitation: Invitation,
    form: &OnboardingForm,
) -> Result<HttpResponse, Problem> {
    let id = invitation.link.onboarding_link_id;
    let done = format!("{}/done", path_of(id));
    let Some(browser) = invitation.browser else { return invitation.refuse_confirm(app, visitor).await };
    let said = form.organization.as_deref().filter(|organization| !organization.is_empty());
    let choice = said.map(|said| parse_choice(said, form.name.as_deref(), form.environment.as_deref())).transpose();
    let choice = match choice {
        Ok(choice) => choice,
        Err(problems) => return invitation.show(app, visitor, problems).await,
    };
    let again = |problem| vec![problem];
    match confirm(app, id, &browser, choice, &visitor.visit()).await {
        Ok(session) => {
            let mut answer = see_other(&done);
            if let Some(token) = session {
                add_cookie(&mut answer, &cookie::set_session(app, &token));
            }
            Ok(answer)
        }
        // A double tap: the other one was faster.
        Err(ConfirmError::NothingWaits) => {
            let invitation = invitation.again(app).await?;
            if invitation.is_ours() && invitation.link.connection_id.is_some() {
                return Ok(see_other(&done));
            }
            invitation.refuse_confirm(app, visitor).await
        }
        Err(ConfirmError::NotChosen) => invitation.show(app, visitor, again(ChoiceProblem::OrganizationMissing)).await,
        Err(ConfirmError::NotListed) => invitation.show(app, visitor, again(ChoiceProblem::OrganizationUnknown)).await,
        Err(error) => Err(error.into()),
    }
}

async fn post_refuse(app: &App, visitor: &Visitor, invitation: Invitation) -> Result<HttpResponse, Problem> {
    let id = invitation.link.onboarding_link_id;
    let person = invitation.link.person.as_ref().map(|person| Actor::Person(person.person_id));
    if let Some(browser) = &invitation.browser
        && refuse(app, id, browser, &by(visitor, person)).await?
    {
        return Ok(see_other(&path_of(id)));
    }
    invitation.again(app).await?.refuse_confirm(app, visitor).await
}

/// The page of the invitation that this browser has begun to answer.
pub(super) async fn under_way(app: &App, request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(token) = cookie::browser(app, request) else { return Ok(None) };
    let browser = digest(token.expose().as_bytes());
    let found = find_started(app.pools.engine(), &browser, app.clock.shared_now()).await?;
    Ok(found.map(path_of))
}

fn by(visitor: &Visitor, known: Option<Actor>) -> By {
    let signed_in = visitor.session.as_ref().map(|session| Actor::Person(session.person.person_id));
    By {
        actor: signed_in.or(known).unwrap_or(Actor::Visitor),
        request_id: Some(visitor.request_id),
        peer: Some(visitor.peer.clone()),
    }
}

/// An answer that refuses, with its page.
fn refusal(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Problem> {
    Ok(answers::with_page(page::respond(status, page)?))
}

#[cfg(test)]
mod samples;
