//! What may be done with endpoints and deliveries: each change with its audit event, in one transaction
//! that sees what the caller may see.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{payload, secrets};
use crate::{
    app::App,
    domain::{
        ids::{RequestId, TenantId, WebhookDeliveryId, WebhookEndpointId, WebhookEventId},
        secret::WebhookSecret,
        webhook::EventType,
        webhook_target::{NoTarget, WebhookTarget},
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        tx::{Connection, Tx},
        webhook_delivery::{self, NewDelivery, listed},
        webhook_endpoint::{self, Endpoint, NewEndpoint},
    },
    telemetry::chain,
};

/// Of one tenant, and of all tenants; nobody needs more, and each costs a row for each event.
pub(crate) const MOST: i64 = 20;

/// Who does it, and what they may see.
#[derive(Debug, Clone)]
pub(crate) struct By {
    /// Absent: everything.
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) actor: Actor,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum WebhookError {
    #[error("there is no such endpoint or delivery")]
    Unknown,
    #[error(transparent)]
    Target(#[from] NoTarget),
    #[error("there are as many endpoints as there may be")]
    TooMany,
    #[error("the endpoint is there already")]
    MadeBefore,
    #[error("an endpoint that is disabled is told nothing")]
    Disabled,
    #[error("the stored secret does not open")]
    Unreadable,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An endpoint and its secret, which is shown this once.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) endpoint: Endpoint,
    pub(crate) secret: WebhookSecret,
}

/// What somebody wants changed; what is absent stays.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) url: Option<String>,
    pub(crate) event_types: Option<Vec<EventType>>,
    pub(crate) enabled: Option<bool>,
}

impl By {
    async fn begin(&self, app: &App) -> Result<Tx, StoreError> {
        match self.tenant_id {
            Some(tenant_id) => app.pools.begin_as_tenant(tenant_id).await,
            None => app.pools.begin_as_engine().await,
        }
    }

    async fn tell(
        &self,
        tx: &mut Connection,
        action: &'static str,
        tenant_id: Option<TenantId>,
        detail: String,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let event = AuditEvent {
            actor: self.actor.clone(),
            action,
            outcome: "done",
            tenant_id,
            connection_id: None,
            peer: Some(self.peer.clone()),
            request_id: Some(self.request_id),
            detail: Some(detail),
        };
        audit_event::insert(tx, &event, now).await
    }
}

/// Makes an endpoint for a tenant, or for every tenant. Its id is the caller's: a form that is sent twice
/// makes one.
pub(crate) async fn create(
    app: &App,
    by: &By,
    webhook_endpoint_id: WebhookEndpointId,
    tenant_id: Option<TenantId>,
    url: &str,
    event_types: &[EventType],
) -> Result<Made, WebhookError> {
    let target = WebhookTarget::parse(url, app.config.webhooks_to_loopback)?;
    let now = app.clock.shared_now();
    let secret = secrets::new_secret();
    let place = secrets::place(tenant_id, webhook_endpoint_id);
    let new = NewEndpoint {
        webhook_endpoint_id,
        tenant_id,
        url: &target.to_string(),
        event_types,
        secrets_sealed: &secrets::seal(&app.keys, &place, std::slice::from_ref(&secret)),
        created_by: &by.actor.id().unwrap_or_default(),
    };
    let mut tx = by.begin(app).await?;
    if webhook_endpoint::count(&mut *tx, tenant_id).await? >= MOST {
        return Err(WebhookError::TooMany);
    }
    if !webhook_endpoint::insert(&mut *tx, &new, now).await? {
        return Err(WebhookError::MadeBefore);
    }
    by.tell(&mut tx, "webhook_endpoint_created", tenant_id, webhook_endpoint_id.to_string(), now).await?;
    let endpoint = webhook_endpoint::find(&mut *tx, tenant_id, webhook_endpoint_id).await?;
    tx.commit().await?;
    Ok(Made { endpoint: endpoint.ok_or(WebhookError::Unknown)?, secret })
}

/// Changes an endpoint. What waited for one that is enabled again goes on; what is as it was is not on record.
pub(crate) async fn change(
    app: &App,
    by: &By,
    id: WebhookEndpointId,
    wanted: &Wanted,
) -> Result<Endpoint, WebhookError> {
    let now = app.clock.shared_now();
    let target = wanted.url.as_deref().map(|url| WebhookTarget::parse(url, app.config.webhooks_to_loopback));
    let url = target.transpose()?.map(|target| target.to_string());
    let change = webhook_endpoint::Change {
        url: url.as_deref(),
        event_types: wanted.event_types.as_deref(),
        enabled: wanted.enabled,
    };
    let mut tx = by.begin(app).await?;
    let is_changed = webhook_endpoint::update(&mut *tx, by.tenant_id, id, &change, now).await?;
    let endpoint = webhook_endpoint::find(&mut *tx, by.tenant_id, id).await?.ok_or(WebhookError::Unknown)?;
    if is_changed {
        by.tell(&mut tx, "webhook_endpoint_changed", endpoint.tenant_id, id.to_string(), now).await?;
    }
    tx.commit().await?;
    app.wake_webhooks.notify_one();
    Ok(endpoint)
}

