//! Customers of the SaaS.

pub(crate) mod deleted;
pub(crate) mod listed;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{StoreError, person::SignedIn, tx::Connection};
use crate::domain::{
    ids::{PersonId, TenantId},
    tenant::{Role, Standing},
};

/// The tenant of the person's own, and whether it was made now, for the first time, with the person as its owner
/// (design.md §4).
pub(crate) async fn find_or_insert_own(
    db: &mut Connection,
    SignedIn { person_id, is_new }: SignedIn,
    name: &str,
    slug: String,
    now: DateTime<Utc>,
) -> Result<(TenantId, bool), StoreError> {
    if !is_new && let Some(tenant_id) = find_own(&mut *db, person_id).await? {
        return Ok((tenant_id, false));
    }
    let inserted = sqlx::query_scalar!(
        r#"with own as (
               insert into tenant (tenant_id, external_id, name, slug, own_of_person_id, created_at)
               values ($1, null, $2, $3, $4, $5)
               on conflict on constraint tenant_own_of_person_once do nothing
               returning tenant_id)
           insert into membership (tenant_id, person_id, role, created_at)
           select tenant_id, $4, $6, $5 from own
           returning tenant_id as "tenant_id: TenantId""#,
        TenantId::new() as TenantId,
        name,
        slug,
        person_id as PersonId,
        now,
        Role::Owner as Role,
    )
    .fetch_optional(&mut *db)
    .await?;
    if let Some(tenant_id) = inserted {
        return Ok((tenant_id, true));
    }
    // Somebody was faster: this person, in another tab.
    let tenant_id = find_own(db, person_id).await?;
    Ok((tenant_id.ok_or(StoreError::Inconsistent("tenant.own_of_person_id"))?, false))
}

pub(crate) async fn find_own(db: impl PgExecutor<'_>, person_id: PersonId) -> Result<Option<TenantId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id: TenantId" from tenant where own_of_person_id = $1"#,
        person_id as PersonId,
    )
    .fetch_optional(db)
    .await?)
}

/// Locks a tenant for what must be decided about it once, in the same transaction.
pub(crate) async fn lock(db: impl PgExecutor<'_>, tenant_id: TenantId) -> Result<(), StoreError> {
    sqlx::query!("select slug from tenant where tenant_id = $1 for update", tenant_id as TenantId)
        .fetch_optional(db)
        .await?;
    Ok(())
}

/// Absent for a tenant that is not there.
pub(crate) async fn find_standing(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
) -> Result<Option<Standing>, StoreError> {
    let found = sqlx::query!(
        r#"select suspended_at is not null as "is_suspended!", deleted_at is not null as "is_deleted!",
               erased_at is not null as "is_erased!"
           from tenant where tenant_id = $1"#,
        tenant_id as TenantId,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.map(|tenant| Standing::of(tenant.is_suspended, tenant.is_deleted, tenant.is_erased)))
}

/// Whether nothing of it works, for whoever puts something into the tenant: nobody suspends or deletes it before that is committed.
pub(crate) async fn is_suspended_for_share(db: impl PgExecutor<'_>, tenant_id: TenantId) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select suspended_at is not null as "is_suspended!" from tenant where tenant_id = $1 for share"#,
        tenant_id as TenantId,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.unwrap_or(false))
}

/// True where that changed something.
pub(crate) async fn update_suspended(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update tenant set suspended_at = $2 where tenant_id = $1 and suspended_at is null",
        tenant_id as TenantId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// True where that changed something; a deletion is not taken back.
pub(crate) async fn update_resumed(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update tenant set suspended_at = null, resumed_at = $2
         where tenant_id = $1 and suspended_at is not null and deleted_at is null",
        tenant_id as TenantId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// By our id, the `external_id` or the slug, in that order (design.md §6). One whose deletion has begun is found by its id
/// alone: its history stays.
pub(crate) async fn find_by_any_name(db: impl PgExecutor<'_>, name: &str) -> Result<Option<TenantId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id: TenantId" from tenant
           where tenant_id = $1 or (external_id = $2 or slug = $2) and deleted_at is null
           order by (tenant_id is not distinct from $1) desc, (external_id is not distinct from $2) desc
           limit 1"#,
        name.parse::<TenantId>().ok() as Option<TenantId>,
        name,
    )
    .fetch_optional(db)
    .await?)
}
