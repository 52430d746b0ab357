//! Steps 3 to 6, seen from the browser that came back.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Failure,
    attempt::{LIFE, OpenedAttempt, digest_of_state},
    begin::scopes_of,
    exchange,
    place::{NotPlaced, place},
    settle::event,
};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::RequestId,
        secret::{AuthorizationCode, SessionToken, StateNonce},
    },
    store::{
        StoreError, audit_event,
        browser_session::BrowserSession,
        login_attempt::{self, First, KnownAttempt, Purpose, Stage, TakenAttempt},
    },
    vault::seal::{Digest, digest},
};

/// How long a browser waits before it is shown the finishing page instead.
const PATIENCE: Duration = Duration::from_secs(5);
/// For so long after landing, a late duplicate is shown what the first delivery showed (security.md
/// S-7).
pub(crate) const RECOGNIZED: TimeDelta = TimeDelta::seconds(60);
/// How long a commit in doubt is looked into (security.md R-3).
const DOUBT: Duration = Duration::from_secs(60);

/// What the query said besides the state.
#[derive(Debug)]
pub(crate) enum Answer {
    Code(AuthorizationCode),
    /// The error's name: `access_denied` where the person refused.
    Error(String),
    /// Both or neither: no answer of Zoho's.
    Senseless,
}

#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) state: StateNonce,
    pub(crate) answer: Answer,
    pub(crate) location: Option<String>,
    pub(crate) accounts_server: Option<String>,
}

/// Who came back.
#[derive(Debug)]
pub(crate) struct Visit {
    /// The digest of the session cookie that was presented, whether it is alive or not.
    pub(crate) session_digest: Option<Digest>,
    pub(crate) session: Option<BrowserSession>,
    pub(crate) peer: String,
    pub(crate) request_id: RequestId,
}

