//! `GET /oauth/callback`: the browser is back from Zoho. Step 2 of the protocol (`login`); the rest
//! is `login::complete`.
//!
//! Also the finishing page, for when Zoho takes longer than a browser should wait.

use actix_web::{
    FromRequest as _, HttpRequest, HttpResponse,
    http::{StatusCode, header::ALLOW},
    web,
};

use super::finishing::{Finishing, FinishingPage};
use crate::{
    app::App,
    domain::secret::{AuthorizationCode, StateNonce},
    http::{
        add_cookie,
        caller::{Visitor, shell_of},
        cookie, page,
        problem::Problem,
        see_other,
    },
    login::{
        Answer, Arrival, Completed, Refused,
        attempt::{digest_of_state, tag},
        complete, finish,
    },
};

/// The path that Zoho's API console must know, behind `PUBLIC_URL`.
pub(crate) const PATH: &str = "/oauth/callback";

/// A state is 32 bytes in base64url.
const STATE_LENGTH: usize = 43;
const LONGEST_CODE: usize = 2048;
const LONGEST_OTHER: usize = 512;
/// After so long the finishing page asks less often.
const SLOW_AFTER: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

pub(crate) fn is_callback(request: &HttpRequest) -> bool {
    request.path() == PATH
}

pub(crate) async fn get_callback(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if is_prefetch(&request) {
        return Ok(HttpResponse::NoContent().finish());
    }
    let arrival = parse(request.query_string()).ok_or(Refused::Attempt)?;
    let visitor = Visitor::extract(&request).await?;
    let tag = tag(&digest_of_state(&arrival.state));
    let opened = cookie::attempt(&app, &request, &tag);
    let completed = complete(&app, arrival, opened, visitor.visit()).await?;
    Ok(lead_on(&app, &request, &tag, completed))
}

/// HEAD and whatever else is no navigation: touches nothing (security.md S-11).
pub(crate) async fn other_method() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET")).finish()
}

/// `GET /login/finishing/{tag}`: where a browser waits, without code and state in its address.
pub(crate) async fn get_finishing(
    app: web::Data<App>,
    request: HttpRequest,
    tag: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let opened = cookie::attempt(&app, &request, &tag).ok_or(Refused::Attempt)?;
    let finished = match Visitor::extract(&request).await {
        Ok(visitor) => finish(&app, &opened, visitor.session.as_ref()).await?,
        // The database is away: the task in the background waits for it, and so does the browser.
        Err(_) => Completed::UnderWay { since: None },
    };
    let Completed::UnderWay { since } = finished else { return Ok(lead_on(&app, &request, &tag, finished)) };
    let is_slow = since.is_some_and(|since| app.clock.shared_now() - since > SLOW_AFTER);
    let stage = if is_slow { Finishing::Slow } else { Finishing::UnderWay };
    let page = FinishingPage { shell: shell_of(&app, &request), stage };
    Ok(page::respond(StatusCode::OK, &page)?)
}

fn lead_on(app: &App, request: &HttpRequest, tag: &str, completed: Completed) -> HttpResponse {
    let mut answer = match &completed {
        Completed::Landed { landing, .. } => see_other(landing),
        Completed::UnderWay { .. } => see_other(&format!("/login/finishing/{tag}")),
    };
    if let Completed::Landed { session, .. } = completed {
        if let Some(token) = session {
            add_cookie(&mut answer, &cookie::set_session(app, &token));
        }
        for cookie in cookie::land_attempt(app, request, tag) {
            add_cookie(&mut answer, &cookie);
        }
    }
    answer
}

fn is_prefetch(request: &HttpRequest) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        request.headers().get_all(*name).any(|value| {
            let value = value.as_bytes().to_ascii_lowercase();
            ["prefetch", "prerender", "preview"]
                .iter()
                .any(|word| value.windows(word.len()).any(|part| part == word.as_bytes()))
        })
    })
}

