//! `/webhook-deliveries`: what endpoints were told, and are yet to be told.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    backend::{Backend, WebhooksWrite},
    cursor::List,
    paging::Paging,
    parameters::{Parameters, id_alone},
    refusals::{Refused, RefusedOrUnknown},
    schema::{WebhookDelivery, WebhookDeliveryList},
};
use crate::{
    app::App,
    domain::webhook::DeliveryStatus,
    http::problem::Problem,
    store::webhook_delivery::listed::{Filter, list},
    webhooks::endpoint,
};

/// Lists webhook deliveries.
///
/// The newest first.
#[utoipa::path(
    get, path = "/webhook-deliveries", tag = "deliveries", security(("api_key" = ["webhooks:write"])),
    params(
        ("webhook_endpoint" = Option<String>, Query, format = "uuid", description = "Those for this endpoint"),
        ("connection" = Option<String>, Query, format = "uuid", description = "Those about this connection"),
        ("status" = Option<DeliveryStatus>, Query),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 200, description = "50 unless given"),
        ("cursor" = Option<String>, Query, description = "What `next` said, with the same filters and a key of the same tenant"),
    ),
    responses((status = 200, description = "A page of them", body = WebhookDeliveryList), Refused),
)]
pub(crate) async fn list_webhook_deliveries(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::read(request.query_string());
    let filter = Filter {
        tenant_id: backend.tenant_id,
        webhook_endpoint_id: parameters.take("webhook_endpoint", id),
        connection_id: parameters.take("connection", id),
        status: parameters.take("status", DeliveryStatus::from_str),
        ..Filter::default()
    };
    let of = List::new("webhook_deliveries", backend.tenant_id, &format!("{filter:?}"));
    let paging = Paging::read(&mut parameters, &app.keys, of, |text| text.parse().ok());
    parameters.finish()?;
    let mut tx = backend.begin(&app).await?;
    let deliveries = list(&mut *tx, &filter, paging.after, paging.rows()).await?;
    tx.commit().await?;
    let (deliveries, next) = paging.cut(&app.keys, deliveries, |last| last.sequence.to_string());
    let webhook_deliveries = deliveries.into_iter().map(WebhookDelivery::from).collect();
    Ok(HttpResponse::Ok().json(WebhookDeliveryList { webhook_deliveries, next }))
}

/// Delivers once more.
///
/// Under the same `webhook-id`, tried for another day; of its connection, later events that are still pending wait
/// for it.
#[utoipa::path(
    post, path = "/webhook-deliveries/{id}/redeliver", tag = "deliveries", security(("api_key" = ["webhooks:write"])),
    params(("id" = String, Path, format = "uuid", description = "The delivery's id")),
    responses((status = 202, description = "It is on its way", body = WebhookDelivery), RefusedOrUnknown),
)]
pub(crate) async fn redeliver_webhook(
    app: web::Data<App>,
    backend: Backend<WebhooksWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let delivery = endpoint::redeliver(&app, &backend.by(&app, &request), id_alone(&request)?).await?;
    Ok(HttpResponse::Accepted().json(WebhookDelivery::from(delivery)))
}

fn id<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "must be an id")
}
