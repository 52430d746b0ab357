//! Refresh tokens that must die at Zoho, and the receipts.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::{StoreError, known, tx::Connection};
use crate::domain::{
    data_centre::DataCentre,
    ids::{ConnectionId, PersonId, RevocationId, TenantId},
};

/// How long one try may take before another replica may take over.
const CLAIM: TimeDelta = TimeDelta::seconds(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A newer token of the same connection is in use.
    Superseded,
    Disconnected,
    /// Granted, but nothing could be connected with it.
    NotConnected,
    OrganizationMismatch,
    /// Came where none was asked for.
    NotAskedFor,
}

impl Reason {
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Disconnected => "disconnected",
            Self::NotConnected => "not_connected",
            Self::OrganizationMismatch => "organization_mismatch",
            Self::NotAskedFor => "not_asked_for",
        }
    }
}

/// A token to revoke, sealed as it stands wherever it comes from.
#[derive(Debug)]
pub(crate) struct NewRevocation {
    pub(crate) revocation_id: RevocationId,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) person_id: Option<PersonId>,
    pub(crate) client_id: String,
    pub(crate) data_centre: DataCentre,
    pub(crate) reason: Reason,
    pub(crate) token_sealed: Vec<u8>,
    pub(crate) sealed_as: String,
    /// When it was granted: Zoho evicts the oldest.
    pub(crate) granted_at: DateTime<Utc>,
    pub(crate) due_at: DateTime<Utc>,
}

/// May be repeated where it is in doubt whether the first time counted.
pub(crate) async fn insert(db: impl PgExecutor<'_>, new: &NewRevocation, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into revocation (revocation_id, tenant_id, connection_id, person_id, client_id, data_centre, reason, token_sealed,
             sealed_as, created_at, due_at, granted_at, tries)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
         on conflict (revocation_id) do nothing",
        new.revocation_id as RevocationId,
        new.tenant_id as Option<TenantId>,
        new.connection_id as Option<ConnectionId>,
        new.person_id as Option<PersonId>,
        new.client_id,
        new.data_centre.key(),
        new.reason.key(),
        new.token_sealed,
        new.sealed_as,
        now,
        new.due_at,
        new.granted_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) revocation_id: RevocationId,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) client_id: String,
    pub(crate) data_centre: DataCentre,
    pub(crate) token_sealed: Vec<u8>,
    pub(crate) sealed_as: String,
    pub(crate) tries: i32,
}

/// Claims revocations that are due, or the one named if it is not done.
pub(crate) async fn claim_due(
    db: impl PgExecutor<'_>,
    only: Option<RevocationId>,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, StoreError> {
    let rows = sqlx::query!(
        r#"update revocation set due_at = $3, tries = tries + 1
           where revocation_id in (
               select revocation_id from revocation
               where done_at is null and due_at <= $1 and ($2::uuid is null or revocation_id = $2)
               order by due_at limit 16 for update skip locked)
           returning revocation_id as "revocation_id: RevocationId", tenant_id as "tenant_id: TenantId",
               connection_id as "connection_id: ConnectionId", client_id, data_centre,
               token_sealed as "token_sealed!", sealed_as, tries"#,
        now,
        only as Option<RevocationId>,
        now + CLAIM,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Claimed {
                revocation_id: row.revocation_id,
                tenant_id: row.tenant_id,
                connection_id: row.connection_id,
                client_id: row.client_id,
                data_centre: known(&row.data_centre, "revocation.data_centre")?,
                token_sealed: row.token_sealed,
                sealed_as: row.sealed_as,
                tries: row.tries,
            })
        })
        .collect()
}

/// It is over: the ciphertext is erased, the receipt stays. True for whoever wrote it.
pub(crate) async fn update_done(
    db: impl PgExecutor<'_>,
    revocation_id: RevocationId,
    outcome: &'static str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update revocation set done_at = $3, outcome = $2, token_sealed = null where revocation_id = $1 and done_at is null",
        revocation_id as RevocationId,
        outcome,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn update_due(
    db: impl PgExecutor<'_>,
    revocation_id: RevocationId,
    due_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update revocation set due_at = $2 where revocation_id = $1 and done_at is null",
        revocation_id as RevocationId,
        due_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    Now,
    /// There is no such row.
    Gone,
    /// Somebody is at it, or has done it: the token dies.
    TooLate,
}

/// Takes back a revocation that nobody has begun.
pub(crate) async fn delete(db: &mut Connection, revocation_id: RevocationId) -> Result<Deleted, StoreError> {
    let done = sqlx::query!(
        "delete from revocation where revocation_id = $1 and done_at is null and tries = 0",
        revocation_id as RevocationId,
    )
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Deleted::Now);
    }
    let stands = sqlx::query_scalar!(
        r#"select exists (select from revocation where revocation_id = $1) as "exists!""#,
        revocation_id as RevocationId,
    )
    .fetch_one(db)
    .await?;
    Ok(if stands { Deleted::TooLate } else { Deleted::Gone })
}

/// All that waits for this person becomes due: the next consent would evict a token in use.
pub(crate) async fn update_person_due(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update revocation set due_at = $2 where person_id = $1 and done_at is null and due_at > $2 and tries = 0",
        person_id as PersonId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How the last revocation of a disconnected connection stands.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) outcome: Option<String>,
    pub(crate) done_at: Option<DateTime<Utc>>,
    /// The next try.
    pub(crate) due_at: DateTime<Utc>,
}

pub(crate) async fn find_receipt(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<Option<Receipt>, StoreError> {
    Ok(sqlx::query_as!(
        Receipt,
        "select outcome, done_at, due_at from revocation
         where tenant_id = $1 and connection_id = $2 and reason = 'disconnected' order by created_at desc, revocation_id desc limit 1",
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(db)
    .await?)
}
