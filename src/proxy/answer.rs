//! A product's answer as a back end gets it (security.md S-62).
//!
//! Status and body are the product's. Of its headers those are dropped that set cookies, speak of
//! the connection to Zoho, or tell a browser how to treat *our* origin; what is not JSON is marked
//! so that no browser would show it as a page of ours. Ours say which connection it was and how long
//! token and product took.

use std::time::Duration;

use bytes::Bytes;

use super::{flow::Flow, limits::Place};
use crate::{
    domain::ids::ConnectionId,
    zoho::{Method, ProductAnswer, Verdict, is_json},
};

/// For products that throttle without saying for how long; some lock for minutes (`zoho-oauth.md`
/// §11).
const PAUSE: &str = "60";

/// Beside those that begin with [`DROPPED_FAMILIES`].
const DROPPED: [&str; 37] = [
    // Of the product's own session with a browser.
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "authentication-info",
    // Other addresses; redirects are not passed on.
    "location",
    "refresh",
    "link",
    "alt-svc",
    "sourcemap",
    "x-sourcemap",
    // What holds for an origin: this is ours.
    "strict-transport-security",
    "content-security-policy",
    "content-security-policy-report-only",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "referrer-policy",
    "permissions-policy",
    "feature-policy",
    "origin-agent-cluster",
    "service-worker-allowed",
    "clear-site-data",
    "report-to",
    "reporting-endpoints",
    "nel",
    "expect-ct",
    "public-key-pins",
    "public-key-pins-report-only",
    "timing-allow-origin",
    // Said anew.
    "content-length",
    "cache-control",
    "pragma",
    "expires",
    "age",
    "date",
    "server",
    "server-timing",
];
const DROPPED_FAMILIES: [&str; 4] = ["access-control-", "cross-origin-", "sec-", "x-login-with-zoho-"];

/// What a call took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) token: Duration,
    pub(crate) zoho: Duration,
    pub(crate) tries: u8,
}

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    /// None comes, but this long it would be, where the product says so: the answer to `HEAD`.
    Announced(Option<u64>),
    Flowing {
        length: Option<u64>,
        flow: Flow,
    },
}

impl Answered {
    pub(super) fn new(
        connection_id: ConnectionId,
        mut answer: ProductAnswer,
        timing: Timing,
        method: Method,
        place: Place,
    ) -> Self {
        let headers = headers(connection_id, &answer, timing);
        let body = match (method, answer.body.take_whole()) {
            (Method::Head, _) => Body::Announced(answer.length),
            (_, Some(whole)) => Body::Whole(whole),
            _ if !has_content(answer.status) => Body::Whole(Bytes::new()),
            _ => Body::Flowing { length: answer.length, flow: Flow::of(answer.body, place) },
        };
        Self { status: answer.status, headers, body }
    }
}

fn headers(connection_id: ConnectionId, answer: &ProductAnswer, timing: Timing) -> Vec<(String, Vec<u8>)> {
    let is_dropped =
        |name: &str| DROPPED.contains(&name) || DROPPED_FAMILIES.iter().any(|family| name.starts_with(family));
    let mut headers: Vec<(String, Vec<u8>)> =
        answer.headers.iter().filter(|(name, _)| !is_dropped(name)).cloned().collect();
    let mut set = |name: &str, value: String| {
        headers.retain(|(known, _)| known != name);
        headers.push((name.to_owned(), value.into_bytes()));
    };
    // Of several types a browser takes another than we would.
    let types: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name == "content-type").map(|(_, kind)| kind).collect();
    if has_content(answer.status) && !matches!(types.as_slice(), [only] if is_json(only)) {
        set("content-security-policy", "sandbox; default-src 'none'".to_owned());
        let disposition = answer.header("content-disposition").filter(|value| is_attachment(value));
        let disposition = disposition.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or("attachment");
        set("content-disposition", disposition.to_owned());
        if types.len() != 1 && answer.length != Some(0) {
            set("content-type", "application/octet-stream".to_owned());
        }
    }
    if answer.verdict == Verdict::Throttled && answer.header("retry-after").is_none() {
        set("retry-after", PAUSE.to_owned());
    }
    set("x-login-with-zoho-connection", connection_id.to_string());
    set("server-timing", timing.to_string());
    headers
}

/// Whether answers of this status have a body (RFC 9110 §15).
const fn has_content(status: u16) -> bool {
    !matches!(status, 204 | 205 | 304)
}

fn is_attachment(disposition: &[u8]) -> bool {
    let kind = disposition.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"attachment")
}

impl std::fmt::Display for Timing {
    /// `Server-Timing`, in milliseconds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [token, zoho] = [self.token, self.zoho].map(|time| time.as_secs_f64() * 1e3);
        write!(f, "token;dur={token:.1}, zoho;dur={zoho:.1}, tries;desc=\"{}\"", self.tries)
    }
}
