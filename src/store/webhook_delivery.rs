//! The outbox: what endpoints are to be told, in the order in which it happened to each connection.

pub(crate) mod listed;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgExecutor, postgres::types::PgInterval};

use super::StoreError;
use crate::domain::{
    ids::{ConnectionId, TenantId, WebhookDeliveryId, WebhookEndpointId, WebhookEventId},
    webhook::EventType,
};

/// How long one try may take before another replica may take over; a try itself takes 5 s at most.
const CLAIM: TimeDelta = TimeDelta::seconds(30);
/// A delivery is tried for so long.
pub(crate) const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// One event, ready to be sent.
#[derive(Debug)]
pub(crate) struct NewDelivery<'a> {
    pub(crate) event_id: WebhookEventId,
    pub(crate) event_type: EventType,
    /// The body, as JSON.
    pub(crate) payload: &'a str,
    pub(crate) connection_id: Option<ConnectionId>,
}

/// One row for each of these endpoints, due when the one before it is.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    new: &NewDelivery<'_>,
    endpoints: &[WebhookEndpointId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ids: Vec<_> = endpoints.iter().map(|_| WebhookDeliveryId::new()).collect();
    sqlx::query!(
        "insert into webhook_delivery (webhook_delivery_id, tenant_id, webhook_endpoint_id, event_id, event_type, payload, connection_id,
             status, tries, created_at, due_at, give_up_at)
         select n.delivery_id, e.tenant_id, e.webhook_endpoint_id, $3, $4, $5::text::json, $6, 'pending', 0, $7,
             greatest($7, (select max(before.due_at) from webhook_delivery before
                           where before.webhook_endpoint_id = e.webhook_endpoint_id and before.connection_id = $6
                             and before.status = 'pending')), $8
         from unnest($1::uuid[], $2::uuid[]) n (delivery_id, endpoint_id)
         join webhook_endpoint e on e.webhook_endpoint_id = n.endpoint_id",
        &ids as &[WebhookDeliveryId],
        endpoints as &[WebhookEndpointId],
        new.event_id as WebhookEventId,
        new.event_type.key(),
        new.payload,
        new.connection_id as Option<ConnectionId>,
        now,
        now + PATIENCE,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A delivery whose try is ours.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) webhook_delivery_id: WebhookDeliveryId,
    pub(crate) webhook_endpoint_id: WebhookEndpointId,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) event_id: WebhookEventId,
    pub(crate) payload: String,
    /// This one included; what names it is fenced off by the next.
    pub(crate) tries: i32,
    pub(crate) give_up_at: DateTime<Utc>,
    pub(crate) url: String,
    pub(crate) secrets_sealed: Vec<u8>,
    pub(crate) previous_secret_until: Option<DateTime<Utc>>,
}

/// Claims what is due. Of one connection and endpoint only the first that is still pending, so that none
/// overtakes another; of one endpoint no more than `most_of_one` at a time on all replicas together, so
/// that a slow one keeps nobody else waiting. Endpoints come in no order, so that none is always last.
///
/// A suspended tenant's endpoints are told that it is, or that it is deleted; everything else waits until it is resumed,
/// and is not looked at meanwhile: an index has those two alone. What waited is then tried for as long as if it had just
/// been written.
pub(crate) async fn claim_due(
    db: impl PgExecutor<'_>,
    most: i64,
    most_of_one: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, StoreError> {
    Ok(sqlx::query_as!(
        Claimed,
        r#"with room as (
               select e.webhook_endpoint_id, e.url, e.secrets_sealed, e.previous_secret_until, t.suspended_at, t.resumed_at,
                   greatest(0, $4 - (
                       select count(*) from webhook_delivery under_way
                       where under_way.webhook_endpoint_id = e.webhook_endpoint_id and under_way.status = 'pending'
                         and under_way.claimed_until > $1)) as places
               from webhook_endpoint e left join tenant t using (tenant_id)
               where e.disabled_at is null),
           of_all as (
               select due.webhook_delivery_id, e.* from room e
               cross join lateral (
                   select d.webhook_delivery_id from webhook_delivery d
                   where d.webhook_endpoint_id = e.webhook_endpoint_id and d.status = 'pending' and d.due_at <= $1
                     and (d.claimed_until is null or d.claimed_until <= $1)
                     and (d.connection_id is null or d.sequence = (
                         select min(first.sequence) from webhook_delivery first
                         where first.webhook_endpoint_id = d.webhook_endpoint_id and first.connection_id = d.connection_id
                           and first.status = 'pending'))
                   order by d.due_at, d.sequence limit e.places
                   for update of d skip locked) due
               where e.suspended_at is null
               order by random() limit $3),
           of_suspended as (
               select due.webhook_delivery_id, e.* from room e
               cross join lateral (
                   select d.webhook_delivery_id from webhook_delivery d
                   where d.webhook_endpoint_id = e.webhook_endpoint_id and d.status = 'pending' and d.due_at <= $1
                     and (d.claimed_until is null or d.claimed_until <= $1)
                     and d.event_type in ('tenant.suspended', 'tenant.deleted')
                   order by d.due_at, d.sequence limit e.places
                   for update of d skip locked) due
               where e.suspended_at is not null
               order by random() limit $3)
           update webhook_delivery d set claimed_until = $2, tries = tries + 1, last_tried_at = $1
           -- The few that tell a tenant of its own end come first: nothing that is sent all day keeps them waiting.
           from (select * from of_suspended union all select * from of_all limit $3) c
           where d.webhook_delivery_id = c.webhook_delivery_id
           returning d.webhook_delivery_id as "webhook_delivery_id: WebhookDeliveryId",
               d.webhook_endpoint_id as "webhook_endpoint_id: WebhookEndpointId", d.tenant_id as "tenant_id: TenantId",
               d.event_id as "event_id: WebhookEventId", d.payload::text as "payload!", d.tries,
               greatest(d.give_up_at, c.resumed_at + $5::interval) as "give_up_at!",
               c.url as "url!", c.secrets_sealed as "secrets_sealed!", c.previous_secret_until"#,
        now,
        now + CLAIM,
        most,
        most_of_one,
        patience(),
    )
    .fetch_all(db)
    .await?)
}

