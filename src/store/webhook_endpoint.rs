//! Where webhooks go. An endpoint without tenant hears of every tenant.

pub(crate) mod sealed;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{StoreError, console_list::MOST_COUNTED};
use crate::domain::{
    ids::{TenantId, WebhookEndpointId},
    webhook::EventType,
};

#[derive(Debug)]
pub(crate) struct NewEndpoint<'a> {
    pub(crate) webhook_endpoint_id: WebhookEndpointId,
    /// Absent: every tenant.
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) url: &'a str,
    pub(crate) event_types: &'a [EventType],
    pub(crate) secrets_sealed: &'a [u8],
    pub(crate) created_by: &'a str,
}

fn keys(event_types: &[EventType]) -> Vec<String> {
    event_types.iter().map(|event_type| event_type.key().to_owned()).collect()
}

/// False where there is one of that id.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    new: &NewEndpoint<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into webhook_endpoint (webhook_endpoint_id, tenant_id, url, event_types, secrets_sealed, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        new.webhook_endpoint_id as WebhookEndpointId,
        new.tenant_id as Option<TenantId>,
        new.url,
        &keys(new.event_types),
        new.secrets_sealed,
        new.created_by,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An endpoint as those see it who may change it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) webhook_endpoint_id: WebhookEndpointId,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) tenant_external_id: Option<String>,
    pub(crate) tenant_name: Option<String>,
    pub(crate) url: String,
    pub(crate) event_types: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) previous_secret_until: Option<DateTime<Utc>>,
    pub(crate) disabled_at: Option<DateTime<Utc>>,
    /// `asked` or `gone`
    pub(crate) disabled_reason: Option<String>,
    /// Waiting, and given up; each up to `MOST_COUNTED` and one.
    pub(crate) pending: i64,
    pub(crate) dead: i64,
    pub(crate) last_delivered_at: Option<DateTime<Utc>>,
}

/// Those of a tenant (without one: all that the caller may see), the oldest first, after the one named.
/// With `only`, that one.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    tenant_id: Option<TenantId>,
    only: Option<WebhookEndpointId>,
    after: Option<WebhookEndpointId>,
    limit: i64,
) -> Result<Vec<Endpoint>, StoreError> {
    Ok(sqlx::query_as!(
        Endpoint,
        r#"select e.webhook_endpoint_id as "webhook_endpoint_id: WebhookEndpointId", e.tenant_id as "tenant_id: TenantId",
               t.external_id as tenant_external_id, t.name as "tenant_name?", e.url,
               e.event_types, e.created_at, e.previous_secret_until, e.disabled_at, e.disabled_reason,
               (select count(*) from (select from webhook_delivery d
                where d.webhook_endpoint_id = e.webhook_endpoint_id and d.status = 'pending' limit $5) d) as "pending!",
               (select count(*) from (select from webhook_delivery d
                where d.webhook_endpoint_id = e.webhook_endpoint_id and d.status = 'dead' limit $5) d) as "dead!",
               (select max(d.settled_at) from webhook_delivery d
                where d.webhook_endpoint_id = e.webhook_endpoint_id and d.status = 'delivered') as last_delivered_at
           from webhook_endpoint e left join tenant t using (tenant_id)
           where ($1::uuid is null or e.tenant_id = $1) and ($2::uuid is null or e.webhook_endpoint_id = $2)
             and ($3::uuid is null or e.webhook_endpoint_id > $3)
           order by e.webhook_endpoint_id limit $4"#,
        tenant_id as Option<TenantId>,
        only as Option<WebhookEndpointId>,
        after as Option<WebhookEndpointId>,
        limit,
        MOST_COUNTED + 1,
    )
    .fetch_all(db)
    .await?)
}

/// One that the caller may see; with a tenant, one of that tenant.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    tenant_id: Option<TenantId>,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<Option<Endpoint>, StoreError> {
    Ok(list(db, tenant_id, Some(webhook_endpoint_id), None, 1).await?.pop())
}

