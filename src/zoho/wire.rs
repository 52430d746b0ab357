//! One request, one answer: sent once, awaited for a bounded time, read to a bounded size.

use std::time::Duration;

use chrono::DateTime;
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_ENCODING, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use url::Url;
use zeroize::Zeroizing;

use super::{Zoho, json::Json};
use crate::domain::{secret::AccessToken, servers::is_loopback};

/// The largest answer that is read (security.md S-22).
const LARGEST: usize = 64 * 1024;
/// The longest wait an answer can ask for (security.md R-10).
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What came back, whatever it says.
pub(super) struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    body: Result<Zeroizing<String>, Unreadable>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// No connection stood: not a byte of the request has left this machine.
    NotSent,
    /// The request may have arrived.
    Lost,
}

/// Why an answer cannot be read, though its status is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    BrokenOff,
    TooLarge,
    Compressed,
    NotJson,
}

impl Unreadable {
    /// Our own words for it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::BrokenOff => "the answer breaks off",
            Self::TooLarge => "the answer is larger than 64 KB",
            Self::Compressed => "the answer is compressed, which was not asked for",
            Self::NotJson => "the answer is not JSON",
        }
    }
}

impl Zoho {
    /// A POST whose parameters travel in the body (security.md S-20).
    pub(super) async fn post(
        &self,
        origin: &str,
        path: &'static str,
        form: &[(&'static str, &str)],
        limit: Duration,
    ) -> Result<Answer, NoAnswer> {
        send(self.http.post(address(origin, path)?).form(form), limit).await
    }

    /// A GET in the name of a token.
    pub(super) async fn get(
        &self,
        origin: &str,
        path: &'static str,
        token: &AccessToken,
        limit: Duration,
    ) -> Result<Answer, NoAnswer> {
        let mut authorization =
            HeaderValue::try_from(format!("Zoho-oauthtoken {}", token.expose())).map_err(|_| NoAnswer::NotSent)?;
        authorization.set_sensitive(true);
        send(self.http.get(address(origin, path)?).header(AUTHORIZATION, authorization), limit).await
    }
}

/// Origins come from the servers table, which admits plain http for loopback only; a secret is worth
/// asking again (security.md S-18).
fn address(origin: &str, path: &'static str) -> Result<Url, NoAnswer> {
    let url = Url::parse(&format!("{origin}{path}")).map_err(|_| NoAnswer::NotSent)?;
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if is_private && url.path() == path { Ok(url) } else { Err(NoAnswer::NotSent) }
}

async fn send(request: RequestBuilder, limit: Duration) -> Result<Answer, NoAnswer> {
    tokio::time::timeout(limit, async { Ok(receive(request.send().await.map_err(no_answer)?).await) })
        .await
        .unwrap_or_else(|_elapsed| {
            tracing::debug!(limit_ms = limit.as_millis(), "zoho did not answer in time");
            Err(NoAnswer::Lost)
        })
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    let not_sent = error.is_builder() || error.is_connect();
    tracing::debug!(error = ?error.without_url(), not_sent, "no answer from zoho");
    if not_sent { NoAnswer::NotSent } else { NoAnswer::Lost }
}

async fn receive(response: Response) -> Answer {
    Answer { status: response.status(), retry_after: retry_after(response.headers()), body: read(response).await }
}

/// Reads chunk by chunk and stops at the limit, so that an endless answer costs no memory.
async fn read(mut response: Response) -> Result<Zeroizing<String>, Unreadable> {
    let encoding = response.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Unreadable::Compressed);
    }
    if response.content_length().is_some_and(|length| length > LARGEST as u64) {
        return Err(Unreadable::TooLarge);
    }
    // As large as it can get: growing would leave copies of tokens behind.
    let mut body = Zeroizing::new(Vec::with_capacity(LARGEST));
    while let Some(chunk) = response.chunk().await.map_err(|_| Unreadable::BrokenOff)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(Unreadable::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    // JSON is UTF-8 (RFC 8259 §8.1); a stray byte in somebody's name costs that character only.
    Ok(Zeroizing::new(String::from_utf8_lossy(&body).into_owned()))
}

/// `Retry-After` in seconds, or as a date, which counts from the answer's own `Date`: neither our
/// clock nor Zoho's need be right. What makes no sense is ignored.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(RETRY_AFTER)?;
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds are a long wait, too.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let until = DateTime::parse_from_rfc2822(value).ok()?;
        let from = DateTime::parse_from_rfc2822(text(DATE)?).ok()?;
        (until - from).to_std().ok()?
    };
    Some(wait.min(LONGEST_WAIT))
}

impl Answer {
    /// The body as JSON, or why it is none.
    pub fn json(&self) -> Result<Json<'_>, Unreadable> {
        let body = self.body.as_ref().map_err(|unreadable| *unreadable)?;
        Json::parse(body).map_err(|_| Unreadable::NotJson)
    }

    pub fn is_empty(&self) -> bool {
        self.body.as_ref().is_ok_and(|body| body.trim().is_empty())
    }
}

#[cfg(test)]
impl Answer {
    /// An answer as if it had been received.
    pub fn of(status: u16, body: &str) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        Self { status, retry_after: None, body: Ok(Zeroizing::new(body.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(retry_after_text: &'static str, date: &'static str) -> Option<u64> {
        let headers = [(RETRY_AFTER, retry_after_text), (DATE, date)]
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn r10_retry_after_is_read_as_seconds_or_date_and_bounded() {
        let now = "Sat, 21 Nov 2026 10:00:00 GMT";
        assert_eq!(wait("120", ""), Some(120));
        assert_eq!(wait(" 0 ", ""), Some(0));
        assert_eq!(wait("86400", ""), Some(3600));
        assert_eq!(wait("99999999999999999999999", ""), Some(3600));
        assert_eq!(wait("Sat, 21 Nov 2026 10:20:00 GMT", now), Some(1200));
        assert_eq!(wait("Sun, 22 Nov 2026 10:20:00 GMT", now), Some(3600));
        for garbage in ["", "soon", "-5", "1.5", "+5", "0x10", "Sat, 21 Nov 2026 09:00:00 GMT", "2026-11-21T11:00:00Z"]
        {
            assert_eq!(wait(garbage, now), None, "{garbage:?}");
        }
        assert_eq!(wait("Sat, 21 Nov 2026 10:20:00 GMT", "never"), None);
    }

    #[test]
    fn s18_a_secret_leaves_by_https_or_stays_on_this_machine() {
        for origin in ["https://accounts.zoho.eu", "http://127.0.0.1:9101", "http://localhost:1", "http://[::1]:1"] {
            assert!(address(origin, "/oauth/v2/token").is_ok(), "{origin}");
        }
        for origin in
            ["http://accounts.zoho.eu", "ftp://127.0.0.1", "", "accounts.zoho.eu", "https://a/b", "https://a?b="]
        {
            assert_eq!(address(origin, "/oauth/v2/token"), Err(NoAnswer::NotSent), "{origin}");
        }
    }
}
