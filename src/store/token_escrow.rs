//! What Zoho just handed out, kept before anything else is asked of it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::digest::Digest;

/// How long whoever claimed an escrow has to settle it: longer than its calls to Zoho together,
/// and short enough that another replica settles within 30 s of a death (security.md R-4).
const CLAIM: TimeDelta = TimeDelta::seconds(25);

/// An escrow claimed for one try; `try_number` fences off whoever held it before.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) state_digest: Digest,
    pub(crate) grant_sealed: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) try_number: i32,
}

/// Keeps a grant, claimed for its first try. Idempotent, so that a commit in doubt is repeated; what
/// has landed meanwhile is not put back.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    state: &Digest,
    grant_sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let is_known = sqlx::query_scalar!(
        r#"with kept as (
               update login_attempt set stage = 'kept', landing = null, settled_at = null
               where state_digest = $1 and stage in ('exchanging', 'kept', 'unknown') returning state_digest),
           escrow as (
               insert into token_escrow (state_digest, grant_sealed, created_at, not_before, tries)
               select state_digest, $2, $3, $4, 1 from kept
               on conflict (state_digest) do nothing)
           select exists (select from login_attempt where state_digest = $1) as "is_known!""#,
        state.as_slice(),
        grant_sealed,
        now,
        now + CLAIM,
    )
    .fetch_one(db)
    .await?;
    if is_known { Ok(()) } else { Err(StoreError::Inconsistent("a grant without its attempt")) }
}

/// Claims escrows that nobody is settling.
pub(crate) async fn claim_due(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<Vec<Claimed>, StoreError> {
    let rows = sqlx::query!(
        "update token_escrow set not_before = $2, tries = tries + 1
         where state_digest in (select state_digest from token_escrow where not_before <= $1 order by not_before limit 8 for update skip locked)
         returning state_digest, grant_sealed, created_at, tries",
        now,
        now + CLAIM,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Claimed {
                state_digest: row
                    .state_digest
                    .try_into()
                    .map_err(|_| StoreError::Inconsistent("token_escrow.state_digest"))?,
                grant_sealed: row.grant_sealed,
                created_at: row.created_at,
                try_number: row.tries,
            })
        })
        .collect()
}

/// Ends an escrow within the transaction that settles it. False: another replica claimed it since.
pub(crate) async fn delete(db: impl PgExecutor<'_>, state: &Digest, try_number: i32) -> Result<bool, StoreError> {
    let done =
        sqlx::query!("delete from token_escrow where state_digest = $1 and tries = $2", state.as_slice(), try_number)
            .execute(db)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives an escrow back for a later try.
pub(crate) async fn update_not_before(
    db: impl PgExecutor<'_>,
    state: &Digest,
    try_number: i32,
    not_before: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update token_escrow set not_before = $3 where state_digest = $1 and tries = $2",
        state.as_slice(),
        try_number,
        not_before,
    )
    .execute(db)
    .await?;
    Ok(())
}
