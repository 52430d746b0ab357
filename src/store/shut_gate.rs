//! Where replicas do not call Zoho as they would.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::StoreError;
use crate::domain::data_centre::DataCentre;

/// A row that was not written again for so long is of a replica that has gone.
pub(crate) const BELIEVED: TimeDelta = TimeDelta::seconds(15);

/// Puts what is shut at this replica in place of what was.
pub(crate) async fn replace(
    db: impl PgExecutor<'_>,
    replica_id: Uuid,
    shut: &[(DataCentre, &'static str)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (data_centres, states): (Vec<_>, Vec<_>) =
        shut.iter().map(|(data_centre, state)| (data_centre.key().to_owned(), (*state).to_owned())).unzip();
    sqlx::query!(
        "with open as (delete from shut_gate where replica_id = $1 and data_centre <> all($2))
         insert into shut_gate (replica_id, data_centre, state, seen_at)
         select $1, shut.data_centre, shut.state, $4 from unnest($2::text[], $3::text[]) shut (data_centre, state)
         on conflict (replica_id, data_centre) do update set state = excluded.state, seen_at = excluded.seen_at",
        replica_id,
        &data_centres,
        &states,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What replicas left behind that have gone.
pub(crate) async fn delete_old(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!("delete from shut_gate where seen_at < $1", now - BELIEVED).execute(db).await?;
    Ok(())
}

/// The worst that stands somewhere; absent where all gates are open.
pub(crate) async fn find_worst(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar!("select state from shut_gate where seen_at >= $1 order by state limit 1", now - BELIEVED,)
        .fetch_optional(db)
        .await?)
}
