//! `/tenants/{tenant}/webhooks/{id}`: one endpoint, what it was sent and what waits; changing and testing it,
//! sending again, a new secret, switching it off and on.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::webhooks::{EndpointForm, EndpointProblem, EndpointRequest, EndpointRow, EndpointState};
use crate::{
    app::App,
    domain::{
        ids::{WebhookDeliveryId, WebhookEndpointId},
        secret::{FormToken, WebhookSecret},
        webhook::DeliveryStatus,
        webhook_target::NoTarget,
    },
    http::{
        answers,
        form::{Bare, Posted},
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    store::{
        webhook_delivery::listed::{Filter, ListedDelivery, list},
        webhook_endpoint,
    },
    webhooks::endpoint::{self, MOST, Wanted, WebhookError},
};

/// Deliveries on one page; one more is read, which tells whether there are older ones.
const ROWS: usize = 50;
const MOST_READ: i64 = 51;

#[derive(Template)]
#[template(path = "webhook.html")]
pub(crate) struct WebhookPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) endpoint: EndpointRow,
    /// Just made, and shown this once.
    pub(crate) secret: Option<WebhookSecret>,
    pub(crate) deliveries: Vec<DeliveryRow>,
    /// Where older ones begin.
    pub(crate) older: Option<i64>,
    /// This page does not begin with the newest.
    pub(crate) is_older: bool,
    /// "Change its address or what it is told of", as the endpoint stands or as it was filled in.
    pub(crate) form: EndpointForm,
    /// Whether the sign-in is recent enough to change something.
    pub(crate) may_change: bool,
}

pub(crate) struct DeliveryRow {
    pub(crate) id: String,
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) connection_id: Option<String>,
    pub(crate) status: DeliveryStatus,
    pub(crate) tries: i32,
    pub(crate) created_at: Moment,
    pub(crate) due_at: Option<Moment>,
    pub(crate) answer: Option<Answered>,
    pub(crate) duration_ms: Option<i32>,
    pub(crate) payload: String,
}

pub(crate) enum Answered {
    Status(i32),
    /// A word of ours: `timeout` and so on.
    Failure(String),
}

impl DeliveryRow {
    fn of(delivery: ListedDelivery, now: DateTime<Utc>) -> Self {
        let status = delivery.last_status_code.map(Answered::Status);
        Self {
            id: delivery.webhook_delivery_id.to_string(),
            event_id: delivery.event_id.to_string(),
            event_type: delivery.event_type,
            connection_id: delivery.connection_id.map(|id| id.to_string()),
            status: delivery.status,
            tries: delivery.tries,
            created_at: Moment::new(delivery.created_at, now),
            due_at: delivery.due_at.map(|at| Moment::new(at, now)),
            answer: status.or(delivery.last_failure.map(Answered::Failure)),
            duration_ms: delivery.last_duration_ms,
            payload: delivery.payload,
        }
    }
}

/// What the page shows beyond the endpoint as it stands.
#[derive(Default)]
struct Shown {
    secret: Option<WebhookSecret>,
    /// Filled in wrongly.
    form: Option<EndpointForm>,
    before: Option<i64>,
}

impl WebhookPage {
    async fn of(app: &App, admin: &TenantAdmin, id: WebhookEndpointId, shown: Shown) -> Result<Self, Problem> {
        let Shown { secret, form, before } = shown;
        let now = app.clock.shared_now();
        let tenant_id = Some(admin.tenant.tenant_id);
        let mut tx = app.pools.begin_as_tenant(admin.tenant.tenant_id).await?;
        let endpoint = webhook_endpoint::find(&mut *tx, tenant_id, id).await?.ok_or(Problem::NOT_FOUND)?;
        let filter = Filter { tenant_id, webhook_endpoint_id: Some(id), ..Filter::default() };
        let mut deliveries = list(&mut *tx, &filter, before, MOST_READ).await?;
        tx.commit().await?;
        let has_more = deliveries.len() > ROWS;
        deliveries.truncate(ROWS);
        Ok(Self {
            shell: admin.shell(app, Place::Webhooks),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            form: form.unwrap_or_else(|| EndpointForm::as_it_is(&endpoint.url, &endpoint.event_types)),
            endpoint: EndpointRow::of(&endpoint, now),
            secret,
            older: deliveries.last().filter(|_| has_more).map(|last| last.sequence),
            deliveries: deliveries.into_iter().map(|delivery| DeliveryRow::of(delivery, now)).collect(),
            is_older: before.is_some(),
            may_change: admin.member.signed_in_recently(app),
        })
    }
}

