//! Cookies: names, flags, and what counts (security.md S-24 to S-27).
//!
//! Under https every name is prefixed `__Host-` and unprefixed ones do not count; of two cookies
//! with one name neither does. All of ours together stay below 4 KB.

use actix_web::HttpRequest;
use cookie::{Cookie, SameSite, time::Duration};

use crate::{
    app::App,
    domain::secret::{BrowserToken, SessionToken},
    login::{
        attempt::{Attempt, COOKIE as ATTEMPT, LIFE, OpenedAttempt, tag},
        landing::RECOGNIZED,
    },
};

const SESSION: &str = "lwz_session";
const BROWSER: &str = "lwz_onboarding";
/// As long as a link may live, and the day that is left to confirm.
const BROWSER_LIFE: Duration = Duration::days(91);
/// A session cookie lives no longer than its session can.
const SESSION_LIFE: Duration = Duration::hours(12);
/// Attempts a browser may have under way: more tabs than anybody needs.
const MOST_ATTEMPTS: usize = 5;
/// What they may take together, names included, so that all cookies stay below 4 KB.
const ATTEMPT_BYTES: usize = 3600;

/// The value of the session cookie, if exactly one counts.
pub(crate) fn session(app: &App, request: &HttpRequest) -> Option<SessionToken> {
    only_token(app, request, SESSION).map(SessionToken::new)
}

/// By what onboarding links know this browser, if it has started one. It opens nothing by itself.
pub(crate) fn browser(app: &App, request: &HttpRequest) -> Option<BrowserToken> {
    only_token(app, request, BROWSER).map(BrowserToken::new)
}

pub(crate) fn set_browser(app: &App, token: &BrowserToken) -> Cookie<'static> {
    build(app, BROWSER, token.expose().to_owned(), BROWSER_LIFE)
}

fn only_token(app: &App, request: &HttpRequest, name: &str) -> Option<String> {
    let value = only(request, &format!("{}{name}", prefix(app)))?;
    let well_formed =
        value.len() == 43 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    well_formed.then_some(value)
}

/// The attempt that a state's tag names, if exactly one cookie of that name opens.
pub(crate) fn attempt(app: &App, request: &HttpRequest, tag: &str) -> Option<OpenedAttempt> {
    let value = only(request, &format!("{}{ATTEMPT}{tag}", prefix(app)))?;
    OpenedAttempt::open(&app.keys, tag, &value)
}

pub(crate) fn set_session(app: &App, token: &SessionToken) -> Cookie<'static> {
    build(app, SESSION, token.expose().to_owned(), SESSION_LIFE)
}

pub(crate) fn drop_session(app: &App) -> Cookie<'static> {
    build(app, SESSION, String::new(), Duration::ZERO)
}

/// The cookie of a new attempt, and the removal of those that it pushes out: what does not open, is
/// too old, or is beyond five.
pub(crate) fn begin_attempt(app: &App, request: &HttpRequest, attempt: &Attempt) -> Vec<Cookie<'static>> {
    let new = build(
        app,
        &format!("{ATTEMPT}{}", tag(&attempt.state_digest)),
        attempt.seal(&app.keys),
        Duration::seconds(LIFE.num_seconds()),
    );
    let mut cookies = drop_attempts(app, request, MOST_ATTEMPTS - 1, ATTEMPT_BYTES - size(new.name(), new.value()));
    cookies.push(new);
    cookies
}

/// At the landing: the attempt stays recognizable for a minute, and the dead ones go.
pub(crate) fn land_attempt(app: &App, request: &HttpRequest, tag: &str) -> Vec<Cookie<'static>> {
    let name = format!("{}{ATTEMPT}{tag}", prefix(app));
    let mut cookies = drop_attempts(app, request, MOST_ATTEMPTS, ATTEMPT_BYTES);
    cookies.retain(|cookie| cookie.name() != name);
    if let Some(value) = only(request, &name) {
        cookies.push(build(app, &format!("{ATTEMPT}{tag}"), value, Duration::seconds(RECOGNIZED.num_seconds())));
    }
    cookies
}

fn drop_attempts(app: &App, request: &HttpRequest, most: usize, mut bytes: usize) -> Vec<Cookie<'static>> {
    let start = format!("{}{ATTEMPT}", prefix(app));
    let now = app.clock.shared_now();
    let mut live = Vec::new();
    let mut dropped = Vec::new();
    for (name, value) in pairs(request) {
        // A name that none of ours has is nobody's attempt, and is not repeated in an answer.
        let Some(tag) = name.strip_prefix(&start).filter(|tag| is_tag(tag)).map(str::to_owned) else { continue };
        match OpenedAttempt::open(&app.keys, &tag, &value) {
            Some(opened) if now - opened.attempt.started_at <= LIFE => {
                live.push((opened.attempt.started_at, tag, size(&name, &value)));
            }
            _ => dropped.push(tag),
        }
    }
    live.sort_by_key(|(started_at, ..)| std::cmp::Reverse(*started_at));
    for (index, (_, tag, size)) in live.into_iter().enumerate() {
        if index < most && size <= bytes {
            bytes -= size;
        } else {
            dropped.push(tag);
        }
    }
    dropped.dedup();
    dropped.into_iter().map(|tag| build(app, &format!("{ATTEMPT}{tag}"), String::new(), Duration::ZERO)).collect()
}

/// 8 characters of base64url.
fn is_tag(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn size(name: &str, value: &str) -> usize {
    name.len() + value.len() + 3
}

fn prefix(app: &App) -> &'static str {
    if app.config.public_url.is_https() { "__Host-" } else { "" }
}

fn build(app: &App, name: &str, value: String, max_age: Duration) -> Cookie<'static> {
    Cookie::build(format!("{}{name}", prefix(app)), value)
        .http_only(true)
        .same_site(SameSite::Lax)
        .path("/")
        .max_age(max_age)
        .secure(app.config.public_url.is_https())
        .finish()
}

fn only(request: &HttpRequest, name: &str) -> Option<String> {
    let mut values = pairs(request).into_iter().filter(|(known, _)| known == name).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// Every cookie of the request, doubled names included.
fn pairs(request: &HttpRequest) -> Vec<(String, String)> {
    request
        .headers()
        .get_all(actix_web::http::header::COOKIE)
        // Others on our domain may set cookies in any bytes; ours are ASCII.
        .map(|header| String::from_utf8_lossy(header.as_bytes()))
        .flat_map(|header| header.split(';').map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pair| pair.trim().split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect()
}
