//! Attempts that came back. The insert is what makes a state, and a code, single use.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::{StoreError, known};
use crate::domain::{
    data_centre::DataCentre,
    digest::Digest,
    ids::{ConnectionId, OnboardingLinkId, PersonId, RequestId, TenantId},
    product::Product,
    return_path::ReturnPath,
    scope::ScopeSet,
};

/// What an attempt was begun for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Sign in, and connect a product (if any) to the person's own tenant.
    SignIn,
    /// A signed-in person connects a product to this tenant.
    Connect { tenant_id: TenantId, person_id: PersonId },
    /// A signed-in person renews this connection.
    Reconnect { tenant_id: TenantId, connection_id: ConnectionId, person_id: PersonId },
    /// Somebody follows an invitation to this tenant; a person where one is signed in.
    Onboarding { tenant_id: TenantId, onboarding_link_id: OnboardingLinkId, person_id: Option<PersonId> },
}

impl Purpose {
    pub(crate) const fn key(&self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Connect { .. } => "connect",
            Self::Reconnect { .. } => "reconnect",
            Self::Onboarding { .. } => "onboarding",
        }
    }

    pub(crate) const fn tenant_id(&self) -> Option<TenantId> {
        match self {
            Self::SignIn => None,
            Self::Connect { tenant_id, .. }
            | Self::Reconnect { tenant_id, .. }
            | Self::Onboarding { tenant_id, .. } => Some(*tenant_id),
        }
    }

    pub(crate) const fn connection_id(&self) -> Option<ConnectionId> {
        match self {
            Self::Reconnect { connection_id, .. } => Some(*connection_id),
            Self::SignIn | Self::Connect { .. } | Self::Onboarding { .. } => None,
        }
    }

    pub(crate) const fn onboarding_link_id(&self) -> Option<OnboardingLinkId> {
        match self {
            Self::Onboarding { onboarding_link_id, .. } => Some(*onboarding_link_id),
            Self::SignIn | Self::Connect { .. } | Self::Reconnect { .. } => None,
        }
    }

    pub(crate) const fn person_id(&self) -> Option<PersonId> {
        match self {
            Self::SignIn => None,
            Self::Connect { person_id, .. } | Self::Reconnect { person_id, .. } => Some(*person_id),
            Self::Onboarding { person_id, .. } => *person_id,
        }
    }
}

/// An attempt whose browser came back: what its row will say.
#[derive(Debug, Clone)]
pub(crate) struct ReturnedAttempt {
    pub(crate) state_digest: Digest,
    pub(crate) purpose: Purpose,
    pub(crate) offline: bool,
    pub(crate) data_centre: DataCentre,
    pub(crate) product: Option<Product>,
    pub(crate) scopes_requested: ScopeSet,
    pub(crate) return_path: ReturnPath,
    /// The session it signs in, `None` where it signs nobody in.
    pub(crate) session_digest: Option<Digest>,
    pub(crate) replaces_session_digest: Option<Digest>,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

/// An attempt that is ours to finish. Only this module makes one: by `take`, and for whoever picks up
/// an escrow.
#[derive(Debug, Clone)]
pub(crate) struct TakenAttempt(ReturnedAttempt);

impl std::ops::Deref for TakenAttempt {
    type Target = ReturnedAttempt;

    fn deref(&self) -> &ReturnedAttempt {
        &self.0
    }
}

/// How far an attempt is that somebody else took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    UnderWay,
    /// Ended well or on a failure page: both have a landing.
    Landed {
        landing: String,
        settled_at: DateTime<Utc>,
        person_id: Option<PersonId>,
    },
    Refused,
}

#[derive(Debug, Clone)]
pub(crate) struct KnownAttempt {
    pub(crate) taken_at: DateTime<Utc>,
    pub(crate) code_digest: Option<Digest>,
    pub(crate) signs_in: bool,
    /// Ended well.
    pub(crate) is_settled: bool,
    pub(crate) stage: Stage,
}

