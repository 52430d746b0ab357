//! Zoho users.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::{
    data_centre::DataCentre,
    ids::PersonId,
    person::{Profile, Zuid},
};

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) person_id: PersonId,
    pub(crate) data_centre: DataCentre,
    pub(crate) zuid: Zuid,
    pub(crate) display_name: String,
    pub(crate) email: String,
}

/// Who signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedIn {
    pub(crate) person_id: PersonId,
    /// They were never here before: nothing that is stored is theirs.
    pub(crate) is_new: bool,
}

/// The person of that data centre and ZUID, new or with today's name and address.
pub(crate) async fn upsert(
    db: impl PgExecutor<'_>,
    data_centre: DataCentre,
    profile: &Profile,
    now: DateTime<Utc>,
) -> Result<SignedIn, StoreError> {
    Ok(sqlx::query_as!(
        SignedIn,
        // Nobody has written a new row before.
        r#"insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at)
           values ($1, $2, $3, $4, $5, $6, $6)
           on conflict on constraint person_identity
           do update set display_name = excluded.display_name, email = excluded.email, signed_in_at = excluded.signed_in_at
           returning person_id as "person_id: PersonId", xmax = 0 as "is_new!""#,
        PersonId::new() as PersonId,
        data_centre.key(),
        profile.zuid.as_str(),
        profile.display_name,
        profile.email,
        now,
    )
    .fetch_one(db)
    .await?)
}

/// As `upsert`, of somebody who did not sign in: the time of the last sign-in stays.
pub(crate) async fn upsert_imported(
    db: impl PgExecutor<'_>,
    data_centre: DataCentre,
    profile: &Profile,
    now: DateTime<Utc>,
) -> Result<PersonId, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at)
           values ($1, $2, $3, $4, $5, $6, $6)
           on conflict on constraint person_identity do update set display_name = excluded.display_name, email = excluded.email
           returning person_id as "person_id: PersonId""#,
        PersonId::new() as PersonId,
        data_centre.key(),
        profile.zuid.as_str(),
        profile.display_name,
        profile.email,
        now,
    )
    .fetch_one(db)
    .await?)
}
