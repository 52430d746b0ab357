//! `/webhook-endpoints`: where somebody wants to be told.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    backend::{Backend, WebhooksWrite},
    body,
    cursor::List,
    paging::{Narrowed, Paging, narrow, plain_text},
    parameters::{Parameters, id_alone},
    refusals::{Refused, RefusedOrUnknown},
    schema::{ChangedWebhookEndpoint, NewWebhookEndpoint, WebhookEndpoint, WebhookEndpointList, WebhookTest},
};
use crate::{
    app::App,
    domain::{
        ids::WebhookEndpointId,
        members::{Members, plain},
        webhook::EventType,
    },
    http::{
        caller::{peer, request_id},
        problem::Problem,
    },
    store::{audit_event::Actor, webhook_endpoint},
    webhooks::endpoint::{self, By, Wanted},
};

impl Backend<WebhooksWrite> {
    pub(super) fn by(&self, app: &App, request: &HttpRequest) -> By {
        By {
            tenant_id: self.tenant_id,
            actor: Actor::ApiKey(self.api_key_id.clone()),
            request_id: request_id(request),
            peer: peer(app, request),
        }
    }
}

/// Lists webhook endpoints.
#[utoipa::path(
    get, path = "/webhook-endpoints", tag = "webhooks", security(("api_key" = ["webhooks:write"])),
    params(
        ("tenant" = Option<String>, Query, description = "Our id, your `external_id` or the slug; narrows what the key sees"),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 200, description = "50 unless given"),
        ("cursor" = Option<String>, Query, description = "What `next` said, with the same filters and a key of the same tenant"),
    ),
    responses((status = 200, description = "A page of them", body = WebhookEndpointList), Refused),
)]
pub(crate) async fn list_webhook_endpoints(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::read(request.query_string());
    let tenant = parameters.take("tenant", plain_text);
    let of = List::new("webhook_endpoints", backend.tenant_id, &format!("{tenant:?}"));
    let paging = Paging::read(&mut parameters, &app.keys, of, |text| text.parse().ok());
    parameters.finish()?;
    let mut tx = backend.begin(&app).await?;
    let endpoints = match narrow(&mut tx, backend.tenant_id, tenant.as_deref()).await? {
        Narrowed::To(tenant_id) => {
            webhook_endpoint::list(&mut *tx, tenant_id, None, paging.after, paging.rows()).await?
        }
        Narrowed::Nothing => Vec::new(),
    };
    tx.commit().await?;
    let (endpoints, next) = paging.cut(&app.keys, endpoints, |last| last.webhook_endpoint_id.to_string());
    let webhook_endpoints = endpoints.into_iter().map(WebhookEndpoint::from).collect();
    Ok(HttpResponse::Ok().json(WebhookEndpointList { webhook_endpoints, next }))
}

/// Creates a webhook endpoint.
///
/// It is told of its tenant; without one, a key of all tenants makes one that is told of every tenant. The secret is
/// in this answer and in no other.
#[utoipa::path(
    post, path = "/webhook-endpoints", tag = "webhooks", security(("api_key" = ["webhooks:write"])),
    request_body = NewWebhookEndpoint,
    responses((status = 201, description = "Created, with its secret", body = WebhookEndpoint), RefusedOrUnknown),
)]
pub(crate) async fn create_webhook_endpoint(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    Parameters::read(request.query_string()).finish()?;
    let mut members = body::members(&request, payload).await?;
    let url = members.need("url", plain);
    let event_types = events(&mut members);
    let tenant = members.take("tenant", plain);
    let (url, event_types) = body::finish(members, url.map(|url| (url, event_types)))?;
    let mut tx = backend.begin(&app).await?;
    let narrowed = narrow(&mut tx, backend.tenant_id, tenant.as_deref()).await?;
    tx.commit().await?;
    let Narrowed::To(tenant_id) = narrowed else { return Err(Problem::NOT_FOUND) };
    let event_types = event_types.unwrap_or_else(EventType::unasked);
    let by = backend.by(&app, &request);
    let made = endpoint::create(&app, &by, WebhookEndpointId::new(), tenant_id, &url, &event_types).await?;
    Ok(HttpResponse::Created().json(WebhookEndpoint::showing(made.endpoint, &made.secret)))
}

