//! How links end: the grant that rested is erased with it.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    domain::{
        ids::{ConnectionId, OnboardingLinkId},
        onboarding::Refusal,
    },
    store::StoreError,
};

/// What a link came to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Connected(ConnectionId),
    Refused(Refusal),
    Expired,
    Withdrawn,
}

impl End {
    const fn state(self) -> &'static str {
        match self {
            Self::Connected(_) => "connected",
            Self::Refused(_) => "refused",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Ends a link, once. False: it had ended.
pub(crate) async fn update_ended(
    db: impl PgExecutor<'_>,
    id: OnboardingLinkId,
    end: End,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (connection_id, refusal) = match end {
        End::Connected(connection_id) => (Some(connection_id), None),
        End::Refused(refusal) => (None, Some(refusal)),
        End::Expired | End::Withdrawn => (None, None),
    };
    let done = sqlx::query!(
        "update onboarding_link set state = $2, refused_because = $3, connection_id = $4, grant_sealed = null, ended_at = $5, due_at = null
         where onboarding_link_id = $1 and ended_at is null",
        id as OnboardingLinkId,
        end.state(),
        refusal.map(Refusal::key),
        connection_id as Option<ConnectionId>,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One link whose time is up, locked; what another replica holds is passed over.
pub(crate) async fn find_due(
    db: impl PgExecutor<'_>,
    now: DateTime<Utc>,
) -> Result<Option<OnboardingLinkId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select onboarding_link_id as "id: OnboardingLinkId" from onboarding_link
           where due_at <= $1 order by due_at limit 1 for update skip locked"#,
        now,
    )
    .fetch_optional(db)
    .await?)
}

/// What cannot end yet is looked at again then.
pub(crate) async fn update_due(
    db: impl PgExecutor<'_>,
    id: OnboardingLinkId,
    due_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update onboarding_link set due_at = $2 where onboarding_link_id = $1 and ended_at is null",
        id as OnboardingLinkId,
        due_at,
    )
    .execute(db)
    .await?;
    Ok(())
}
