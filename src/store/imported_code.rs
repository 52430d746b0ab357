//! Codes that were imported. The insert is what makes one single use.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::digest::Digest;

/// False where the code was presented to Zoho before, by an import or by a sign-in.
pub(crate) async fn insert(db: impl PgExecutor<'_>, code: &Digest, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into imported_code (code_digest, presented_at)
         select $1::bytea, $2::timestamptz where not exists (select from login_attempt where code_digest = $1)
         on conflict do nothing",
        code.as_slice(),
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sweeps rows of codes that Zoho has long forgotten: they live for ten minutes at most.
pub(crate) async fn delete_old(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from imported_code where code_digest in (
             select code_digest from imported_code where presented_at < $1 order by presented_at limit 500 for update skip locked)",
        now - TimeDelta::hours(24),
    )
    .execute(db)
    .await?;
    Ok(())
}
