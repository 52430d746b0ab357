//! A proxied call as it was sent to us: read undecoded, judged, and refused where it is more than a
//! method, a path, a query, a few headers and a body (security.md S-60, S-61).

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::{
        Method as HttpMethod, StatusCode, Uri,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, UPGRADE},
    },
    web,
};
use bytes::Bytes;

use crate::{
    domain::{
        ids::{ConnectionId, TenantId},
        proxy_path::ProxyPath,
        proxy_query::ProxyQuery,
    },
    http::{
        api::ROOT,
        problem::{MemberError, Problem},
    },
    proxy::Asked,
    zoho::Method,
};

/// Bodies are kept until the product has answered, to be sent again with another token.
const LARGEST_BODY: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Headers that reach the product (design.md §6), and whether they may come in several lines.
const PASSED: [(&str, bool); 8] = [
    ("accept", true),
    ("accept-language", true),
    ("content-type", false),
    ("if-none-match", true),
    ("if-modified-since", false),
    ("x-ziaagents-agent-id", false),
    ("x-ziaagents-agent-version-id", false),
    ("x-ziaagents-agent-session-id", false),
];

/// Everything about the request but its body.
pub(super) fn read(tenant_id: Option<TenantId>, request: &HttpRequest) -> Result<Asked, Problem> {
    if request.headers().contains_key(UPGRADE) {
        return Err(invalid("Upgrade", "is not passed on"));
    }
    let (id, path) = target(request.uri())?;
    let query = request.uri().query().unwrap_or_default();
    Ok(Asked {
        connection_id: id.parse::<ConnectionId>().map_err(|_| Problem::NOT_FOUND)?,
        tenant_id,
        method: method(request.method())?,
        path: ProxyPath::parse(path).map_err(|bad| invalid("path", bad))?,
        query: ProxyQuery::parse(query).map_err(|bad| invalid("query", bad))?,
        headers: headers(request.headers())?,
    })
}

/// The connection's id and the product's path, as they stand in the request line.
fn target(uri: &Uri) -> Result<(&str, &str), Problem> {
    if uri.scheme().is_some() || uri.authority().is_some() {
        return Err(invalid("path", "must be a path, and not a whole address"));
    }
    let rest = uri.path().strip_prefix(ROOT).and_then(|rest| rest.strip_prefix("/connections/"));
    let (id, rest) = rest.and_then(|rest| rest.split_once('/')).ok_or(Problem::NOT_FOUND)?;
    Ok((id, rest.strip_prefix("proxy/").ok_or(Problem::NOT_FOUND)?))
}

fn method(method: &HttpMethod) -> Result<Method, Problem> {
    Ok(match *method {
        HttpMethod::GET => Method::Get,
        HttpMethod::HEAD => Method::Head,
        HttpMethod::POST => Method::Post,
        HttpMethod::PUT => Method::Put,
        HttpMethod::PATCH => Method::Patch,
        HttpMethod::DELETE => Method::Delete,
        _ => return Err(Problem::Status(StatusCode::METHOD_NOT_ALLOWED)),
    })
}

/// Those on the list, unless `Connection` says that they end here.
fn headers(sent: &HeaderMap) -> Result<Vec<(&'static str, String)>, Problem> {
    let ends_here: Vec<String> = sent
        .get_all("connection")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut headers = Vec::new();
    for (name, is_list) in PASSED {
        let values: Vec<_> = sent.get_all(name).collect();
        if values.len() > 1 && !is_list {
            return Err(invalid(name, "must be sent once"));
        }
        if ends_here.iter().any(|known| known == name) {
            continue;
        }
        for value in values {
            let text = value.to_str().map_err(|_| invalid(name, "must be visible ASCII"))?;
            headers.push((name, text.to_owned()));
        }
    }
    Ok(headers)
}

/// Whether there is a body to read; refused before a byte of it is, where the head tells enough.
pub(super) fn has_body(request: &HttpRequest, method: Method) -> Result<bool, Problem> {
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let has_body = length.is_some_and(|length| length > 0) || headers.contains_key("transfer-encoding");
    if has_body && matches!(method, Method::Get | Method::Head) {
        return Err(invalid("body", "is not sent with this method"));
    }
    if length.is_some_and(|length| length > LARGEST_BODY as u64) {
        return Err(Problem::Status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    // It would reach the product without the header that says so.
    let is_plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_plain { Ok(has_body) } else { Err(Problem::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE)) }
}

pub(super) async fn read_body(payload: web::Payload) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(BODY_TIME, payload.to_bytes_limited(LARGEST_BODY)).await;
    match read {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(Problem::Status(StatusCode::BAD_REQUEST)),
        Ok(Err(_too_large)) => Err(Problem::Status(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_elapsed) => Err(Problem::Status(StatusCode::REQUEST_TIMEOUT)),
    }
}

pub(super) fn invalid(member: &str, detail: impl std::fmt::Display) -> Problem {
    Problem::Invalid(vec![MemberError { member: member.to_owned(), detail: detail.to_string() }])
}
