//! `/tenants/{tenant}/webhooks`: where the tenant is told what happens, and adding such a place. Its secret
//! is shown in the answer to the form and never again, also when that form is sent once more.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};

use crate::{
    app::App,
    domain::{
        ids::WebhookEndpointId,
        secret::{FormToken, WebhookSecret},
        webhook::EventType,
        webhook_target::NoTarget,
    },
    http::{
        answers,
        form::{Posted, with_boxes},
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        tenant::TenantAdmin,
    },
    store::webhook_endpoint::{self, Endpoint},
    webhooks::endpoint::{self, MOST, WebhookError},
};

#[derive(Template)]
#[template(path = "webhooks.html")]
pub(crate) struct WebhooksPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) made: Option<Made>,
    pub(crate) endpoints: Vec<EndpointRow>,
    pub(crate) form: EndpointForm,
    /// Whether the sign-in is recent enough to change something.
    pub(crate) may_change: bool,
}

pub(crate) enum Made {
    /// Shown this once.
    Secret { id: String, url: Label, secret: WebhookSecret },
    /// The form was sent again.
    Before,
}

pub(crate) struct EndpointRow {
    pub(crate) id: String,
    pub(crate) url: Label,
    /// `connection.connected` and so on
    pub(crate) events: Vec<String>,
    pub(crate) state: EndpointState,
    pub(crate) pending: i64,
    pub(crate) dead: i64,
    pub(crate) created_at: Moment,
    pub(crate) last_delivered_at: Option<Moment>,
    pub(crate) previous_secret_until: Option<Moment>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointState {
    On,
    /// Something was given up.
    Troubled,
    Off,
    /// The receiver answered 410.
    Gone,
}

impl EndpointRow {
    pub(crate) fn of(endpoint: &Endpoint, now: DateTime<Utc>) -> Self {
        let state = match (endpoint.disabled_reason.as_deref(), endpoint.dead) {
            (None, 0) => EndpointState::On,
            (None, _) => EndpointState::Troubled,
            (Some("gone"), _) => EndpointState::Gone,
            (Some(_), _) => EndpointState::Off,
        };
        let overlap = endpoint.previous_secret_until.filter(|until| *until > now);
        Self {
            id: endpoint.webhook_endpoint_id.to_string(),
            url: Label::new(&endpoint.url),
            events: endpoint.event_types.clone(),
            state,
            pending: endpoint.pending,
            dead: endpoint.dead,
            created_at: Moment::new(endpoint.created_at, now),
            last_delivered_at: endpoint.last_delivered_at.map(|at| Moment::new(at, now)),
            previous_secret_until: overlap.map(|until| Moment::new(until, now)),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self.state, EndpointState::On | EndpointState::Troubled)
    }
}

/// "Add an endpoint": `POST /tenants/{tenant}/webhooks`.
pub(crate) struct EndpointForm {
    /// That of the endpoint to be made.
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) events: Vec<EventBox>,
    pub(crate) problems: Vec<EndpointProblem>,
}

pub(crate) struct EventBox {
    pub(crate) key: &'static str,
    pub(crate) checked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointProblem {
    Url(NoTarget),
    EventsMissing,
    TooMany,
}

impl EndpointForm {
    fn of(request: &EndpointRequest, problems: Vec<EndpointProblem>) -> Self {
        let events = EventType::WANTED.into_iter();
        Self {
            id: WebhookEndpointId::new().to_string(),
            url: request.url.clone(),
            events: events
                .map(|event| EventBox { key: event.key(), checked: request.events.contains(&event) })
                .collect(),
            problems,
        }
    }

    fn blank() -> Self {
        let (csrf, url) = Default::default();
        Self::of(&EndpointRequest { csrf, id: WebhookEndpointId::new(), url, events: EventType::unasked() }, Vec::new())
    }

    fn url_problem(&self) -> Option<NoTarget> {
        self.problems.iter().find_map(|problem| if let EndpointProblem::Url(why) = problem { Some(*why) } else { None })
    }

    fn has(&self, problem: EndpointProblem) -> bool {
        self.problems.contains(&problem)
    }
}

/// What the form said.
struct EndpointRequest {
    csrf: String,
    id: WebhookEndpointId,
    url: String,
    events: Vec<EventType>,
}

impl EndpointRequest {
    fn parse(fields: Vec<(String, String)>) -> Result<Self, Problem> {
        let ([csrf, id, url], events) = with_boxes(fields, ["csrf", "id", "url"], "event")?;
        let id = id.map_or_else(|| Ok(WebhookEndpointId::new()), |id| id.parse().map_err(|_| Problem::INVALID))?;
        Ok(Self { csrf: csrf.unwrap_or_default(), id, url: url.unwrap_or_default().trim().to_owned(), events })
    }
}

impl WebhooksPage {
    async fn of(app: &App, admin: &TenantAdmin, made: Option<Made>, form: EndpointForm) -> Result<Self, Problem> {
        let now = app.clock.shared_now();
        let tenant_id = admin.tenant.tenant_id;
        let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
        let endpoints = webhook_endpoint::list(&mut *tx, Some(tenant_id), None, None, MOST).await?;
        tx.commit().await?;
        Ok(Self {
            shell: admin.shell(app, Place::Webhooks),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            made,
            endpoints: endpoints.iter().map(|endpoint| EndpointRow::of(endpoint, now)).collect(),
            form,
            may_change: admin.member.signed_in_recently(app),
        })
    }
}

/// `GET /tenants/{tenant}/webhooks`
pub(crate) async fn get_webhooks(app: web::Data<App>, admin: TenantAdmin) -> Result<HttpResponse, Problem> {
    let page = WebhooksPage::of(&app, &admin, None, EndpointForm::blank()).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/webhooks`: answers with the secret in place of a redirect, because nothing keeps
/// it that could be redirected to.
pub(crate) async fn post_webhooks(
    app: web::Data<App>,
    Posted(admin, fields): Posted<TenantAdmin, Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let request = EndpointRequest::parse(fields)?;
    admin.member.check(&FormToken::new(request.csrf.as_str()))?;
    admin.check_recent_sign_in(&app, "webhooks")?;
    let made = if request.events.is_empty() {
        Err(EndpointProblem::EventsMissing)
    } else {
        let tenant_id = Some(admin.tenant.tenant_id);
        match endpoint::create(&app, &admin.change().into(), request.id, tenant_id, &request.url, &request.events).await
        {
            Ok(made) => Ok(Made::Secret {
                id: made.endpoint.webhook_endpoint_id.to_string(),
                url: Label::new(&made.endpoint.url),
                secret: made.secret,
            }),
            Err(WebhookError::MadeBefore) => Ok(Made::Before),
            Err(WebhookError::Target(why)) => Err(EndpointProblem::Url(why)),
            Err(WebhookError::TooMany) => Err(EndpointProblem::TooMany),
            Err(error) => return Err(error.into()),
        }
    };
    let (status, made, form) = match made {
        Ok(made @ Made::Secret { .. }) => (StatusCode::OK, Some(made), EndpointForm::blank()),
        Ok(made @ Made::Before) => (StatusCode::CONFLICT, Some(made), EndpointForm::blank()),
        Err(problem) => (StatusCode::BAD_REQUEST, None, EndpointForm::of(&request, vec![problem])),
    };
    let page = WebhooksPage::of(&app, &admin, made, form).await?;
    Ok(answers::with_page(page::respond(status, &page)?))
}

#[cfg(test)]
mod samples;