/// Gets a webhook endpoint.
#[utoipa::path(
    get, path = "/webhook-endpoints/{id}", tag = "webhooks", security(("api_key" = ["webhooks:write"])),
    params(("id" = String, Path, format = "uuid", description = "The endpoint's id")),
    responses((status = 200, description = "The endpoint, without its secret", body = WebhookEndpoint), RefusedOrUnknown),
)]
pub(crate) async fn get_webhook_endpoint(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id: WebhookEndpointId = id_alone(&request)?;
    let mut tx = backend.begin(&app).await?;
    let found = webhook_endpoint::find(&mut *tx, backend.tenant_id, id).await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok().json(WebhookEndpoint::from(found.ok_or(Problem::NOT_FOUND)?)))
}

/// Changes a webhook endpoint.
#[utoipa::path(
    patch, path = "/webhook-endpoints/{id}", tag = "webhooks", security(("api_key" = ["webhooks:write"])),
    params(("id" = String, Path, format = "uuid", description = "The endpoint's id")),
    request_body = ChangedWebhookEndpoint,
    responses((status = 200, description = "As it is now", body = WebhookEndpoint), RefusedOrUnknown),
)]
pub(crate) async fn update_webhook_endpoint(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let id = id_alone(&request)?;
    let mut members = body::members(&request, payload).await?;
    let wanted = Wanted {
        url: members.take("url", plain),
        event_types: events(&mut members),
        enabled: members.take_flag("enabled"),
    };
    let wanted = body::finish(members, Some(wanted))?;
    let endpoint = endpoint::change(&app, &backend.by(&app, &request), id, &wanted).await?;
    Ok(HttpResponse::Ok().json(WebhookEndpoint::from(endpoint)))
}

/// Deletes a webhook endpoint.
///
/// With its deliveries; what is still pending is never sent.
#[utoipa::path(
    delete, path = "/webhook-endpoints/{id}", tag = "webhooks", security(("api_key" = ["webhooks:write"])),
    params(("id" = String, Path, format = "uuid", description = "The endpoint's id")),
    responses((status = 204, description = "It has ended"), RefusedOrUnknown),
)]
pub(crate) async fn delete_webhook_endpoint(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    endpoint::delete(&app, &backend.by(&app, &request), id_alone(&request)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Replaces the secret of a webhook endpoint.
///
/// The new secret is in this answer and in no other. For 24 hours deliveries carry a signature of each, so that both
/// verify.
#[utoipa::path(
    post, path = "/webhook-endpoints/{id}/rotate-secret", tag = "webhooks", security(("api_key" = ["webhooks:write"])),
    params(("id" = String, Path, format = "uuid", description = "The endpoint's id")),
    responses((status = 200, description = "The endpoint, with its new secret", body = WebhookEndpoint), RefusedOrUnknown),
)]
pub(crate) async fn rotate_webhook_secret(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let made = endpoint::rotate(&app, &backend.by(&app, &request), id_alone(&request)?).await?;
    Ok(HttpResponse::Ok().json(WebhookEndpoint::showing(made.endpoint, &made.secret)))
}

/// Sends a test event.
///
/// `webhook.test`, whatever the endpoint wants to be told; its delivery is listed like any other.
#[utoipa::path(
    post, path = "/webhook-endpoints/{id}/test", tag = "webhooks", security(("api_key" = ["webhooks:write"])),
    params(("id" = String, Path, format = "uuid", description = "The endpoint's id")),
    responses((status = 202, description = "It is on its way", body = WebhookTest), RefusedOrUnknown),
)]
pub(crate) async fn test_webhook_endpoint(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let event_id = endpoint::test(&app, &backend.by(&app, &request), id_alone(&request)?).await?;
    Ok(HttpResponse::Accepted().json(WebhookTest { event_id: event_id.to_string() }))
}

/// The types that are wanted; each once, in our order.
fn events(members: &mut Members) -> Option<Vec<EventType>> {
    let names = members.take_list("events")?;
    let mut event_types = Vec::new();
    for name in &names {
        match name.parse() {
            Ok(event_type) => event_types.push(event_type),
            Err(_) => members.add("events", "must be types of events that there are"),
        }
    }
    if names.is_empty() {
        members.add("events", "must not be empty");
    }
    event_types.sort_unstable();
    event_types.dedup();
    Some(event_types)
}
