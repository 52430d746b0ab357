//! One call to a product in the name of a token, its answer a stream.
//!
//! 1. The address is made of the table's origin and a parsed path; the origin is asserted before
//!    anything is sent (security.md S-60).
//! 2. Only headers that were named reach Zoho; `Authorization` is ours (S-61).
//! 3. The answer's beginning is read where it may say that the token is no good, because one product
//!    says so with status 200 (`zoho-oauth.md` §11); then head and beginning are handed out.
//! 4. The rest is read piece by piece, within limits of time and size that hold while it streams
//!    (R-14, S-62).

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method as HttpMethod, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
        HeaderName, HeaderValue,
    },
};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::{Zoho, refusal, refusal::Complaint};
use crate::domain::{
    product::Product, proxy_path::ProxyPath, proxy_query::ProxyQuery, secret::AccessToken, servers::is_loopback,
};

/// How much of an answer is looked at for a complaint about the token.
const LOOKED_AT: usize = 64 * 1024;

/// The methods that are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// A call as it is sent.
#[derive(Debug, Clone, Copy)]
pub struct ProductCall<'a> {
    pub product: Product,
    /// From the servers table.
    pub origin: &'a str,
    pub method: Method,
    pub path: &'a ProxyPath,
    pub query: &'a ProxyQuery,
    /// Lower-case names of our own lists; values of visible ASCII.
    pub headers: &'a [(&'static str, String)],
    pub body: &'a Bytes,
    pub limits: CallLimits,
}

/// How long a call may take, and how large its answer may be.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// Until the head of the answer is there.
    pub first_byte: Duration,
    /// Between two pieces of it.
    pub idle: Duration,
    /// From the first byte sent to the last one read.
    pub whole: Duration,
    pub size: u64,
}

/// Why there is no answer to hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    #[error("zoho could not be reached")]
    NotSent,
    #[error("zoho broke the connection off")]
    Lost,
    #[error("zoho did not answer in time")]
    TooSlow,
    #[error("the answer is larger than is passed on")]
    TooLarge,
    /// Never followed and never passed on: it would name a host we do not (security.md S-62).
    #[error("zoho answers with a redirect")]
    Redirected,
}

impl Unanswered {
    /// The class, as logs and metrics name it.
    pub const fn class(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::Lost => "lost",
            Self::TooSlow => "too-slow",
            Self::TooLarge => "too-large",
            Self::Redirected => "redirected",
        }
    }
}

/// What an answer says about the call itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Whatever it says, it says it to the caller.
    Answered,
    /// The token is no good: a new one may help, once.
    TokenRefused,
    Throttled,
}

/// A product's answer: the head, and a body that is still on its way.
#[derive(Debug)]
pub struct ProductAnswer {
    pub status: u16,
    /// As they came, without those of the connection itself.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Where the head tells it; that of the resource, for `HEAD`.
    pub length: Option<u64>,
    pub verdict: Verdict,
    pub body: AnswerBody,
}

impl ProductAnswer {
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }
}

/// The body of an answer. Dropped, it ends the call.
#[derive(Debug)]
pub struct AnswerBody {
    beginning: Option<Bytes>,
    rest: Response,
    deadline: Instant,
    limits: CallLimits,
    read: u64,
    ended: bool,
}

impl Zoho {
    /// Sends a call, once.
    pub async fn call(&self, call: &ProductCall<'_>, token: &AccessToken) -> Result<ProductAnswer, Unanswered> {
        let limits = call.limits;
        let deadline = Instant::now() + limits.whole;
        let request = self.http.request(call.method.into(), address(call)?).headers(headers(call, token)?);
        let request = if call.body.is_empty() { request } else { request.body(call.body.clone()) };
        let response = timeout(limits.first_byte, request.send())
            .await
            .map_err(|_elapsed| Unanswered::TooSlow)?
            .map_err(unanswered)?;
        if response.status().is_redirection() && response.status() != StatusCode::NOT_MODIFIED {
            return Err(Unanswered::Redirected);
        }
        let length = length(response.headers());
        if call.method != Method::Head && length.is_some_and(|length| length > limits.size) {
            return Err(Unanswered::TooLarge);
        }
        let (status, headers) = (response.status(), passed(response.headers()));
        let may_complain = may_complain(response.status(), response.headers());
        let mut body = AnswerBody { beginning: None, rest: response, deadline, limits, read: 0, ended: false };
        let beginning = if may_complain { body.look().await? } else { None };
        let complaint = refusal::complaint_of(call.product, status, beginning.as_deref());
        let verdict = match complaint {
            Some(Complaint::Refused(refusal::Refusal::Token)) => Verdict::TokenRefused,
            Some(Complaint::Throttled) => Verdict::Throttled,
            Some(Complaint::Refused(_)) | None => Verdict::Answered,
        };
        Ok(ProductAnswer { status: status.as_u16(), headers, length, verdict, body })
    }
}

impl AnswerBody {
    /// When the call must be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// All of it, where all of it is here.
    pub fn take_whole(&mut self) -> Option<Bytes> {
        self.ended.then(|| self.beginning.take().unwrap_or_default())
    }