/// How an attempt begins its life as a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First<'a> {
    /// Ours to exchange.
    Exchanging { code_digest: &'a Digest },
    /// Spent without a call to Zoho.
    Refused { code_digest: Option<&'a Digest> },
    /// Zoho sent an error, or the data centre is off: spent, with a page that explains.
    Failed { code_digest: Option<&'a Digest>, landing: &'a str },
}

impl<'a> First<'a> {
    pub(crate) const fn code_digest(&self) -> Option<&'a Digest> {
        match self {
            Self::Exchanging { code_digest } => Some(code_digest),
            Self::Refused { code_digest } | Self::Failed { code_digest, .. } => *code_digest,
        }
    }

    pub(crate) const fn landing(&self) -> Option<&'a str> {
        match self {
            Self::Failed { landing, .. } => Some(landing),
            Self::Exchanging { .. } | Self::Refused { .. } => None,
        }
    }

    /// Where the code was used up by another state, this one is spent without it.
    pub(crate) const fn without_code(self) -> Self {
        match self {
            Self::Failed { landing, .. } => Self::Failed { code_digest: None, landing },
            Self::Exchanging { .. } | Self::Refused { .. } => Self::Refused { code_digest: None },
        }
    }

    const fn stage(&self) -> &'static str {
        match self {
            Self::Exchanging { .. } => "exchanging",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
        }
    }
}

/// Takes the attempt this state stands for, so that nobody can take it, nor its code, again.
/// `None`: somebody did already.
pub(crate) async fn take(
    db: impl PgExecutor<'_>,
    owner: Uuid,
    attempt: &ReturnedAttempt,
    first: First<'_>,
    now: DateTime<Utc>,
) -> Result<Option<TakenAttempt>, StoreError> {
    let landing = first.landing();
    // No conflict target: the state and the code are each single use.
    let done = sqlx::query!(
        "insert into login_attempt (state_digest, code_digest, owner, stage, purpose, offline, data_centre, product, scopes_requested,
             tenant_id, connection_id, person_id, return_path, session_digest, replaces_session_digest, landing, request_id, peer,
             taken_at, settled_at, onboarding_link_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
         on conflict do nothing",
        attempt.state_digest.as_slice(),
        first.code_digest().map(Digest::as_slice),
        owner,
        first.stage(),
        attempt.purpose.key(),
        attempt.offline,
        attempt.data_centre.key(),
        attempt.product.map(Product::key),
        attempt.scopes_requested.names(),
        attempt.purpose.tenant_id() as Option<TenantId>,
        attempt.purpose.connection_id() as Option<ConnectionId>,
        attempt.purpose.person_id() as Option<PersonId>,
        attempt.return_path.as_str(),
        attempt.session_digest.as_ref().map(Digest::as_slice),
        attempt.replaces_session_digest.as_ref().map(Digest::as_slice),
        landing,
        attempt.request_id as RequestId,
        attempt.peer,
        now,
        landing.map(|_| now),
        attempt.purpose.onboarding_link_id() as Option<OnboardingLinkId>,
    )
    .execute(db)
    .await?;
    Ok((done.rows_affected() == 1).then(|| TakenAttempt(attempt.clone())))
}

/// What became of a state.
pub(crate) async fn find(db: impl PgExecutor<'_>, state: &Digest) -> Result<Option<KnownAttempt>, StoreError> {
    let row = sqlx::query!(
        r#"select taken_at, code_digest, stage, landing, settled_at, person_id as "person_id: PersonId", session_digest is not null as "signs_in!"
           from login_attempt where state_digest = $1"#,
        state.as_slice(),
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let is_settled = row.stage == "settled";
        let stage = match (row.stage.as_str(), row.landing, row.settled_at) {
            ("exchanging" | "kept", None, _) => Stage::UnderWay,
            ("settled" | "failed" | "unknown", Some(landing), Some(settled_at)) => {
                Stage::Landed { landing, settled_at, person_id: row.person_id }
            }
            ("refused", ..) => Stage::Refused,
            _ => return Err(StoreError::Inconsistent("login_attempt.stage")),
        };
        let code_digest = row.code_digest.map(|digest| as_digest(&digest)).transpose()?;
        Ok(KnownAttempt { taken_at: row.taken_at, code_digest, signs_in: row.signs_in, is_settled, stage })
    })
    .transpose()
}

/// The attempt behind an escrow.
pub(crate) async fn find_kept(db: impl PgExecutor<'_>, state: &Digest) -> Result<Option<TakenAttempt>, StoreError> {
    find_taken(db, state, "kept", None).await
}

