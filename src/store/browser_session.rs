//! Who is signed in where.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::{StoreError, known};
use crate::{domain::digest::Digest, domain::ids::PersonId, store::person::Person};

/// Idle for this long ends a session (security.md S-28).
const IDLE: TimeDelta = TimeDelta::minutes(30);
/// And this long in any case.
const ABSOLUTE: TimeDelta = TimeDelta::hours(12);
/// `seen_at` is written no more often.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug, Clone)]
pub(crate) struct BrowserSession {
    pub(crate) person: Person,
    pub(crate) lineage: Uuid,
    /// When the person signed in.
    pub(crate) created_at: DateTime<Utc>,
    /// Long enough since it was last written that it is worth writing again.
    pub(crate) is_due_to_be_seen: bool,
    /// Named by the command; those of the `OPERATORS` setting are not known here.
    pub(crate) is_granted_operator: bool,
}

/// Written once: a session that was signed out cannot come back.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    session: &Digest,
    person_id: PersonId,
    lineage: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into browser_session (session_digest, person_id, lineage, created_at, seen_at, expires_at)
         values ($1, $2, $3, $4, $4, $5)",
        session.as_slice(),
        person_id as PersonId,
        lineage,
        now,
        now + ABSOLUTE,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A live session with its person.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    session: &Digest,
    now: DateTime<Utc>,
) -> Result<Option<BrowserSession>, StoreError> {
    let row = sqlx::query!(
        r#"select person_id as "person_id: PersonId", p.data_centre, p.zuid, p.display_name, p.email,
                  s.lineage, s.created_at, s.seen_at,
                  exists (select from operator o where o.data_centre = p.data_centre and o.zuid = p.zuid) as "is_operator!"
           from browser_session s join person p using (person_id)
           where s.session_digest = $1 and s.expires_at > $2 and s.seen_at > $3"#,
        session.as_slice(),
        now,
        now - IDLE,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(BrowserSession {
            person: Person {
                person_id: row.person_id,
                data_centre: known(&row.data_centre, "person.data_centre")?,
                zuid: known(&row.zuid, "person.zuid")?,
                display_name: row.display_name,
                email: row.email,
            },
            lineage: row.lineage,
            created_at: row.created_at,
            is_due_to_be_seen: now - row.seen_at > SEEN_EVERY,
            is_granted_operator: row.is_operator,
        })
    })
    .transpose()
}

pub(crate) async fn update_seen(
    db: impl PgExecutor<'_>,
    session: &Digest,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!("update browser_session set seen_at = $2 where session_digest = $1", session.as_slice(), now)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends a session; tells whose it was and the lineage it handed on.
pub(crate) async fn delete(db: impl PgExecutor<'_>, session: &Digest) -> Result<Option<(PersonId, Uuid)>, StoreError> {
    let row = sqlx::query!(
        r#"delete from browser_session where session_digest = $1 returning person_id as "person_id: PersonId", lineage"#,
        session.as_slice(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.person_id, row.lineage)))
}

/// Sweeps what has ended, a batch at a time.
pub(crate) async fn delete_ended(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from browser_session where session_digest in (
             select session_digest from browser_session where expires_at <= $1 or seen_at <= $2
             order by expires_at limit 500 for update skip locked)",
        now,
        now - IDLE,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Ends all sessions of a person: their rights became others (security.md S-26).
pub(crate) async fn delete_of_person(db: impl PgExecutor<'_>, person_id: PersonId) -> Result<(), StoreError> {
    sqlx::query!("delete from browser_session where person_id = $1", person_id as PersonId).execute(db).await?;
    Ok(())
}
