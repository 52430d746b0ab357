//! What happened, written where it cannot be lost: in the transaction of the change, which acts as
//! engine (endpoints of every tenant are no tenant's). Where nobody wants to know, it is one look-up.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::payload;
use crate::{
    domain::{
        ids::{ConnectionId, OnboardingLinkId, TenantId, WebhookEventId},
        webhook::EventType,
    },
    store::{
        StoreError,
        connection::listed::{self, Filter},
        tx::Connection,
        webhook_delivery::{self, NewDelivery},
        webhook_endpoint,
    },
};

/// Something that somebody may want to know.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) event_type: EventType,
    pub(crate) tenant_id: TenantId,
    pub(crate) about: About,
}

#[derive(Debug)]
pub(crate) enum About {
    /// The connection as it stands in this transaction, and what the event adds to that.
    Connection(ConnectionId, Map<String, Value>),
    /// Anything else; it holds no secret.
    Data(Value),
}

impl Event {
    pub(crate) fn of_connection(event_type: EventType, tenant_id: TenantId, connection_id: ConnectionId) -> Self {
        Self { event_type, tenant_id, about: About::Connection(connection_id, Map::new()) }
    }

    /// The same, with one more member.
    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        if let About::Connection(_, more) = &mut self.about {
            more.insert(member.to_owned(), value.into());
        }
        self
    }

    /// An invitation that came to nothing.
    pub(crate) fn onboarding_refused(tenant_id: TenantId, link: OnboardingLinkId, reason: &str) -> Self {
        let data = json!({ "onboarding_link_id": link, "reason": reason });
        Self { event_type: EventType::OnboardingRefused, tenant_id, about: About::Data(data) }
    }

    /// A tenant, as the API names it.
    pub(crate) fn of_tenant(event_type: EventType, tenant_id: TenantId, external_id: Option<&str>, name: &str) -> Self {
        let tenant = json!({ "id": tenant_id, "external_id": external_id, "name": name });
        Self { event_type, tenant_id, about: About::Data(json!({ "tenant": tenant })) }
    }
}

/// Writes a delivery for each endpoint that wants it.
pub(crate) async fn insert(tx: &mut Connection, event: Event, now: DateTime<Utc>) -> Result<(), StoreError> {
    let Event { event_type, tenant_id, about } = event;
    let endpoints = webhook_endpoint::list_wanting(&mut *tx, tenant_id, event_type).await?;
    if endpoints.is_empty() {
        return Ok(());
    }
    let (data, connection_id) = match about {
        About::Data(data) => (data, None),
        About::Connection(connection_id, more) => {
            let only = Filter { tenant_id: Some(tenant_id), connection_id: Some(connection_id), ..Filter::default() };
            let found = listed::list(&mut *tx, &only, None, 1).await?.pop();
            let connection = found.ok_or(StoreError::Inconsistent("an event of no connection"))?;
            (payload::of_connection(&connection, more), Some(connection_id))
        }
    };
    let new = NewDelivery {
        event_id: WebhookEventId::new(),
        event_type,
        payload: &payload::body(event_type, &data, now),
        connection_id,
    };
    webhook_delivery::insert(&mut *tx, &new, &endpoints, now).await
}
