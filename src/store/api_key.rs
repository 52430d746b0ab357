//! Keys for back ends. A key is `lwz_<8-character id>_<43 characters>`: found by its id, compared by
//! its digest.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::{domain::digest::Digest, domain::ids::TenantId};

/// A key about to be stored.
#[derive(Debug)]
pub(crate) struct NewApiKey<'a> {
    pub(crate) api_key_id: &'a str,
    pub(crate) key_digest: &'a Digest,
    pub(crate) name: &'a str,
    /// Absent: every tenant.
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) grants: &'a [String],
    pub(crate) created_by: &'a str,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// False where a key of that id exists.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    new: &NewApiKey<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into api_key (api_key_id, key_digest, name, tenant_id, grants, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (api_key_id) do nothing",
        new.api_key_id,
        new.key_digest.as_slice(),
        new.name,
        new.tenant_id as Option<TenantId>,
        new.grants,
        new.created_by,
        now,
        new.expires_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What a request with a key is judged by.
#[derive(Debug)]
pub(crate) struct StoredKey {
    pub(crate) key_digest: Vec<u8>,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) grants: Vec<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    /// Its tenant is; a key of all tenants has none that could be.
    pub(crate) is_suspended: bool,
}

pub(crate) async fn find(db: impl PgExecutor<'_>, api_key_id: &str) -> Result<Option<StoredKey>, StoreError> {
    Ok(sqlx::query_as!(
        StoredKey,
        r#"select k.key_digest, k.tenant_id as "tenant_id: TenantId", k.grants, k.expires_at, k.revoked_at,
               exists (select from tenant t where t.tenant_id = k.tenant_id and t.suspended_at is not null) as "is_suspended!"
           from api_key k where k.api_key_id = $1"#,
        api_key_id,
    )
    .fetch_optional(db)
    .await?)
}

/// A key as it is listed: all but what opens anything.
#[derive(Debug)]
pub(crate) struct ListedKey {
    pub(crate) api_key_id: String,
    pub(crate) name: String,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) tenant_slug: Option<String>,
    pub(crate) grants: Vec<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

/// Every key there ever was, the newest first.
pub(crate) async fn list(db: impl PgExecutor<'_>) -> Result<Vec<ListedKey>, StoreError> {
    Ok(sqlx::query_as!(
        ListedKey,
        r#"select k.api_key_id, k.name, k.tenant_id as "tenant_id: TenantId", t.slug as "tenant_slug?", k.grants, k.created_by,
               k.created_at, k.expires_at, k.revoked_at, k.last_used_at
           from api_key k left join tenant t using (tenant_id)
           order by k.created_at desc, k.api_key_id"#
    )
    .fetch_all(db)
    .await?)
}

/// A tenant's key as its administrators see it.
#[derive(Debug)]
pub(crate) struct TenantKey {
    pub(crate) api_key_id: String,
    pub(crate) name: String,
    pub(crate) grants: Vec<String>,
    /// Absent: a command made it, or somebody who has left.
    pub(crate) creator: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

/// A page has no more.
const MOST_LISTED: i64 = 200;

/// A tenant's own keys, those that count first, then the newest. With `only`, that one.
pub(crate) async fn list_of_tenant(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    only: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<TenantKey>, StoreError> {
    Ok(sqlx::query_as!(
        TenantKey,
        r#"select k.api_key_id, k.name, k.grants, p.display_name as "creator?", k.created_at, k.expires_at, k.revoked_at,
               k.last_used_at
           from api_key k
           left join person p
               on p.person_id = case when k.created_by ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then k.created_by::uuid end
           where k.tenant_id = $1 and ($2::text is null or k.api_key_id = $2)
           order by k.revoked_at is not null or coalesce(k.expires_at <= $3, false), k.created_at desc, k.api_key_id
           limit $4"#,
        tenant_id as TenantId,
        only,
        now,
        MOST_LISTED,
    )
    .fetch_all(db)
    .await?)
}

/// Ends a key of this tenant's. False where it had none of that id that was still alive.
pub(crate) async fn update_revoked_of_tenant(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    api_key_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update api_key set revoked_at = $3 where tenant_id = $1 and api_key_id = $2 and revoked_at is null",
        tenant_id as TenantId,
        api_key_id,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whose a revoked key was.
#[derive(Debug)]
pub(crate) struct RevokedKey {
    pub(crate) tenant_id: Option<TenantId>,
}

/// Ends a key. `None` where there is no such key that was still alive.
pub(crate) async fn update_revoked(
    db: impl PgExecutor<'_>,
    api_key_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<RevokedKey>, StoreError> {
    Ok(sqlx::query_as!(
        RevokedKey,
        r#"update api_key set revoked_at = $2 where api_key_id = $1 and revoked_at is null
           returning tenant_id as "tenant_id: TenantId""#,
        api_key_id,
        now,
    )
    .fetch_optional(db)
    .await?)
}

/// Writes down when keys were last used, many at once; never back in time, for replicas do it side
/// by side.
pub(crate) async fn update_last_used(
    db: impl PgExecutor<'_>,
    uses: &[(String, DateTime<Utc>)],
) -> Result<(), StoreError> {
    let (ids, times): (Vec<_>, Vec<_>) = uses.iter().cloned().unzip();
    sqlx::query!(
        "update api_key k set last_used_at = greatest(k.last_used_at, u.at)
         from unnest($1::text[], $2::timestamptz[]) u (api_key_id, at) where k.api_key_id = u.api_key_id",
        &ids,
        &times,
    )
    .execute(db)
    .await?;
    Ok(())
}