/// Ends an endpoint, with all that was to be delivered to it.
pub(crate) async fn delete(app: &App, by: &By, id: WebhookEndpointId) -> Result<(), WebhookError> {
    let now = app.clock.shared_now();
    let mut tx = by.begin(app).await?;
    let endpoint = webhook_endpoint::find(&mut *tx, by.tenant_id, id).await?.ok_or(WebhookError::Unknown)?;
    if !webhook_endpoint::delete(&mut *tx, by.tenant_id, id).await? {
        return Err(WebhookError::Unknown);
    }
    by.tell(&mut tx, "webhook_endpoint_deleted", endpoint.tenant_id, id.to_string(), now).await?;
    tx.commit().await?;
    Ok(())
}

/// A new secret; the one before signs beside it for a day.
pub(crate) async fn rotate(app: &App, by: &By, id: WebhookEndpointId) -> Result<Made, WebhookError> {
    let now = app.clock.shared_now();
    let mut tx = by.begin(app).await?;
    let stored = webhook_endpoint::find_secrets(&mut *tx, by.tenant_id, id).await?.ok_or(WebhookError::Unknown)?;
    let place = secrets::place(stored.tenant_id, id);
    let held = secrets::open(&app.keys, &place, &stored.secrets_sealed).map_err(|error| {
        tracing::error!(error = chain(&error), webhook_endpoint.id = %id, "a webhook's secret does not open");
        WebhookError::Unreadable
    })?;
    let secret = secrets::new_secret();
    let all: Vec<_> = std::iter::once(secret.clone()).chain(held).collect();
    let sealed = secrets::seal(&app.keys, &place, &all);
    webhook_endpoint::update_secrets(&mut *tx, id, &sealed, now + secrets::OVERLAP).await?;
    by.tell(&mut tx, "webhook_secret_rotated", stored.tenant_id, id.to_string(), now).await?;
    let endpoint = webhook_endpoint::find(&mut *tx, by.tenant_id, id).await?.ok_or(WebhookError::Unknown)?;
    tx.commit().await?;
    Ok(Made { endpoint, secret })
}

/// Sends `webhook.test`, whatever the endpoint wants to be told of.
pub(crate) async fn test(app: &App, by: &By, id: WebhookEndpointId) -> Result<WebhookEventId, WebhookError> {
    let now = app.clock.shared_now();
    let mut tx = by.begin(app).await?;
    let endpoint = webhook_endpoint::find(&mut *tx, by.tenant_id, id).await?.ok_or(WebhookError::Unknown)?;
    if endpoint.disabled_at.is_some() {
        return Err(WebhookError::Disabled);
    }
    let event_id = WebhookEventId::new();
    let data = json!({ "webhook_endpoint_id": id });
    let new = NewDelivery {
        event_id,
        event_type: EventType::WebhookTest,
        payload: &payload::body(EventType::WebhookTest, &data, now),
        connection_id: None,
    };
    webhook_delivery::insert(&mut *tx, &new, &[id], now).await?;
    by.tell(&mut tx, "webhook_tested", endpoint.tenant_id, id.to_string(), now).await?;
    tx.commit().await?;
    app.wake_webhooks.notify_one();
    Ok(event_id)
}

/// Delivers once more, under the same id.
pub(crate) async fn redeliver(
    app: &App,
    by: &By,
    id: WebhookDeliveryId,
) -> Result<listed::ListedDelivery, WebhookError> {
    let now = app.clock.shared_now();
    let mut tx = by.begin(app).await?;
    let only = listed::Filter { tenant_id: by.tenant_id, webhook_delivery_id: Some(id), ..listed::Filter::default() };
    let found = listed::list(&mut *tx, &only, None, 1).await?.pop().ok_or(WebhookError::Unknown)?;
    let endpoint = webhook_endpoint::find(&mut *tx, by.tenant_id, found.webhook_endpoint_id).await?;
    let endpoint = endpoint.ok_or(WebhookError::Unknown)?;
    if endpoint.disabled_at.is_some() {
        return Err(WebhookError::Disabled);
    }
    webhook_delivery::update_again(&mut *tx, by.tenant_id, id, now).await?;
    by.tell(&mut tx, "webhook_redelivered", endpoint.tenant_id, id.to_string(), now).await?;
    let delivery = listed::list(&mut *tx, &only, None, 1).await?.pop();
    tx.commit().await?;
    app.wake_webhooks.notify_one();
    delivery.ok_or(WebhookError::Unknown)
}
