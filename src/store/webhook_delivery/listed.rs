//! Deliveries as people and back ends see them, the newest first.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::{
    domain::{
        ids::{ConnectionId, TenantId, WebhookDeliveryId, WebhookEndpointId, WebhookEventId},
        webhook::DeliveryStatus,
    },
    store::known,
};

#[derive(Debug)]
pub(crate) struct ListedDelivery {
    pub(crate) webhook_delivery_id: WebhookDeliveryId,
    pub(crate) webhook_endpoint_id: WebhookEndpointId,
    pub(crate) event_id: WebhookEventId,
    pub(crate) event_type: String,
    pub(crate) connection_id: Option<ConnectionId>,
    /// The order in which it happened.
    pub(crate) sequence: i64,
    pub(crate) status: DeliveryStatus,
    pub(crate) tries: i32,
    pub(crate) created_at: DateTime<Utc>,
    /// The next try, of what is pending.
    pub(crate) due_at: Option<DateTime<Utc>>,
    pub(crate) last_tried_at: Option<DateTime<Utc>>,
    pub(crate) last_status_code: Option<i32>,
    pub(crate) last_failure: Option<String>,
    pub(crate) last_duration_ms: Option<i32>,
    pub(crate) settled_at: Option<DateTime<Utc>>,
    /// The body, as JSON.
    pub(crate) payload: String,
}

/// What a list is limited to; absent is everything.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) webhook_delivery_id: Option<WebhookDeliveryId>,
    pub(crate) webhook_endpoint_id: Option<WebhookEndpointId>,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) status: Option<DeliveryStatus>,
}

struct Row {
    webhook_delivery_id: WebhookDeliveryId,
    webhook_endpoint_id: WebhookEndpointId,
    event_id: WebhookEventId,
    event_type: String,
    connection_id: Option<ConnectionId>,
    sequence: i64,
    status: String,
    tries: i32,
    created_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    last_tried_at: Option<DateTime<Utc>>,
    last_status_code: Option<i32>,
    last_failure: Option<String>,
    last_duration_ms: Option<i32>,
    settled_at: Option<DateTime<Utc>>,
    payload: String,
}

impl TryFrom<Row> for ListedDelivery {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let status = known(&row.status, "webhook_delivery.status")?;
        Ok(Self {
            webhook_delivery_id: row.webhook_delivery_id,
            webhook_endpoint_id: row.webhook_endpoint_id,
            event_id: row.event_id,
            event_type: row.event_type,
            connection_id: row.connection_id,
            sequence: row.sequence,
            status,
            tries: row.tries,
            created_at: row.created_at,
            due_at: (status == DeliveryStatus::Pending).then_some(row.due_at),
            last_tried_at: row.last_tried_at,
            last_status_code: row.last_status_code,
            last_failure: row.last_failure,
            last_duration_ms: row.last_duration_ms,
            settled_at: row.settled_at,
            payload: row.payload,
        })
    }
}

/// At most `limit` deliveries before the one with this sequence.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<ListedDelivery>, StoreError> {
    sqlx::query_as!(
        Row,
        r#"select webhook_delivery_id as "webhook_delivery_id: WebhookDeliveryId",
               webhook_endpoint_id as "webhook_endpoint_id: WebhookEndpointId", event_id as "event_id: WebhookEventId", event_type,
               connection_id as "connection_id: ConnectionId", sequence, status, tries, created_at, due_at, last_tried_at,
               last_status_code, last_failure, last_duration_ms, settled_at, payload::text as "payload!"
           from webhook_delivery
           where ($1::uuid is null or tenant_id = $1)
             and ($2::uuid is null or webhook_delivery_id = $2)
             and ($3::uuid is null or webhook_endpoint_id = $3
                  -- Of another tenant's endpoint there is nothing to be looked through.
                  and (select $1::uuid is null or tenant_id = $1 from webhook_endpoint where webhook_endpoint_id = $3))
             and ($4::uuid is null or connection_id = $4)
             and ($5::text is null or status = $5)
             and ($6::bigint is null or sequence < $6)
           order by sequence desc limit $7"#,
        filter.tenant_id as Option<TenantId>,
        filter.webhook_delivery_id as Option<WebhookDeliveryId>,
        filter.webhook_endpoint_id as Option<WebhookEndpointId>,
        filter.connection_id as Option<ConnectionId>,
        filter.status.map(DeliveryStatus::key),
        before,
        limit,
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(ListedDelivery::try_from)
    .collect()
}
