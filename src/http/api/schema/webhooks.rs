//! Where webhooks go, and what became of each.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{Tenant, time};
use crate::{
    domain::{
        secret::WebhookSecret,
        webhook::{DeliveryStatus, EventType},
    },
    store::{webhook_delivery::listed::ListedDelivery, webhook_endpoint},
};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookEndpointList {
    pub(crate) webhook_endpoints: Vec<WebhookEndpoint>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required, example = json!(null))]
    pub(crate) next: Option<String>,
}

/// Where you are told what happens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookEndpoint {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000c0")]
    id: String,
    /// Whose events it is told; null: every tenant's.
    #[schema(required)]
    tenant: Option<Tenant>,
    #[schema(format = "uri", example = "https://hooks.example.com/zoho")]
    url: String,
    #[schema(value_type = Vec<EventType>, example = json!(["connection.connected", "connection.needs_reconnect"]))]
    events: Vec<String>,
    /// Whether anything is delivered.
    #[schema(example = true)]
    enabled: bool,
    /// Why not: `asked`, or `gone` because the receiver answered 410.
    #[schema(required, example = json!(null))]
    disabled_reason: Option<String>,
    #[schema(format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: String,
    /// After a rotation: until then deliveries carry a signature of the old secret, too.
    #[schema(required, format = DateTime, example = json!(null))]
    previous_secret_until: Option<String>,
    /// What signatures are verified with. Only in the answer of the call that made it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_…")]
    secret: Option<String>,
}

impl WebhookEndpoint {
    /// With the secret, in the one answer that shows it.
    pub(crate) fn showing(endpoint: webhook_endpoint::Endpoint, secret: &WebhookSecret) -> Self {
        Self { secret: Some(secret.expose().to_owned()), ..Self::from(endpoint) }
    }
}

impl From<webhook_endpoint::Endpoint> for WebhookEndpoint {
    fn from(endpoint: webhook_endpoint::Endpoint) -> Self {
        let tenant = endpoint.tenant_id.map(|tenant_id| Tenant {
            id: tenant_id.to_string(),
            external_id: endpoint.tenant_external_id,
            name: endpoint.tenant_name.unwrap_or_default(),
        });
        Self {
            id: endpoint.webhook_endpoint_id.to_string(),
            tenant,
            url: endpoint.url,
            events: endpoint.event_types,
            enabled: endpoint.disabled_at.is_none(),
            disabled_reason: endpoint.disabled_reason,
            created_at: time(endpoint.created_at),
            previous_secret_until: endpoint.previous_secret_until.map(time),
            secret: None,
        }
    }
}

/// An endpoint to be made.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "read member by member in webhook_endpoints.rs; this is its description")]
pub(crate) struct NewWebhookEndpoint {
    /// https, and a public address.
    #[schema(format = "uri", max_length = 2048, example = "https://hooks.example.com/zoho")]
    url: String,
    /// All but `connection.refreshed` where it is left out.
    #[schema(value_type = Option<Vec<EventType>>, min_items = 1)]
    events: Option<Vec<String>>,
    /// Our id, your `external_id` or the slug. Left out with a key of all tenants: every tenant's events.
    #[schema(example = "acme")]
    tenant: Option<String>,
}

/// What is to be changed of an endpoint; what is left out stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "read member by member in webhook_endpoints.rs; this is its description")]
pub(crate) struct ChangedWebhookEndpoint {
    #[schema(format = "uri", max_length = 2048, example = "https://hooks.example.com/zoho")]
    url: Option<String>,
    #[schema(value_type = Option<Vec<EventType>>, min_items = 1)]
    events: Option<Vec<String>>,
    /// What waited while it was off is delivered, unless it is more than a day old.
    #[schema(example = true)]
    enabled: Option<bool>,
}

/// A test event that is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookTest {
    /// `webhook-id` of the delivery.
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000d0")]
    pub(crate) event_id: String,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookDeliveryList {
    pub(crate) webhook_deliveries: Vec<WebhookDelivery>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required, example = json!(null))]
    pub(crate) next: Option<String>,
}

/// One event, for one endpoint. Kept for 30 days after it was settled.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookDelivery {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000e0")]
    id: String,
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000c0")]
    webhook_endpoint_id: String,
    /// `webhook-id`: the same at every endpoint and with every try.
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000d0")]
    event_id: String,
    /// A type of event, or `webhook.test`.
    #[schema(example = "connection.connected")]
    r#type: String,
    #[schema(required, format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-000000000001")]
    connection_id: Option<String>,
    #[schema(value_type = DeliveryStatus)]
    status: &'static str,
    #[schema(example = 1)]
    tries: i32,
    #[schema(format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: String,
    /// While `pending`; a delivery also waits for those of the same connection before it.
    #[schema(required, format = DateTime, example = json!(null))]
    next_try_at: Option<String>,
    #[schema(required, format = DateTime, example = "2026-11-21T09:00:01Z")]
    last_tried_at: Option<String>,
    /// What the receiver answered last.
    #[schema(required, example = 200)]
    last_status_code: Option<i32>,
    /// Why there was no answer: `timeout`, `unreachable`, `unresolved`, `not_public`, `broken_off` or `unreadable_secret`.
    #[schema(required, example = json!(null))]
    last_failure: Option<String>,
    #[schema(required, example = 84)]
    last_duration_ms: Option<i32>,
    /// When it was delivered, or given up.
    #[schema(required, format = DateTime, example = "2026-11-21T09:00:01Z")]
    settled_at: Option<String>,
    /// The body, as it is sent.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
}

impl From<ListedDelivery> for WebhookDelivery {
    fn from(delivery: ListedDelivery) -> Self {
        Self {
            id: delivery.webhook_delivery_id.to_string(),
            webhook_endpoint_id: delivery.webhook_endpoint_id.to_string(),
            event_id: delivery.event_id.to_string(),
            r#type: delivery.event_type,
            connection_id: delivery.connection_id.map(|id| id.to_string()),
            status: delivery.status.key(),
            tries: delivery.tries,
            created_at: time(delivery.created_at),
            next_try_at: delivery.due_at.map(time),
            last_tried_at: delivery.last_tried_at.map(time),
            last_status_code: delivery.last_status_code,
            last_failure: delivery.last_failure,
            last_duration_ms: delivery.last_duration_ms,
            settled_at: delivery.settled_at.map(time),
            payload: RawValue::from_string(delivery.payload).unwrap_or_default(),
        }
    }
}