/// The attempt of that state, if it was this owner who took it and nobody has exchanged it yet.
pub(crate) async fn find_owned(
    db: impl PgExecutor<'_>,
    owner: Uuid,
    state: &Digest,
) -> Result<Option<TakenAttempt>, StoreError> {
    find_taken(db, state, "exchanging", Some(owner)).await
}

async fn find_taken(
    db: impl PgExecutor<'_>,
    state: &Digest,
    stage: &str,
    owner: Option<Uuid>,
) -> Result<Option<TakenAttempt>, StoreError> {
    let row = sqlx::query!(
        r#"select purpose, offline, data_centre, product, scopes_requested, tenant_id as "tenant_id: TenantId",
                  connection_id as "connection_id: ConnectionId", person_id as "person_id: PersonId",
                  onboarding_link_id as "onboarding_link_id: OnboardingLinkId", return_path, session_digest,
                  replaces_session_digest, request_id as "request_id: RequestId", peer
           from login_attempt where state_digest = $1 and stage = $2 and ($3::uuid is null or owner = $3)"#,
        state.as_slice(),
        stage,
        owner,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let purpose = match (row.purpose.as_str(), row.tenant_id, row.connection_id, row.person_id) {
            ("sign_in", ..) => Purpose::SignIn,
            ("connect", Some(tenant_id), _, Some(person_id)) => Purpose::Connect { tenant_id, person_id },
            ("reconnect", Some(tenant_id), Some(connection_id), Some(person_id)) => {
                Purpose::Reconnect { tenant_id, connection_id, person_id }
            }
            ("onboarding", Some(tenant_id), _, person_id) => Purpose::Onboarding {
                tenant_id,
                onboarding_link_id: row
                    .onboarding_link_id
                    .ok_or(StoreError::Inconsistent("login_attempt.onboarding_link_id"))?,
                person_id,
            },
            _ => return Err(StoreError::Inconsistent("login_attempt.purpose")),
        };
        Ok(TakenAttempt(ReturnedAttempt {
            state_digest: *state,
            purpose,
            offline: row.offline,
            data_centre: known(&row.data_centre, "login_attempt.data_centre")?,
            product: row.product.map(|product| known(&product, "login_attempt.product")).transpose()?,
            scopes_requested: ScopeSet::from_stored(row.scopes_requested),
            return_path: ReturnPath::parse(&row.return_path)
                .ok_or(StoreError::Inconsistent("login_attempt.return_path"))?,
            session_digest: row.session_digest.map(|digest| as_digest(&digest)).transpose()?,
            replaces_session_digest: row.replaces_session_digest.map(|digest| as_digest(&digest)).transpose()?,
            request_id: row.request_id,
            peer: row.peer,
        }))
    })
    .transpose()
}

/// The end of an attempt that was taken: where it led, and who it was.
pub(crate) async fn update_landed(
    db: impl PgExecutor<'_>,
    state: &Digest,
    settled: bool,
    person_id: Option<PersonId>,
    landing: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update login_attempt set stage = $2, person_id = coalesce($3, person_id), landing = $4, settled_at = $5
         where state_digest = $1 and stage in ('exchanging', 'kept')",
        state.as_slice(),
        if settled { "settled" } else { "failed" },
        person_id as Option<PersonId>,
        landing,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Attempts whose program died between exchange and escrow: nobody knows what Zoho answered
/// (security.md R-4). Told to the browser, and counted by the caller.
pub(crate) async fn update_lost(db: impl PgExecutor<'_>, landing: &str, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "update login_attempt set stage = 'unknown', landing = $1, settled_at = $2 where stage = 'exchanging' and taken_at < $3",
        landing,
        now,
        now - TimeDelta::minutes(2),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Sweeps rows long past their cookie; one with an escrow stays.
pub(crate) async fn delete_old(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from login_attempt where state_digest in (
             select a.state_digest from login_attempt a
             where a.taken_at < $1 and not exists (select from token_escrow e where e.state_digest = a.state_digest)
             order by a.taken_at limit 500 for update skip locked)",
        now - TimeDelta::hours(24),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

fn as_digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Inconsistent("login_attempt digest"))
}