#[derive(Debug)]
pub(crate) enum Completed {
    /// Go there; with the session to set, if this attempt signs in and it is the moment.
    Landed { landing: String, session: Option<SessionToken> },
    /// Still under way: the finishing page.
    UnderWay,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Missing, altered, old, used, another code's: one constant page for all of it (S-2).
    #[error("the attempt does not count here")]
    Attempt,
    #[error("the attempt was begun by somebody else")]
    WrongPerson,
    #[error("the callback names a foreign data centre")]
    DataCentre,
    #[error("too many exchanges of this peer failed")]
    TooManyFailures { retry_after: Duration },
    #[error("too many exchanges are under way")]
    Busy,
    #[error("the database is not there")]
    Unavailable(#[source] StoreError),
}

/// What is decided before the state is consumed.
enum Verdict {
    Exchange(AuthorizationCode),
    Refuse(Refused, &'static str),
    Fail(Failure),
}

/// Completes an attempt whose cookie was opened; `None` where there was none that opens.
pub(crate) async fn complete(
    app: &Arc<App>,
    arrival: Arrival,
    opened: Option<OpenedAttempt>,
    visit: Visit,
) -> Result<Completed, Refused> {
    if let Some(retry_after) = app.limits.failed_exchanges.exceeded(&visit.peer) {
        return Err(Refused::TooManyFailures { retry_after });
    }
    let now = app.clock.shared_now();
    let state_digest = digest_of_state(&arrival.state);
    let opened =
        opened.filter(|opened| opened.is_for(&state_digest) && is_of_age(app, opened, now)).ok_or(Refused::Attempt)?;
    let code_digest = match &arrival.answer {
        Answer::Code(code) => Some(digest(code.expose().as_bytes())),
        Answer::Error(_) | Answer::Senseless => None,
    };
    let (data_centre, verdict) = judge(app, &opened, arrival, &visit);
    let taken = taken(app, &opened, &visit, data_centre);
    match verdict {
        Verdict::Refuse(refused, action) => {
            spend(app, &opened, &taken, First::Refused { code_digest: code_digest.as_ref() }, action, refused, now)
                .await
        }
        Verdict::Fail(failure) => {
            let landing = failure.landing();
            let first = First::Failed { code_digest: code_digest.as_ref(), landing: &landing };
            spend(app, &opened, &taken, first, failure.slug(), Refused::Attempt, now).await
        }
        Verdict::Exchange(code) => take_and_exchange(app, opened, taken, code, visit.session, now).await,
    }
}

/// Finds the landing of an attempt that was under way, for the finishing page.
pub(crate) async fn finish(
    app: &App,
    opened: &OpenedAttempt,
    session: Option<&BrowserSession>,
) -> Result<Completed, Refused> {
    let known =
        login_attempt::find(app.pools.critical(), &opened.attempt.state_digest).await.map_err(Refused::Unavailable)?;
    let known = known.ok_or(Refused::Attempt)?;
    answer_known(app, opened, &known, session).ok_or(Refused::Attempt)?
}

fn is_of_age(app: &App, opened: &OpenedAttempt, now: DateTime<Utc>) -> bool {
    let age = now - opened.attempt.started_at;
    // A little of the future is another replica's idea of shared time.
    age <= LIFE && age >= TimeDelta::seconds(-5) && opened.attempt.started_at >= app.readiness.attempts_from()
}

fn judge(app: &App, opened: &OpenedAttempt, arrival: Arrival, visit: &Visit) -> (DataCentre, Verdict) {
    let attempt = &opened.attempt;
    let begun_at = attempt.started_at_data_centre;
    let begun_by_this_session = match attempt.purpose.person_id() {
        None => true,
        Some(person_id) => visit
            .session
            .as_ref()
            .is_some_and(|session| session.person.person_id == person_id && Some(session.lineage) == attempt.lineage),
    };
    if !begun_by_this_session {
        return (begun_at, Verdict::Refuse(Refused::WrongPerson, "attempt_of_somebody_else"));
    }
    let placed = place(&app.config.zoho, begun_at, arrival.location.as_deref(), arrival.accounts_server.as_deref());
    match (placed, arrival.answer) {
        (Err(NotPlaced::Refused), _) => (begun_at, Verdict::Refuse(Refused::DataCentre, "data_centre_refused")),
        (_, Answer::Senseless) => (begun_at, Verdict::Refuse(Refused::Attempt, "callback_refused")),
        (Err(NotPlaced::Failed(failure)), _) => (begun_at, Verdict::Fail(failure)),
        (Ok(data_centre), Answer::Error(error)) if error.eq_ignore_ascii_case("access_denied") => {
            (data_centre, Verdict::Fail(Failure::AccessDenied))
        }
        (Ok(data_centre), Answer::Error(_)) => (data_centre, Verdict::Fail(Failure::Misbehaved)),
        (Ok(data_centre), Answer::Code(code)) => (data_centre, Verdict::Exchange(code)),
    }
}

fn taken(app: &App, opened: &OpenedAttempt, visit: &Visit, data_centre: DataCentre) -> TakenAttempt {
    let attempt = &opened.attempt;
    // Who was signed in already stays so: other tabs' attempts belong to that session.
    let signs_in = attempt.purpose == Purpose::SignIn;
    TakenAttempt {
        state_digest: attempt.state_digest,
        purpose: attempt.purpose,
        offline: attempt.offline,
        data_centre,
        product: attempt.product,
        scopes_requested: scopes_of(app, attempt.product, &attempt.extra_scopes),
        return_path: attempt.return_path.clone(),
        session_digest: signs_in.then(|| digest(opened.session_token(&app.keys).expose().as_bytes())),
        replaces_session_digest: visit.session_digest.filter(|_| signs_in),
        request_id: visit.request_id,
        peer: visit.peer.clone(),
    }
}

/// Consumes a state without any call to Zoho. Somebody who delivered it before decides the answer.
async fn spend(
    app: &App,
    opened: &OpenedAttempt,
    taken: &TakenAttempt,
    first: First<'_>,
    action: &'static str,
    refused: Refused,
    now: DateTime<Utc>,
) -> Result<Completed, Refused> {
    let owner = Uuid::now_v7();
    let mut first = first;
    let mut won =
        login_attempt::take(app.pools.critical(), owner, taken, first, now).await.map_err(Refused::Unavailable)?;
    let known = login_attempt::find(app.pools.critical(), &taken.state_digest).await.map_err(Refused::Unavailable)?;
    if known.is_none() {
        // The code was known from another state: this state is spent without it.
        first = match first {
            First::Failed { landing, .. } => First::Failed { code_digest: None, landing },
            First::Exchanging { .. } | First::Refused { .. } => First::Refused { code_digest: None },
        };
        won =
            login_attempt::take(app.pools.critical(), owner, taken, first, now).await.map_err(Refused::Unavailable)?;
    }
    if won {
        let outcome = if matches!(first, First::Failed { .. }) { "failed" } else { "refused" };
        let event = event(taken, taken.purpose.person_id(), action, outcome);
        audit_event::insert(app.pools.engine(), &event, now).await.map_err(Refused::Unavailable)?;
        return match first {
            First::Failed { landing, .. } => Ok(Completed::Landed { landing: landing.to_owned(), session: None }),
            First::Exchanging { .. } | First::Refused { .. } => Err(refused),
        };
    }
    match known {
        Some(known) if matches!(first, First::Failed { .. }) && known.code_digest.is_none() => {
            answer_known(app, opened, &known, None).unwrap_or(Err(Refused::Attempt))
        }
        _ => Err(Refused::Attempt),
    }
}

async fn take_and_exchange(
    app: &Arc<App>,
    opened: OpenedAttempt,
    taken: TakenAttempt,
    code: AuthorizationCode,
    session: Option<BrowserSession>,
    now: DateTime<Utc>,
) -> Result<Completed, Refused> {
    let Some(permit) = app.limits.exchanges(taken.data_centre) else { return Err(Refused::Busy) };
    let code_digest = digest(code.expose().as_bytes());
    let verifier = opened.attempt.pkce_verifier();
    // The task goes on whatever becomes of the browser (security.md D-5, S-12).
    let task = {
        let (app, attempt) = (Arc::clone(app), taken.clone());
        app.clone().spawn(async move {
            let won = take_for_certain(&app, &attempt, First::Exchanging { code_digest: &code_digest }, now).await?;
            if won {
                fail_point_after_take().await;
                exchange::run(&app, &attempt, &code, &verifier).await;
            }
            drop(permit);
            Ok(())
        })
    };
    let until = tokio::time::Instant::now() + PATIENCE;
    match tokio::time::timeout_at(until, task).await {
        Ok(Ok(Err(error))) => return Err(Refused::Unavailable(error)),
        Ok(Err(panicked)) => tracing::error!(error = %panicked, "the task of an attempt ended early"),
        Ok(Ok(Ok(()))) => {}
        Err(_) => return Ok(Completed::UnderWay),
    }
    wait_for_landing(app, &opened, &taken, &code_digest, session.as_ref(), until, now).await
}

async fn fail_point_after_take() {
    crate::fail_point!("after_take");
}

/// Whoever did not win shows what the winner shows.
async fn wait_for_landing(
    app: &App,
    opened: &OpenedAttempt,
    taken: &TakenAttempt,
    code_digest: &Digest,
    session: Option<&BrowserSession>,
    until: tokio::time::Instant,
    now: DateTime<Utc>,
) -> Result<Completed, Refused> {
    let mut pause = Duration::from_millis(25);
    loop {
        let known = match login_attempt::find(app.pools.critical(), &taken.state_digest).await {
            Ok(Some(known)) => known,
            Ok(None) => {
                // Not our state but our code was taken: it is not presented again (security.md S-8).
                let refused = First::Refused { code_digest: None };
                return spend(app, opened, taken, refused, "code_of_another_state", Refused::Attempt, now).await;
            }
            Err(_) => return Ok(Completed::UnderWay),
        };
        if known.code_digest.as_ref() != Some(code_digest) {
            return Err(Refused::Attempt);
        }
        if let Some(Ok(Completed::UnderWay)) = answer_known(app, opened, &known, session) {
            if tokio::time::Instant::now() + pause >= until {
                return Ok(Completed::UnderWay);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
            continue;
        }
        return answer_known(app, opened, &known, session).unwrap_or(Err(Refused::Attempt));
    }
}

/// What a browser is told about an attempt that was taken; `None` where it was refused.
fn answer_known(
    app: &App,
    opened: &OpenedAttempt,
    known: &KnownAttempt,
    session: Option<&BrowserSession>,
) -> Option<Result<Completed, Refused>> {
    match &known.stage {
        Stage::UnderWay => Some(Ok(Completed::UnderWay)),
        Stage::Refused => None,
        Stage::Landed { landing, settled_at, person_id } => {
            let landing = landing.clone();
            if app.clock.shared_now() - *settled_at <= RECOGNIZED {
                let signs_in = known.signs_in && person_id.is_some() && known.is_settled;
                let session = signs_in.then(|| opened.session_token(&app.keys));
                return Some(Ok(Completed::Landed { landing, session }));
            }
            // History (security.md S-7): only for the person whom it concerns.
            let is_theirs = session.is_some_and(|session| Some(session.person.person_id) == *person_id);
            Some(if is_theirs { Ok(Completed::Landed { landing, session: None }) } else { Err(Refused::Attempt) })
        }
    }
}

/// Takes an attempt although the connection may break in the middle: the same insert again tells,
/// by `owner`, who won (security.md R-3).
async fn take_for_certain(
    app: &App,
    attempt: &TakenAttempt,
    first: First<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let owner = Uuid::now_v7();
    let db = app.pools.critical();
    let until = tokio::time::Instant::now() + DOUBT;
    let mut in_doubt = false;
    loop {
        let error = match login_attempt::take(db, owner, attempt, first, now).await {
            Ok(true) => return Ok(true),
            Ok(false) if !in_doubt => return Ok(false),
            Ok(false) => match login_attempt::find(db, &attempt.state_digest).await {
                Ok(known) => return Ok(known.is_some_and(|known| known.owner == owner)),
                Err(error) => error,
            },
            Err(error) if error.is_certain_not_to_have_run() && !in_doubt => return Err(error),
            Err(error) => error,
        };
        in_doubt = true;
        if tokio::time::Instant::now() > until {
            return Err(error);
        }
        tracing::warn!(error = %error, request.id = %attempt.request_id, "whether an attempt was taken is in doubt; asking again");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
