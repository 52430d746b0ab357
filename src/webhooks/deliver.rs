//! The worker: claims what is due, tries it, writes what came of it.
//!
//! Tries run beside each other, 64 on this replica; a try that ends wakes the worker, because the next
//! event of the same connection may go now.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    secrets, send,
    send::{Message, Sender},
    signature::signatures,
};
use crate::{
    app::App,
    domain::secret::WebhookSecret,
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        webhook_delivery::{self, Claimed, Outcome, Tried},
        webhook_endpoint,
    },
    telemetry::chain,
    zoho::TlsUnavailable,
};

/// Tries at once, on this replica.
const PLACES: usize = 64;
/// Tries at once for one endpoint, on all replicas together.
const MOST_OF_ONE: i64 = 8;
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// How long what was settled is kept to be looked at, and sent again.
const KEPT: TimeDelta = TimeDelta::days(30);
/// The receiver wants no more of it (RFC 9110 §15.5.11).
const GONE: i32 = 410;

#[derive(Debug)]
pub(crate) struct Webhooks {
    sender: Sender,
    places: Arc<Semaphore>,
}

impl Webhooks {
    pub(crate) fn new(to_loopback: bool) -> Result<Self, TlsUnavailable> {
        Ok(Self { sender: Sender::new(to_loopback)?, places: Arc::new(Semaphore::new(PLACES)) })
    }
}

/// Begins what is due, as far as there is room. Tells how much it was.
pub(crate) async fn deliver_due(app: &Arc<App>) -> Result<usize, StoreError> {
    let mut places = Vec::new();
    while let Ok(place) = Arc::clone(&app.webhooks.places).try_acquire_owned() {
        places.push(place);
    }
    if places.is_empty() {
        return Ok(0);
    }
    let most = i64::try_from(places.len()).unwrap_or(i64::MAX);
    let now = app.clock.shared_now();
    let claimed = webhook_delivery::claim_due(app.pools.engine(), most, MOST_OF_ONE, now).await?;
    let begun = claimed.len();
    for (claimed, place) in claimed.into_iter().zip(places) {
        let app_of_task = Arc::clone(app);
        drop(app.spawn(async move { deliver(&app_of_task, claimed, place).await }));
    }
    Ok(begun)
}

async fn deliver(app: &App, claimed: Claimed, place: OwnedSemaphorePermit) {
    let tried = attempt(app, &claimed).await;
    crate::fail_point!("before_delivery_mark");
    let now = app.clock.shared_now();
    let outcome = judge(&claimed, tried, now);
    if let Err(error) = write(app, &claimed, tried, outcome, now).await {
        // The claim runs out, and it is delivered once more: receivers tell by the id.
        tracing::warn!(error = chain(&error), webhook_delivery.id = %claimed.webhook_delivery_id, "how a delivery went is not written");
    }
    let told = match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Again { .. } => "again",
        Outcome::Dead => "dead",
    };
    metrics::counter!("webhook_deliveries_total", "outcome" => told).increment(1);
    drop(place);
    app.wake_webhooks.notify_one();
}

async fn attempt(app: &App, claimed: &Claimed) -> Tried {
    let Some(secrets) = secrets_of(app, claimed) else {
        return Tried { status_code: None, failure: Some("unreadable_secret"), duration_ms: 0 };
    };
    let (id, timestamp) = (claimed.event_id.to_string(), app.clock.shared_now().timestamp());
    let signatures = signatures(&secrets, &id, timestamp, &claimed.payload);
    let message = Message { id: &id, timestamp, signatures: &signatures, body: claimed.payload.clone() };
    let (answer, took) = app.webhooks.sender.send(&claimed.url, message).await;
    Tried {
        status_code: answer.ok().map(i32::from),
        failure: answer.err().map(send::Unanswered::key),
        duration_ms: i32::try_from(took.as_millis()).unwrap_or(i32::MAX),
    }
}

/// The secrets that count at this moment.
fn secrets_of(app: &App, claimed: &Claimed) -> Option<Vec<WebhookSecret>> {
    let place = secrets::place(claimed.tenant_id, claimed.webhook_endpoint_id);
    let opened = secrets::open(&app.keys, &place, &claimed.secrets_sealed).inspect_err(|error| {
        tracing::error!(error = chain(error), webhook_endpoint.id = %claimed.webhook_endpoint_id, "a webhook's secret does not open");
    });
    let mut secrets = opened.ok()?;
    if claimed.previous_secret_until.is_none_or(|until| until <= app.clock.shared_now()) {
        secrets.truncate(1);
    }
    Some(secrets)
}

fn judge(claimed: &Claimed, tried: Tried, now: DateTime<Utc>) -> Outcome {
    match tried.status_code {
        Some(200..=299) => Outcome::Delivered,
        Some(GONE) => Outcome::Dead,
        _ if now >= claimed.give_up_at => Outcome::Dead,
        _ => Outcome::Again { due_at: (now + pause(claimed.tries)).min(claimed.give_up_at) },
    }
}

/// 5 s · 2ⁿ, of which the second half is random.
fn pause(tries: i32) -> TimeDelta {
    let exponent = u32::try_from(tries - 1).unwrap_or(0).min(15);
    let full = FIRST_PAUSE * 2_i32.pow(exponent);
    full / 2 + full * rand::random_range(0..=500) / 1000
}

async fn write(
    app: &App,
    claimed: &Claimed,
    tried: Tried,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let endpoint_id = claimed.webhook_endpoint_id;
    if tried.status_code != Some(GONE) {
        webhook_delivery::update_tried(app.pools.engine(), claimed, tried, outcome, now).await?;
        if outcome == Outcome::Dead {
            tracing::warn!(webhook_endpoint.id = %endpoint_id, webhook_delivery.id = %claimed.webhook_delivery_id, "a webhook could not be delivered for a day");
        }
        return Ok(());
    }
    let mut tx = app.pools.begin_as_engine().await?;
    webhook_delivery::update_tried(&mut *tx, claimed, tried, outcome, now).await?;
    if webhook_endpoint::update_gone(&mut *tx, endpoint_id, now).await? {
        let event = AuditEvent {
            actor: Actor::Engine,
            action: "webhook_endpoint_disabled",
            outcome: "gone",
            tenant_id: claimed.tenant_id,
            connection_id: None,
            peer: None,
            request_id: None,
            detail: Some(endpoint_id.to_string()),
        };
        audit_event::insert(&mut *tx, &event, now).await?;
    }
    tx.commit().await
}

/// What nobody will deliver any more, and what nobody will look at any more.
pub(crate) async fn sweep(app: &App) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    webhook_delivery::update_waited_in_vain(app.pools.engine(), now).await?;
    webhook_delivery::delete_settled(app.pools.engine(), now - KEPT).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r25_pauses_double_with_jitter() {
        for tries in 1..=40 {
            let full = 5 * 2_i64.pow(u32::try_from(tries - 1).unwrap_or(0).min(15));
            let pause = pause(tries);
            assert!(pause >= TimeDelta::seconds(full) / 2 && pause <= TimeDelta::seconds(full), "{tries}: {pause}");
        }
        let pauses: std::collections::HashSet<_> = (0..50).map(|_| pause(9)).collect();
        assert!(pauses.len() > 10, "they are random");
    }
}
