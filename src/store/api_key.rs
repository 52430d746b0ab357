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
