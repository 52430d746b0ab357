//! The JSON body of a call that changes something. It is read once the key counts, in the handler:
//! strangers' bodies are nobody's business.

use actix_web::{HttpMessage as _, HttpRequest, dev::Payload, http::StatusCode, web};

use crate::{
    domain::members::{Members, Mistake},
    http::{
        problem::{MemberError, Problem},
        small_body,
    },
};

/// Mistakes told at once; nobody makes more by accident.
const MOST_ERRORS: usize = 20;

/// The members of the object that was sent.
pub(super) async fn members(request: &HttpRequest, payload: web::Payload) -> Result<Members, Problem> {
    let is_json = request.content_type().eq_ignore_ascii_case("application/json");
    if !is_json {
        return Err(Problem::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let payload: Payload = payload.into_inner();
    let body = small_body::receive(request, payload).await?;
    let members = std::str::from_utf8(&body).ok().and_then(Members::read);
    members.ok_or_else(|| refusal(vec![Mistake::new("body", "must be a JSON object")]))
}

/// What was read, unless there is something to tell.
pub(super) fn finish<T>(members: Members, read: Option<T>) -> Result<T, Problem> {
    let mistakes = members.mistakes();
    match read {
        Some(read) if mistakes.is_empty() => Ok(read),
        _ => Err(refusal(mistakes)),
    }
}

pub(crate) fn refusal(mut mistakes: Vec<Mistake>) -> Problem {
    mistakes.truncate(MOST_ERRORS);
    let error = |Mistake { member, detail }| MemberError { member, detail };
    Problem::Invalid(mistakes.into_iter().map(error).collect())
}
