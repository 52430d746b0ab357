//! Steps 3 to 6, seen from the browser that came back.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    attempt::{LIFE, OpenedAttempt, digest_of_state},
    begin::scopes_of,
    exchange,
    judge::{Verdict, judge},
    landing,
    take::{Spending, spend, take_for_certain},
};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        digest::{Digest, digest},
        ids::RequestId,
        secret::{AuthorizationCode, SessionToken, StateNonce},
    },
    store::{
        StoreError,
        browser_session::BrowserSession,
        login_attempt::{First, Purpose, ReturnedAttempt},
    },
};

/// How long a browser waits before it is shown the finishing page instead.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// Still under way, since then if we know: the finishing page.
    UnderWay { since: Option<DateTime<Utc>> },
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

/// Completes an attempt whose cookie was opened; `None` where there was none that opens.
pub(crate) async fn complete(
    app: &Arc<App>,
    arrival: Arrival,
    opened: Option<OpenedAttempt>,
    visit: Visit,
) -> Result<Completed, Refused> {
    let now = app.clock.shared_now();
    let state_digest = digest_of_state(&arrival.state);
    let Some(opened) = opened.filter(|opened| opened.is_for(&state_digest) && is_of_age(app, opened, now)) else {
        return landing::history(app, &state_digest, visit.session.as_ref()).await;
    };
    let code_digest = match &arrival.answer {
        Answer::Code(code) => Some(digest(code.expose().as_bytes())),
        Answer::Error(_) | Answer::Senseless => None,
    };
    let code_digest = code_digest.as_ref();
    let (data_centre, verdict) = judge(&app.config.zoho, &opened, arrival, &visit);
    let returned = returned(app, &opened, &visit, data_centre);
    match verdict {
        Verdict::Exchange(code) => take_and_exchange(app, opened, returned, code, visit.session, now).await,
        Verdict::Refuse(refused, action) => {
            let spending = Spending { first: First::Refused { code_digest }, action, detail: None, refused };
            spend(app, &opened, &returned, spending, now).await
        }
        Verdict::Fail(failure) => {
            let landing = failure.landing();
            let first = First::Failed { code_digest, landing: &landing };
            let spending =
                Spending { first, action: "sign_in_failed", detail: Some(failure.slug()), refused: Refused::Attempt };
            spend(app, &opened, &returned, spending, now).await
        }
    }
}

pub(super) fn is_of_age(app: &App, opened: &OpenedAttempt, now: DateTime<Utc>) -> bool {
    let age = now - opened.attempt.started_at;
    // A little of the future is another replica's idea of shared time.
    age <= LIFE && age >= TimeDelta::seconds(-5) && opened.attempt.started_at >= app.readiness.attempts_from()
}

fn returned(app: &App, opened: &OpenedAttempt, visit: &Visit, data_centre: DataCentre) -> ReturnedAttempt {
    let attempt = &opened.attempt;
    // Who was signed in already stays so: other tabs' attempts belong to that session.
    let signs_in = attempt.purpose == Purpose::SignIn;
    let purpose = match attempt.purpose {
        // Whoever has signed in here meanwhile must be the one who consented (security.md S-4).
        Purpose::Onboarding { tenant_id, onboarding_link_id, person_id: None } => Purpose::Onboarding {
            tenant_id,
            onboarding_link_id,
            person_id: visit.session.as_ref().map(|session| session.person.person_id),
        },
        purpose => purpose,
    };
    ReturnedAttempt {
        state_digest: attempt.state_digest,
        purpose,
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

async fn take_and_exchange(
    app: &Arc<App>,
    opened: OpenedAttempt,
    returned: ReturnedAttempt,
    code: AuthorizationCode,
    session: Option<BrowserSession>,
    now: DateTime<Utc>,
) -> Result<Completed, Refused> {
    if let Some(retry_after) = app.limits.failed_exchanges.exceeded(&returned.peer) {
        return Err(Refused::TooManyFailures { retry_after });
    }
    let Some(permit) = app.limits.exchanges(returned.data_centre) else { return Err(Refused::Busy) };
    let code_digest = digest(code.expose().as_bytes());
    let verifier = opened.attempt.pkce_verifier();
    // The task goes on whatever becomes of the browser (security.md D-5, S-12).
    let task = {
        let (task_app, returned) = (Arc::clone(app), returned.clone());
        app.spawn(async move {
            let first = First::Exchanging { code_digest: &code_digest };
            let Some(attempt) = take_for_certain(&task_app, &returned, first, now).await? else { return Ok(None) };
            crate::fail_point!("after_take");
            Ok(exchange::run(&task_app, &attempt, &code, &verifier, permit).await)
        })
    };
    let until = tokio::time::Instant::now() + PATIENCE;
    match tokio::time::timeout_at(until, task).await {
        Ok(Ok(Err(error))) => return Err(Refused::Unavailable(error)),
        Ok(Err(panicked)) => tracing::error!(error = %panicked, "the task of an attempt ended early"),
        Ok(Ok(Ok(Some(landing)))) => {
            let session = returned.session_digest.map(|_| opened.session_token(&app.keys));
            return Ok(Completed::Landed { landing, session });
        }
        Ok(Ok(Ok(None))) => {}
        Err(_) => return Ok(Completed::UnderWay { since: Some(now) }),
    }
    landing::wait(app, &opened, &returned, &code_digest, session.as_ref(), until, now).await
}
