//! People who run the installation, as the command named them; those of the `OPERATORS` setting are
//! not here. Below: what operators look at, which names no sealed column.

pub(crate) mod connection;
pub(crate) mod connections;
pub(crate) mod health;
pub(crate) mod tenants;
pub(crate) mod views;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{StoreError, known};
use crate::domain::person::PersonKey;

/// True where the person was no operator by command before.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    person: &PersonKey,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into operator (data_centre, zuid, granted_at) values ($1, $2, $3) on conflict do nothing",
        person.data_centre.key(),
        person.zuid.as_str(),
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// True where there was something to take away.
pub(crate) async fn delete(db: impl PgExecutor<'_>, person: &PersonKey) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from operator where data_centre = $1 and zuid = $2",
        person.data_centre.key(),
        person.zuid.as_str(),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) person: PersonKey,
    pub(crate) granted_at: DateTime<Utc>,
}

pub(crate) async fn list(db: impl PgExecutor<'_>) -> Result<Vec<Operator>, StoreError> {
    let rows = sqlx::query!("select data_centre, zuid, granted_at from operator order by data_centre, zuid")
        .fetch_all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            let person = PersonKey {
                data_centre: known(&row.data_centre, "operator.data_centre")?,
                zuid: known(&row.zuid, "operator.zuid")?,
            };
            Ok(Operator { person, granted_at: row.granted_at })
        })
        .collect()
}
