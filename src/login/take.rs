//! Step 5: consuming a state, once across all replicas.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    attempt::OpenedAttempt,
    complete::{Completed, Refused},
    fail::event,
    landing::answer_known,
};
use crate::{
    app::App,
    store::{
        StoreError,
        audit_event::{self, AuditEvent},
        login_attempt::{self, First, ReturnedAttempt, Stage, TakenAttempt},
    },
    telemetry::chain,
};

/// How long a commit in doubt is looked into (security.md R-3).
const DOUBT: Duration = Duration::from_secs(60);

/// Why a state is consumed without any call to Zoho.
pub(super) struct Spending<'a> {
    pub(super) first: First<'a>,
    /// For the audit: what happened, and why where that does not say it.
    pub(super) action: &'static str,
    pub(super) detail: Option<&'static str>,
    /// What the browser is told where nothing landed.
    pub(super) refused: Refused,
}

/// Consumes a state without any call to Zoho, with its audit event. Somebody who delivered it before
/// decides the answer.
pub(super) async fn spend(
    app: &App,
    opened: &OpenedAttempt,
    returned: &ReturnedAttempt,
    spending: Spending<'_>,
    now: DateTime<Utc>,
) -> Result<Completed, Refused> {
    let Spending { first, action, detail, refused } = spending;
    let mut tx = app.pools.begin_as_engine().await.map_err(Refused::Unavailable)?;
    let owner = Uuid::now_v7();
    let mut taken = login_attempt::take(&mut *tx, owner, returned, first, now).await.map_err(Refused::Unavailable)?;
    if taken.is_none() {
        let known = login_attempt::find(&mut *tx, &returned.state_digest).await.map_err(Refused::Unavailable)?;
        if let Some(known) = known {
            return match known.stage {
                _ if known.code_digest.as_ref() != first.code_digest() => Err(Refused::Attempt),
                Stage::Refused => Err(refused),
                _ => answer_known(app, opened, &known, None).unwrap_or(Err(Refused::Attempt)),
            };
        }
        // The code was known from another state: this state is spent without it.
        taken = login_attempt::take(&mut *tx, owner, returned, first.without_code(), now)
            .await
            .map_err(Refused::Unavailable)?;
    }
    let taken = taken.ok_or(Refused::Attempt)?;
    let outcome = if first.landing().is_some() { "failed" } else { "refused" };
    let event =
        AuditEvent { detail: detail.map(str::to_owned), ..event(&taken, taken.purpose.person_id(), action, outcome) };
    audit_event::insert(&mut *tx, &event, now).await.map_err(Refused::Unavailable)?;
    tx.commit().await.map_err(Refused::Unavailable)?;
    metrics::counter!("attempts_total", "outcome" => detail.unwrap_or(action)).increment(1);
    match first.landing() {
        Some(landing) => Ok(Completed::Landed { landing: landing.to_owned(), session: None }),
        None => Err(refused),
    }
}

/// Takes an attempt although the connection may break in the middle: the same insert again tells,
/// by its owner, who won (security.md R-3). `None`: somebody else.
pub(super) async fn take_for_certain(
    app: &App,
    returned: &ReturnedAttempt,
    first: First<'_>,
    now: DateTime<Utc>,
) -> Result<Option<TakenAttempt>, StoreError> {
    let owner = Uuid::now_v7();
    let db = app.pools.critical();
    let until = tokio::time::Instant::now() + DOUBT;
    let mut in_doubt = false;
    loop {
        let error = match login_attempt::take(db, owner, returned, first, now).await {
            Ok(None) if in_doubt => match login_attempt::find_owned(db, owner, &returned.state_digest).await {
                Ok(owned) => return Ok(owned),
                Err(error) => error,
            },
            Ok(taken) => return Ok(taken),
            Err(error) if error.is_certain_not_to_have_run() && !in_doubt => return Err(error),
            Err(error) => error,
        };
        in_doubt = true;
        if tokio::time::Instant::now() > until {
            return Err(error);
        }
        tracing::warn!(error = chain(&error), request.id = %returned.request_id, "whether an attempt was taken is in doubt; asking again");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
