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

pub(crate) async fn insert(db: impl PgExecutor<'_>, new: &NewApiKey<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into api_key (api_key_id, key_digest, name, tenant_id, grants, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
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
    Ok(())
}

/// What a request with a key is judged by.
#[derive(Debug)]
pub(crate) struct StoredKey {
    pub(crate) key_digest: Vec<u8>,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) grants: Vec<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

pub(crate) async fn find(db: impl PgExecutor<'_>, api_key_id: &str) -> Result<Option<StoredKey>, StoreError> {
    Ok(sqlx::query_as!(
        StoredKey,
        r#"select key_digest, tenant_id as "tenant_id: TenantId", grants, expires_at, revoked_at
           from api_key where api_key_id = $1"#,
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
