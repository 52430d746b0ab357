//! `/tenants/{tenant}/webhooks`: where the tenant is told what happens, and adding such a place. Its secret
//! is shown in the answer to the form and never again, also when that form is sent once more.

mod form;

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};

use crate::{
    app::App,
    domain::{ids::WebhookEndpointId, secret::WebhookSecret, webhook_target::NoTarget},
    http::{
        answers,
        form::Posted,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        tenant::TenantAdmin,
    },
    store::{
        console_list::Counted,
        webhook_endpoint::{self, Endpoint},
    },
    webhooks::endpoint::{self, MOST, WebhookError},
};
pub(super) use form::EndpointRequest;
pub(crate) use form::{EndpointForm, EndpointProblem};

#[derive(Template)]
#[template(path = "webhooks.html")]
pub(crate) struct WebhooksPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) made: Option<Made>,
    pub(crate) endpoints: Vec<EndpointRow>,
    /// "Add an endpoint", with the id of the one to be made.
    pub(crate) form: EndpointForm,
    pub(crate) new_id: String,
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
    pub(crate) pending: Counted,
    pub(crate) dead: Counted,
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
            pending: Counted::of(endpoint.pending),
            dead: Counted::of(endpoint.dead),
            created_at: Moment::new(endpoint.created_at, now),
            last_delivered_at: endpoint.last_delivered_at.map(|at| Moment::new(at, now)),
            previous_secret_until: overlap.map(|until| Moment::new(until, now)),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self.state, EndpointState::On | EndpointState::Troubled)
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
            new_id: WebhookEndpointId::new().to_string(),
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
    let (request, id) = EndpointRequest::parse_new(fields)?;
    admin.member.check(&request.csrf)?;
    admin.check_recent_sign_in(&app, "webhooks")?;
    let made = if request.events.is_empty() {
        Err(EndpointProblem::EventsMissing)
    } else {
        let tenant_id = Some(admin.tenant.tenant_id);
        match endpoint::create(&app, &admin.change().into(), id, tenant_id, &request.url, &request.events).await {
            Ok(made) => Ok(Made::Secret {
                id: made.endpoint.webhook_endpoint_id.to_string(),
                url: Label::new(&made.endpoint.url),
                secret: made.secret,
            }),
            Err(WebhookError::MadeBefore) => Ok(Made::Before),
            Err(error) => Err(EndpointProblem::of(error)?),
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
