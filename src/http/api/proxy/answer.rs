//! What a back end gets: the product's answer, or why there is none.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    body::{BodyStream, SizedStream},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use futures_util::{Stream, stream};

use super::request::invalid;
use crate::{
    domain::{product::Product, proxy_path},
    http::{answers::with_page, problem::Problem, site::problem_types::ProblemType},
    proxy::{
        ProxyError,
        answer::{Answered, Body},
        flow::{BrokenOff, Flow},
        limits::Busy,
    },
    vault::access_token::VendError,
    zoho::Unanswered,
};

/// When to try again where Zoho did not answer.
const SOON: Duration = Duration::from_secs(2);
/// Where somebody must change a setting first.
const LATER: Duration = Duration::from_secs(300);

/// The product's answer, its errors included: they are not ours to explain.
pub(super) fn respond(answered: Answered) -> HttpResponse {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = HttpResponse::build(status);
    for (name, value) in &answered.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_bytes(value)) {
            answer.append_header((name, value));
        }
    }
    with_page(match answered.body {
        Body::Whole(bytes) => answer.body(bytes),
        Body::Announced(Some(length)) => answer.body(SizedStream::new(length, nothing())),
        Body::Announced(None) => answer.body(BodyStream::new(nothing())),
        Body::Flowing { length: Some(length), flow } => answer.body(SizedStream::new(length, pieces(flow))),
        Body::Flowing { length: None, flow } => answer.body(BodyStream::new(pieces(flow))),
    })
}

/// The server sends none after `HEAD`, whatever is announced.
fn nothing() -> impl Stream<Item = Result<Bytes, BrokenOff>> + Unpin {
    stream::empty()
}

fn pieces(flow: Flow) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Unpin {
    Box::pin(stream::try_unfold(flow, |mut flow| async move { Ok(flow.next().await?.map(|piece| (piece, flow))) }))
}

/// Why there is none; how a refused vend is told is `vend`'s to say.
pub(super) async fn explain(error: ProxyError, vend: impl AsyncFnOnce(VendError) -> Problem) -> Problem {
    let explained = |problem, retry_after| Problem::Explained { problem, retry_after: Some(retry_after) };
    match error {
        ProxyError::Vend(error) => vend(error).await,
        ProxyError::ForeignPath(product) => invalid("path", format!("must lie under {}", prefixes(product))),
        ProxyError::ForeignOrganization(parameter) => {
            invalid(parameter, "must be the connection's organization, or left out")
        }
        ProxyError::NotOffered => explained(ProblemType::ZohoMisconfigured, LATER),
        ProxyError::Busy(Busy::Tenant { retry_after }) => explained(ProblemType::TooManyRequests, retry_after),
        ProxyError::Busy(Busy::DataCentre { retry_after }) => explained(ProblemType::Unavailable, retry_after),
        ProxyError::Unanswered(Unanswered::NotSent | Unanswered::Lost | Unanswered::TooSlow) => {
            explained(ProblemType::ZohoUnavailable, SOON)
        }
        ProxyError::Unanswered(Unanswered::TooLarge | Unanswered::Redirected) => {
            Problem::explained(ProblemType::ZohoMisbehaved)
        }
    }
}

fn prefixes(product: Product) -> String {
    let prefixes = proxy_path::prefixes(product).iter().map(|prefix| format!("/{}/", prefix.join("/")));
    prefixes.collect::<Vec<_>>().join(" or ")
}
