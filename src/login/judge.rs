//! Step 3: what an arrival is worth, before its state is consumed.

use super::{
    Failure,
    attempt::OpenedAttempt,
    complete::{Answer, Arrival, Refused, Visit},
    place::{NotPlaced, place},
};
use crate::{
    config::ZohoClient,
    domain::{data_centre::DataCentre, secret::AuthorizationCode},
};

pub(super) enum Verdict {
    Exchange(AuthorizationCode),
    /// Refused in place; the word is for the audit.
    Refuse(Refused, &'static str),
    /// Explained on a page of its own.
    Fail(Failure),
}

/// The data centre it came back from (where that is in question, the one it started at), and what
/// is to be done.
pub(super) fn judge(
    zoho: &ZohoClient,
    opened: &OpenedAttempt,
    arrival: Arrival,
    visit: &Visit,
) -> (DataCentre, Verdict) {
    let begun_at = opened.attempt.started_at_data_centre;
    if !was_begun_by(opened, visit) {
        return (begun_at, Verdict::Refuse(Refused::WrongPerson, "attempt_of_somebody_else"));
    }
    let placed = place(zoho, begun_at, arrival.location.as_deref(), arrival.accounts_server.as_deref());
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

/// Connects and reconnects belong to the person and browser session that began them (security.md
/// S-4).
fn was_begun_by(opened: &OpenedAttempt, visit: &Visit) -> bool {
    let Some(person_id) = opened.attempt.purpose.person_id() else { return true };
    visit
        .session
        .as_ref()
        .is_some_and(|session| session.person.person_id == person_id && Some(session.lineage) == opened.attempt.lineage)
}