    /// The next piece, `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Unanswered> {
        match self.beginning.take() {
            Some(beginning) => Ok(Some(beginning)),
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Unanswered> {
        let next = timeout(self.limits.idle, self.rest.chunk());
        let piece = timeout_at(self.deadline, next).await.map_err(|_elapsed| Unanswered::TooSlow)?;
        let piece = piece.map_err(|_elapsed| Unanswered::TooSlow)?.map_err(unanswered)?;
        self.ended = piece.is_none();
        self.read += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.read > self.limits.size { Err(Unanswered::TooLarge) } else { Ok(piece) }
    }

    /// Reads ahead: the whole body as text, if it is small enough to be a complaint.
    async fn look(&mut self) -> Result<Option<String>, Unanswered> {
        let mut beginning = Vec::new();
        let mut whole = true;
        while let Some(piece) = self.read().await? {
            beginning.extend_from_slice(&piece);
            if beginning.len() > LOOKED_AT {
                whole = false;
                break;
            }
        }
        let text = if whole { std::str::from_utf8(&beginning).ok().map(str::to_owned) } else { None };
        self.beginning = Some(Bytes::from(beginning)).filter(|beginning| !beginning.is_empty());
        Ok(text)
    }
}

/// The table's origin with the parsed path, and nothing of what came in.
fn address(call: &ProductCall<'_>) -> Result<Url, Unanswered> {
    let path = call.path.encoded();
    let mut url = Url::parse(call.origin).map_err(|_| Unanswered::NotSent)?;
    url.set_path(&path);
    let query = call.query.as_str();
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let is_ours = url.origin().ascii_serialization() == call.origin
        && url.path() == path
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    if is_private && is_ours { Ok(url) } else { Err(Unanswered::NotSent) }
}

fn headers(call: &ProductCall<'_>, token: &AccessToken) -> Result<HeaderMap, Unanswered> {
    let mut headers = HeaderMap::new();
    for (name, value) in call.headers {
        let value = HeaderValue::from_str(value).map_err(|_| Unanswered::NotSent)?;
        headers.append(HeaderName::from_static(name), value);
    }
    let mut authorization =
        HeaderValue::try_from(format!("Zoho-oauthtoken {}", token.expose())).map_err(|_| Unanswered::NotSent)?;
    authorization.set_sensitive(true);
    headers.insert(AUTHORIZATION, authorization);
    if call.body.is_empty() && matches!(call.method, Method::Post | Method::Put | Method::Patch) {
        // Some servers refuse these methods without a length (411).
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    // What is compressed cannot be looked at, and might unfold.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(headers)
}

/// Those that speak of the answer, not of our connection to Zoho (RFC 9110 §7.6.1).
fn passed(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let hop_by_hop = [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    headers
        .iter()
        .filter(|(name, _)| !hop_by_hop.contains(&name.as_str()) && !named.iter().any(|known| known == name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Complaints are small JSON with one of these statuses.
fn may_complain(status: StatusCode, headers: &HeaderMap) -> bool {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes()));
    let is_plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let is_small = length(headers).is_none_or(|length| length <= LOOKED_AT as u64);
    matches!(status.as_u16(), 200 | 400 | 401 | 403) && is_json && is_plain && is_small
}

/// Whether a `Content-Type` is JSON, `application/problem+json` and the like included.
pub fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"application/json")
        || essence.eq_ignore_ascii_case(b"text/json")
        || (essence.len() > 5 && essence[essence.len() - 5..].eq_ignore_ascii_case(b"+json"))
}

fn unanswered(error: reqwest::Error) -> Unanswered {
    let not_sent = error.is_builder() || error.is_connect();
    tracing::debug!(error = ?error.without_url(), not_sent, "no answer from a product");
    if not_sent { Unanswered::NotSent } else { Unanswered::Lost }
}

impl From<Method> for HttpMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(origin: &str, path: &str) -> Result<String, Unanswered> {
        let call = ProductCall {
            product: Product::Crm,
            origin,
            method: Method::Get,
            path: &ProxyPath::parse(path).expect("a path"),
            query: &ProxyQuery::parse("a=1&u=http://x/").expect("a query"),
            headers: &[],
            body: &Bytes::new(),
            limits: CallLimits { first_byte: Duration::ZERO, idle: Duration::ZERO, whole: Duration::ZERO, size: 0 },
        };
        address(&call).map(String::from)
    }

    #[test]
    fn s60_the_origin_is_the_tables_whatever_the_path() {
        let origin = "https://www.zohoapis.eu";
        for (path, sent) in [
            ("crm/v8/org", "/crm/v8/org"),
            ("crm/@elsewhere:80", "/crm/%40elsewhere%3A80"),
            ("@elsewhere", "/%40elsewhere"),
            ("elsewhere", "/elsewhere"),
        ] {
            assert_eq!(address_of(origin, path), Ok(format!("{origin}{sent}?a=1&u=http://x/")));
        }
        for origin in ["http://www.zohoapis.eu", "https://a@b", "https://a/b", "https://a/", "", "file:///etc"] {
            assert_eq!(address_of(origin, "crm/v8/org"), Err(Unanswered::NotSent), "{origin}");
        }
    }

    #[test]
    fn json_is_told_by_its_type() {
        for json in ["application/json", "application/json;charset=UTF-8", "Application/Problem+JSON", "text/json "] {
            assert!(is_json(json.as_bytes()), "{json}");
        }
        for other in ["text/html", "", "application/jsonp", "text/plain; application/json", "+json"] {
            assert!(!is_json(other.as_bytes()), "{other}");
        }
    }
}