/// Reads the query by name, in any order, ignoring what is not ours. `None` for a known parameter
/// that stands twice, is too long, or holds anything but printable ASCII (security.md S-10).
fn parse(query: &str) -> Option<Arrival> {
    let (mut state, mut code, mut error, mut location, mut accounts_server) = (None, None, None, None, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let (slot, longest) = match &*name {
            "state" => (&mut state, STATE_LENGTH),
            "code" => (&mut code, LONGEST_CODE),
            "error" => (&mut error, LONGEST_OTHER),
            "location" => (&mut location, LONGEST_OTHER),
            "accounts-server" => (&mut accounts_server, LONGEST_OTHER),
            _ => continue,
        };
        // Invalid UTF-8 was replaced by a character that is not ASCII either.
        let well_formed = value.len() <= longest && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !well_formed || slot.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    let state = state.filter(|state| state.len() == STATE_LENGTH)?;
    let code = code.filter(|code| !code.is_empty());
    let error = error.filter(|error| !error.is_empty());
    let answer = match (code, error) {
        (Some(code), None) => Answer::Code(AuthorizationCode::new(code)),
        (None, Some(error)) => Answer::Error(error),
        (Some(_), Some(_)) | (None, None) => Answer::Senseless,
    };
    Some(Arrival { state: StateNonce::new(state), answer, location, accounts_server })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATE: &str = "0123456789012345678901234567890123456789012";

    #[test]
    fn parameters_come_in_any_order_with_a_trailing_ampersand_and_strangers() {
        for query in [
            format!("state={STATE}&code=1000.a.b&location=eu&accounts-server=https%3A%2F%2Faccounts.zoho.eu&"),
            format!("accounts-server=https%3A%2F%2Faccounts.zoho.eu&x=%ff&location=eu&code=1000.a.b&state={STATE}"),
        ] {
            let arrival = parse(&query).unwrap();
            assert_eq!(arrival.state.expose(), STATE);
            assert!(matches!(arrival.answer, Answer::Code(code) if code.expose() == "1000.a.b"));
            assert_eq!(arrival.location.as_deref(), Some("eu"));
            assert_eq!(arrival.accounts_server.as_deref(), Some("https://accounts.zoho.eu"));
        }
    }

    #[test]
    fn s9_a_code_with_an_error_or_neither_is_no_answer() {
        for query in [format!("state={STATE}"), format!("state={STATE}&code=a&error=b"), format!("state={STATE}&code=")]
        {
            assert!(matches!(parse(&query).unwrap().answer, Answer::Senseless), "{query}");
        }
        let refused = parse(&format!("error=access_denied&state={STATE}")).unwrap();
        assert!(matches!(refused.answer, Answer::Error(error) if error == "access_denied"));
    }

    #[test]
    fn s10_what_stands_twice_or_is_malformed_is_refused() {
        let long = |name: &str, length: usize| format!("state={STATE}&{name}={}", "a".repeat(length));
        for query in [
            String::new(),
            "code=a".to_owned(),
            format!("state={STATE}&state={STATE}&code=a"),
            format!("state={STATE}&code=a&code=a"),
            format!("state={STATE}&code=a&location=eu&location=eu"),
            format!("state={STATE}&code=a%00"),
            format!("state={STATE}&code=a%0d%0a"),
            format!("state={STATE}&code=%ff"),
            format!("state={STATE}x&code=a"),
            format!("state={}&code=a", &STATE[1..]),
            long("code", LONGEST_CODE + 1),
            long("location", LONGEST_OTHER + 1),
            long("error", LONGEST_OTHER + 1),
        ] {
            assert!(parse(&query).is_none(), "{query}");
        }
        assert!(parse(&long("code", LONGEST_CODE)).is_some());
    }

    proptest! {
        #[test]
        fn s10_no_query_whatever_breaks_the_parser(query in "\\PC{0,200}") {
            let _ = parse(&query);
        }
    }
}