/// What is no id is nobody's.
pub(super) fn named(path: web::Path<(String, String)>) -> Result<WebhookEndpointId, Problem> {
    path.into_inner().1.parse().map_err(|_| Problem::NOT_FOUND)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Older {
    before: Option<i64>,
}

/// `GET /tenants/{tenant}/webhooks/{id}`
pub(crate) async fn get_webhook(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
    query: web::Query<Older>,
) -> Result<HttpResponse, Problem> {
    let page = WebhookPage::of(&app, &admin, named(path)?, Shown { before: query.before, ..Shown::default() }).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/webhooks/{id}`: another address, other events. Whoever may say where a tenant's news go has
/// signed in lately, as for adding an endpoint.
pub(crate) async fn post_webhook(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, fields): Posted<TenantAdmin, Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let request = EndpointRequest::parse(fields)?;
    admin.member.check(&request.csrf)?;
    let id = named(path)?;
    admin.check_recent_sign_in(&app, &format!("webhooks/{id}"))?;
    let changed = if request.events.is_empty() {
        Err(EndpointProblem::EventsMissing)
    } else {
        let (url, event_types) = (Some(request.url.clone()), Some(request.events.clone()));
        let wanted = Wanted { url, event_types, enabled: None };
        match endpoint::change(&app, &admin.change().into(), id, &wanted).await {
            Ok(_) => Ok(()),
            Err(error) => Err(EndpointProblem::of(error)?),
        }
    };
    let Err(problem) = changed else { return Ok(see_other(&admin.path(&format!("webhooks/{id}")))) };
    let form = Some(EndpointForm::of(&request, vec![problem]));
    let page = WebhookPage::of(&app, &admin, id, Shown { form, ..Shown::default() }).await?;
    Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?))
}

/// `POST …/test`
pub(crate) async fn post_test(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Bare>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let id = named(path)?;
    match endpoint::test(&app, &admin.change().into(), id).await {
        // Switched off in another tab: the page says so.
        Ok(_) | Err(WebhookError::Disabled) => Ok(see_other(&admin.path(&format!("webhooks/{id}")))),
        Err(error) => Err(error.into()),
    }
}

/// `POST …/secret`: answers with the secret in place of a redirect.
pub(crate) async fn post_secret(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Bare>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let id = named(path)?;
    admin.check_recent_sign_in(&app, &format!("webhooks/{id}"))?;
    let made = endpoint::rotate(&app, &admin.change().into(), id).await?;
    let page = WebhookPage::of(&app, &admin, id, Shown { secret: Some(made.secret), ..Shown::default() }).await?;
    Ok(answers::with_page(page::respond(StatusCode::OK, &page)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    #[serde(default)]
    csrf: String,
    enabled: bool,
}

/// `POST …/enabled`
pub(crate) async fn post_enabled(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Switch>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let id = named(path)?;
    let wanted = Wanted { enabled: Some(form.enabled), ..Wanted::default() };
    endpoint::change(&app, &admin.change().into(), id, &wanted).await?;
    Ok(see_other(&admin.path(&format!("webhooks/{id}"))))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    #[serde(default)]
    csrf: String,
    delivery: String,
}

/// `POST …/redeliver`
pub(crate) async fn post_redeliver(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Again>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let id = named(path)?;
    let delivery: WebhookDeliveryId = form.delivery.parse().map_err(|_| Problem::NOT_FOUND)?;
    match endpoint::redeliver(&app, &admin.change().into(), delivery).await {
        Ok(_) | Err(WebhookError::Disabled) => Ok(see_other(&admin.path(&format!("webhooks/{id}")))),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod samples;