fn patience() -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: PATIENCE.num_microseconds().unwrap_or_default() }
}

/// What came of a try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tried {
    pub(crate) status_code: Option<i32>,
    /// Where there is none: why.
    pub(crate) failure: Option<&'static str>,
    pub(crate) duration_ms: i32,
}

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    Again { due_at: DateTime<Utc> },
    Dead,
}

/// Writes what came of a try. What waits behind it waits as long as it does; once it is settled, the next
/// is due. False: the try is not ours any more.
pub(crate) async fn update_tried(
    db: impl PgExecutor<'_>,
    claimed: &Claimed,
    tried: Tried,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (status, due_at) = match outcome {
        Outcome::Delivered => ("delivered", None),
        Outcome::Again { due_at } => ("pending", Some(due_at)),
        Outcome::Dead => ("dead", None),
    };
    let written = sqlx::query_scalar!(
        r#"with tried as (
               update webhook_delivery set status = $3, due_at = coalesce($4, due_at), claimed_until = null,
                   settled_at = case when $3 = 'pending' then null else $5::timestamptz end,
                   last_status_code = $6, last_failure = $7, last_duration_ms = $8
               where webhook_delivery_id = $1 and tries = $2 and status = 'pending'
               returning webhook_endpoint_id, connection_id, sequence),
           behind as (
               update webhook_delivery b set due_at = coalesce($4, $5)
               from tried t
               where b.webhook_endpoint_id = t.webhook_endpoint_id and b.connection_id = t.connection_id
                 and b.status = 'pending' and b.sequence > t.sequence
                 and case when $3 = 'pending' then b.due_at < $4
                     else b.sequence = (
                         select min(next.sequence) from webhook_delivery next
                         where next.webhook_endpoint_id = t.webhook_endpoint_id and next.connection_id = t.connection_id
                           and next.status = 'pending' and next.sequence > t.sequence) end)
           select count(*) as "count!" from tried"#,
        claimed.webhook_delivery_id as WebhookDeliveryId,
        claimed.tries,
        status,
        due_at,
        now,
        tried.status_code,
        tried.failure,
        tried.duration_ms,
    )
    .fetch_one(db)
    .await?;
    Ok(written == 1)
}

/// To be delivered once more, from the beginning and under the same id; what is pending anyway becomes
/// due. False where there is none that the caller may see.
pub(crate) async fn update_again(
    db: impl PgExecutor<'_>,
    tenant_id: Option<TenantId>,
    webhook_delivery_id: WebhookDeliveryId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update webhook_delivery set status = 'pending', settled_at = null, due_at = $3, give_up_at = $4,
             tries = case when status = 'pending' then tries else 0 end
         where webhook_delivery_id = $2 and ($1::uuid is null or tenant_id = $1)",
        tenant_id as Option<TenantId>,
        webhook_delivery_id as WebhookDeliveryId,
        now,
        now + PATIENCE,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What waits for an endpoint that was switched off for longer than deliveries are tried. The time in which its tenant is
/// suspended does not count.
pub(crate) async fn update_waited_in_vain(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "update webhook_delivery set status = 'dead', settled_at = $1, claimed_until = null
         where webhook_delivery_id in (
             select d.webhook_delivery_id from webhook_endpoint e
             join webhook_delivery d on d.webhook_endpoint_id = e.webhook_endpoint_id and d.status = 'pending' and d.give_up_at <= $1
             left join tenant t on t.tenant_id = e.tenant_id
             where e.disabled_at is not null and t.suspended_at is null
               and (t.resumed_at is null or t.resumed_at <= $1::timestamptz - $2::interval)
             limit 500 for update of d skip locked)",
        now,
        patience(),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets what was settled before `before`.
pub(crate) async fn delete_settled(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from webhook_delivery where webhook_delivery_id in (
             select webhook_delivery_id from webhook_delivery where settled_at < $1 limit 500 for update skip locked)",
        before,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
