//! Where an attempt led: what every delivery of a callback, and the finishing page, is told.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    attempt::OpenedAttempt,
    complete::{Completed, Refused, is_of_age},
    take::{Spending, spend},
};
use crate::{
    app::App,
    domain::digest::Digest,
    store::{
        browser_session::BrowserSession,
        login_attempt::{self, First, KnownAttempt, ReturnedAttempt, Stage},
    },
};

/// For so long after landing, a late duplicate is shown what the first delivery showed (security.md
/// S-7).
pub(crate) const RECOGNIZED: TimeDelta = TimeDelta::seconds(60);

/// Finds the landing of an attempt that was under way, for the finishing page.
pub(crate) async fn finish(
    app: &App,
    opened: &OpenedAttempt,
    session: Option<&BrowserSession>,
) -> Result<Completed, Refused> {
    match login_attempt::find(app.pools.engine(), &opened.attempt.state_digest).await {
        Ok(Some(known)) => answer_known(app, opened, &known, session).unwrap_or(Err(Refused::Attempt)),
        // Whether it was taken is still being found out.
        Ok(None) if is_of_age(app, opened, app.clock.shared_now()) => Ok(Completed::UnderWay { since: None }),
        Ok(None) => Err(Refused::Attempt),
        Err(_) => Ok(Completed::UnderWay { since: None }),
    }
}

/// Without the cookie the address is history: only the person whom it concerns is shown where it led
/// (security.md S-7), and for whoever is signed out the database is not even asked.
pub(super) async fn history(app: &App, state: &Digest, session: Option<&BrowserSession>) -> Result<Completed, Refused> {
    let Some(session) = session else { return Err(Refused::Attempt) };
    match login_attempt::find(app.pools.engine(), state).await.map_err(Refused::Unavailable)? {
        Some(KnownAttempt { stage: Stage::Landed { landing, person_id, .. }, .. })
            if person_id == Some(session.person.person_id) =>
        {
            Ok(Completed::Landed { landing, session: None })
        }
        _ => Err(Refused::Attempt),
    }
}

/// Whoever did not win shows what the winner shows.
pub(super) async fn wait(
    app: &App,
    opened: &OpenedAttempt,
    returned: &ReturnedAttempt,
    code_digest: &Digest,
    session: Option<&BrowserSession>,
    until: tokio::time::Instant,
    now: DateTime<Utc>,
) -> Result<Completed, Refused> {
    let mut pause = Duration::from_millis(25);
    loop {
        let known = match login_attempt::find(app.pools.engine(), &returned.state_digest).await {
            Ok(Some(known)) => known,
            Ok(None) => {
                // Not our state but our code was taken: it is not presented again (security.md S-8).
                let spending = Spending {
                    first: First::Refused { code_digest: None },
                    action: "code_of_another_state",
                    detail: None,
                    refused: Refused::Attempt,
                };
                return spend(app, opened, returned, spending, now).await;
            }
            Err(_) => return Ok(Completed::UnderWay { since: None }),
        };
        if known.code_digest.as_ref() != Some(code_digest) {
            return Err(Refused::Attempt);
        }
        match answer_known(app, opened, &known, session) {
            Some(Ok(Completed::UnderWay { .. })) if tokio::time::Instant::now() + pause < until => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(200));
            }
            answer => return answer.unwrap_or(Err(Refused::Attempt)),
        }
    }
}

/// What a browser is told about an attempt that was taken; `None` where it was refused.
pub(super) fn answer_known(
    app: &App,
    opened: &OpenedAttempt,
    known: &KnownAttempt,
    session: Option<&BrowserSession>,
) -> Option<Result<Completed, Refused>> {
    match &known.stage {
        Stage::UnderWay => Some(Ok(Completed::UnderWay { since: Some(known.taken_at) })),
        Stage::Refused => None,
        Stage::Landed { landing, settled_at, person_id } => {
            let landing = landing.clone();
            if app.clock.shared_now() - *settled_at <= RECOGNIZED {
                let session = (known.signs_in && known.is_settled).then(|| opened.session_token(&app.keys));
                return Some(Ok(Completed::Landed { landing, session }));
            }
            // History (security.md S-7): only for the person whom it concerns.
            let is_theirs = session.is_some_and(|session| Some(session.person.person_id) == *person_id);
            Some(if is_theirs { Ok(Completed::Landed { landing, session: None }) } else { Err(Refused::Attempt) })
        }
    }
}
