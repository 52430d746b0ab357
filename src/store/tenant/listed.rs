//! Tenants as back ends see them: named, listed, made.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::{domain::ids::TenantId, store::tx::Tx};

#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) tenant_id: TenantId,
    pub(crate) external_id: Option<String>,
    pub(crate) name: String,
    pub(crate) slug: String,
}

/// At most `limit` tenants after the one named, in the order of the primary key, without those whose deletion has begun.
/// With `only`, that one.
pub(crate) async fn list(
    tx: &mut Tx,
    only: Option<TenantId>,
    after: Option<TenantId>,
    limit: i64,
) -> Result<Vec<Tenant>, StoreError> {
    // A filter that is not set must vanish from the plan, or the index is not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    Ok(sqlx::query_as!(
        Tenant,
        r#"select tenant_id as "tenant_id: TenantId", external_id, name, slug from tenant
           where ($1::uuid is null or tenant_id = $1) and ($2::uuid is null or tenant_id > $2) and deleted_at is null
           order by tenant_id limit $3"#,
        only as Option<TenantId>,
        after as Option<TenantId>,
        limit,
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// False where the external id or the slug is another tenant's.
pub(crate) async fn insert(db: impl PgExecutor<'_>, new: &Tenant, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into tenant (tenant_id, external_id, name, slug, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing",
        new.tenant_id as TenantId,
        new.external_id,
        new.name,
        new.slug,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn find_by_external_id(
    db: impl PgExecutor<'_>,
    external_id: &str,
) -> Result<Option<Tenant>, StoreError> {
    Ok(sqlx::query_as!(
        Tenant,
        r#"select tenant_id as "tenant_id: TenantId", external_id, name, slug from tenant
           where external_id = $1 and deleted_at is null"#,
        external_id,
    )
    .fetch_optional(db)
    .await?)
}

/// Whether a tenant has the external id until its deletion is through.
pub(crate) async fn is_being_deleted(db: impl PgExecutor<'_>, external_id: &str) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from tenant where external_id = $1 and deleted_at is not null) as "is_being_deleted!""#,
        external_id,
    )
    .fetch_one(db)
    .await?)
}
