//! How refreshes went: one row per data centre, minute and outcome.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::data_centre::DataCentre;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) data_centre: DataCentre,
    pub(crate) minute: DateTime<Utc>,
    pub(crate) outcome: &'static str,
    pub(crate) refreshes: i64,
    pub(crate) total_ms: i64,
    pub(crate) longest_ms: i64,
}

/// Adds counts, many at once, in the order of the primary key: replicas that write the same rows do not wait for each
/// other in a circle.
pub(crate) async fn upsert(db: impl PgExecutor<'_>, counted: &[Counted]) -> Result<(), StoreError> {
    let numbers = |of: fn(&Counted) -> i64| counted.iter().map(of).collect::<Vec<_>>();
    let data_centres: Vec<_> = counted.iter().map(|counted| counted.data_centre.key().to_owned()).collect();
    let minutes: Vec<_> = counted.iter().map(|counted| counted.minute).collect();
    let outcomes: Vec<_> = counted.iter().map(|counted| counted.outcome.to_owned()).collect();
    sqlx::query!(
        "insert into refresh_minute (data_centre, minute, outcome, refreshes, total_ms, longest_ms)
         select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
         on conflict (data_centre, minute, outcome) do update set
             refreshes = refresh_minute.refreshes + excluded.refreshes, total_ms = refresh_minute.total_ms + excluded.total_ms,
             longest_ms = greatest(refresh_minute.longest_ms, excluded.longest_ms)",
        &data_centres,
        &minutes,
        &outcomes,
        &numbers(|counted| counted.refreshes),
        &numbers(|counted| counted.total_ms),
        &numbers(|counted| counted.longest_ms),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn delete_before(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!("delete from refresh_minute where minute < $1", before).execute(db).await?;
    Ok(())
}