/// How many a tenant has, or how many there are for every tenant.
pub(crate) async fn count(db: impl PgExecutor<'_>, tenant_id: Option<TenantId>) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from webhook_endpoint where tenant_id is not distinct from $1"#,
        tenant_id as Option<TenantId>,
    )
    .fetch_one(db)
    .await?)
}

/// Who wants to be told. Asked as engine: endpoints of every tenant are nobody's.
pub(crate) async fn list_wanting(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    event_type: EventType,
) -> Result<Vec<WebhookEndpointId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select webhook_endpoint_id as "webhook_endpoint_id: WebhookEndpointId" from webhook_endpoint
           where (tenant_id is null or tenant_id = $1) and $2 = any(event_types) and disabled_at is null"#,
        tenant_id as TenantId,
        event_type.key(),
    )
    .fetch_all(db)
    .await?)
}

/// What may be changed of an endpoint; what is absent stays.
#[derive(Debug, Default)]
pub(crate) struct Change<'a> {
    pub(crate) url: Option<&'a str>,
    pub(crate) event_types: Option<&'a [EventType]>,
    pub(crate) enabled: Option<bool>,
}

/// False where there is none, and where it stands so already.
pub(crate) async fn update(
    db: impl PgExecutor<'_>,
    tenant_id: Option<TenantId>,
    webhook_endpoint_id: WebhookEndpointId,
    change: &Change<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let event_types = change.event_types.map(keys);
    let done = sqlx::query!(
        "update webhook_endpoint set url = coalesce($3, url), event_types = coalesce($4, event_types),
             disabled_at = case when $5 then null when not $5 then coalesce(disabled_at, $6) else disabled_at end,
             disabled_reason = case when $5 then null when not $5 then coalesce(disabled_reason, 'asked') else disabled_reason end
         where webhook_endpoint_id = $2 and ($1::uuid is null or tenant_id = $1)
             and (url, event_types, disabled_at is null)
                 is distinct from (coalesce($3, url), coalesce($4, event_types), coalesce($5, disabled_at is null))",
        tenant_id as Option<TenantId>,
        webhook_endpoint_id as WebhookEndpointId,
        change.url,
        event_types.as_deref(),
        change.enabled,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The receiver says that it will never be back.
pub(crate) async fn update_gone(
    db: impl PgExecutor<'_>,
    webhook_endpoint_id: WebhookEndpointId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update webhook_endpoint set disabled_at = $2, disabled_reason = 'gone' where webhook_endpoint_id = $1 and disabled_at is null",
        webhook_endpoint_id as WebhookEndpointId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The secrets as they are stored, the row locked.
#[derive(Debug)]
pub(crate) struct StoredSecrets {
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) secrets_sealed: Vec<u8>,
}

pub(crate) async fn find_secrets(
    db: impl PgExecutor<'_>,
    tenant_id: Option<TenantId>,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<Option<StoredSecrets>, StoreError> {
    Ok(sqlx::query_as!(
        StoredSecrets,
        r#"select tenant_id as "tenant_id: TenantId", secrets_sealed from webhook_endpoint
           where webhook_endpoint_id = $2 and ($1::uuid is null or tenant_id = $1) for update"#,
        tenant_id as Option<TenantId>,
        webhook_endpoint_id as WebhookEndpointId,
    )
    .fetch_optional(db)
    .await?)
}

pub(crate) async fn update_secrets(
    db: impl PgExecutor<'_>,
    webhook_endpoint_id: WebhookEndpointId,
    secrets_sealed: &[u8],
    previous_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update webhook_endpoint set secrets_sealed = $2, previous_secret_until = $3 where webhook_endpoint_id = $1",
        webhook_endpoint_id as WebhookEndpointId,
        secrets_sealed,
        previous_until,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Its deliveries go with it. False where there is none.
pub(crate) async fn delete(
    db: impl PgExecutor<'_>,
    tenant_id: Option<TenantId>,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from webhook_endpoint where webhook_endpoint_id = $2 and ($1::uuid is null or tenant_id = $1)",
        tenant_id as Option<TenantId>,
        webhook_endpoint_id as WebhookEndpointId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
