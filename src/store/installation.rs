//! What is true of the installation as a whole, and the probe that reads it.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;

pub(crate) struct Probe {
    /// Postgres's clock: shared time is reckoned from it.
    pub(crate) at: DateTime<Utc>,
    /// Attempts begun earlier are refused (security.md R-30).
    pub(crate) attempts_from: DateTime<Utc>,
}

pub(crate) async fn probe(db: impl PgExecutor<'_>) -> Result<Probe, StoreError> {
    Ok(sqlx::query_as!(Probe, r#"select clock_timestamp() as "at!", attempts_from from installation"#)
        .fetch_one(db)
        .await?)
}

/// Postgres's clock, for those who have no probe running. Asks no table: there may be no schema yet.
pub(crate) async fn now(db: impl PgExecutor<'_>) -> Result<DateTime<Utc>, StoreError> {
    Ok(sqlx::query_scalar!(r#"select clock_timestamp() as "at!""#).fetch_one(db).await?)
}
