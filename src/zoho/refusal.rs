//! How Zoho's APIs say no (`zoho-oauth.md` §11).
//!
//! Every product has a place and a vocabulary of its own, and one of them says it with status 200.
//! The places are all looked at; names mean the same everywhere, numbers only in their product.

use std::time::Duration;

use reqwest::StatusCode;

use super::{
    json::Json,
    wire::{Answer, NoAnswer, Unreadable},
};
use crate::domain::product::Product;

/// What an API refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Expired, revoked, or of another data centre: a refresh may help, once.
    Token,
    /// Not granted: only a new consent helps.
    Scope,
    /// Of another organization: only a new consent helps.
    Organization,
    /// The person themselves may not do this.
    Permission,
}

impl Refusal {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Scope => "scope",
            Self::Organization => "organization",
            Self::Permission => "permission",
        }
    }
}

/// Why a call in the name of a token brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("zoho refuses the {} of this call", .0.key())]
    Refused(Refusal),
    #[error("zoho throttles these requests")]
    Throttled { retry_after: Option<Duration> },
    /// The reason is in our words, never the answer's.
    #[error("zoho misbehaved: {0}")]
    Misbehaved(&'static str),
    /// Nothing that asking again would change, and never followed (security.md S-18).
    #[error("zoho answers with a redirect")]
    Redirected,
    #[error("zoho is unavailable")]
    Unavailable,
    /// Well-formed, but without what was asked for.
    #[error("zoho's answer is of no use: {0}")]
    Unusable(&'static str),
}

impl CallError {
    /// Whether asking again soon may help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Misbehaved(_) | Self::Unavailable => true,
            Self::Refused(_) | Self::Throttled { .. } | Self::Redirected | Self::Unusable(_) => false,
        }
    }

    /// The class, as logs and metrics name it.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Throttled { .. } => "throttled",
            Self::Misbehaved(_) | Self::Redirected => "misbehaved",
            Self::Unavailable => "unavailable",
            Self::Unusable(_) => "unusable",
        }
    }
}

impl From<NoAnswer> for CallError {
    /// These calls change nothing, so it does not matter whether they arrived.
    fn from(_: NoAnswer) -> Self {
        Self::Unavailable
    }
}

/// What an API complains of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Complaint {
    Refused(Refusal),
    Throttled,
}

/// The JSON of an answer that is none of the above. `product` is `None` for the accounts server.
pub(super) fn accepted(product: Option<Product>, answer: &Answer) -> Result<Json<'_>, CallError> {
    let throttled = CallError::Throttled { retry_after: answer.retry_after };
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(throttled);
    }
    if answer.status.is_server_error() {
        return Err(CallError::Unavailable);
    }
    if answer.status.is_redirection() {
        return Err(CallError::Redirected);
    }
    let json = answer.json();
    match json.ok().and_then(|json| complaint(product, json)) {
        Some(Complaint::Refused(refusal)) => return Err(CallError::Refused(refusal)),
        Some(Complaint::Throttled) => return Err(throttled),
        None => {}
    }
    match answer.status {
        StatusCode::UNAUTHORIZED => return Err(CallError::Refused(Refusal::Token)),
        StatusCode::FORBIDDEN => return Err(CallError::Refused(Refusal::Permission)),
        StatusCode::NO_CONTENT => return Err(CallError::Unusable("there is no content")),
        status if !status.is_success() => return Err(CallError::Misbehaved("a status that makes no sense here")),
        _ => {}
    }
    match json {
        Ok(json) if !json.is_object() => Err(CallError::Misbehaved("the answer is no JSON object")),
        Ok(json) if !matches!(json.member("error"), Ok(None)) => {
            Err(CallError::Misbehaved("an error of an unknown name"))
        }
        Ok(json) => Ok(json),
        Err(Unreadable::BrokenOff) => Err(CallError::Unavailable),
        Err(unreadable) => Err(CallError::Misbehaved(unreadable.reason())),
    }
}

/// What a product's answer to somebody else's call complains of; `body` where it was small enough to
/// be a complaint.
///
/// With status 200 the call may well have been done, and to repeat it would do it twice: there only
/// words count that no record of the caller's own could hold by chance.
pub(super) fn complaint_of(product: Product, status: StatusCode, body: Option<&str>) -> Option<Complaint> {
    let json = body.and_then(|body| Json::parse(body).ok()).filter(|json| json.is_object());
    let said = json.and_then(|json| {
        if status.is_success() { unlikely_complaint(product, json) } else { complaint(Some(product), json) }
    });
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(Complaint::Throttled),
        StatusCode::UNAUTHORIZED => said.or(Some(Complaint::Refused(Refusal::Token))),
        _ => said,
    }
}

fn unlikely_complaint(product: Product, json: Json<'_>) -> Option<Complaint> {
    let is_error = json.member("error").ok().flatten().is_some();
    let by_number = |word: &str| by_number(product, word).filter(|_| is_error || product == Product::Books);
    let by_name = |word: &str| by_name(word).filter(|_| is_error || !is_plain_word(word));
    words(json).iter().find_map(|word| by_name(word).or_else(|| by_number(word)))
}

/// Codes that somebody might use for something of their own.
fn is_plain_word(word: &str) -> bool {
    ["UNAUTHORIZED", "FORBIDDEN", "NO_PERMISSION"].iter().any(|plain| word.eq_ignore_ascii_case(plain))
}

fn complaint(product: Option<Product>, json: Json<'_>) -> Option<Complaint> {
    words(json).iter().find_map(|word| by_name(word).or_else(|| by_number(product?, word)))
}

/// Every place where one of the products keeps its word.
fn words(json: Json<'_>) -> Vec<String> {
    let at = |json: Json<'_>, name| json.member(name).ok().flatten()?.id().ok();
    let inner = |name| json.member(name).ok().flatten();
    let mut words: Vec<String> =
        ["code", "errorCode", "cause", "error"].into_iter().filter_map(|name| at(json, name)).collect();
    if let Some(error) = inner("error") {
        words.extend(["code", "title"].into_iter().filter_map(|name| at(error, name)));
    }
    words.extend(inner("data").and_then(|data| at(data, "errorCode")));
    words
}

fn by_name(word: &str) -> Option<Complaint> {
    use Complaint::{Refused, Throttled};
    match word.to_ascii_uppercase().as_str() {
        "INVALID_TOKEN" | "AUTHENTICATION_FAILURE" | "INVALID_OAUTH" | "INVALID_OAUTHTOKEN" | "UNAUTHORIZED" => {
            Some(Refused(Refusal::Token))
        }
        "OAUTH_SCOPE_MISMATCH" | "SCOPE_MISMATCH" | "INVALID_OAUTHSCOPE" => Some(Refused(Refusal::Scope)),
        "OAUTH_ORG_MISMATCH" => Some(Refused(Refusal::Organization)),
        "NO_PERMISSION" | "FORBIDDEN" => Some(Refused(Refusal::Permission)),
        "TOO_MANY_REQUESTS" | "REQUEST_LIMIT_EXCEEDED" => Some(Throttled),
        _ => None,
    }
}

fn by_number(product: Product, word: &str) -> Option<Complaint> {
    use Complaint::{Refused, Throttled};
    match (product, word) {
        // 1001 was seen for an expired token, 1002 is a header without one.
        (Product::Salesiq, "1001" | "1002" | "1008") | (Product::Books, "14" | "57") => Some(Refused(Refusal::Token)),
        (Product::Salesiq, "1009") => Some(Refused(Refusal::Scope)),
        (Product::Salesiq, "1005") => Some(Refused(Refusal::Organization)),
        (Product::Salesiq, "1016") => Some(Refused(Refusal::Permission)),
        (Product::Salesiq, "1023") => Some(Throttled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(product: Product, status: u16, body: &str) -> CallError {
        accepted(Some(product), &Answer::of(status, body)).err().expect("a refusal")
    }

    #[test]
    fn every_product_refuses_a_bad_token_in_its_own_words() {
        for (product, status, body) in [
            (
                Product::Crm,
                401,
                r#"{"code":"INVALID_TOKEN","details":{},"message":"invalid oauth token","status":"error"}"#,
            ),
            (Product::Crm, 401, r#"{"code":"AUTHENTICATION_FAILURE"}"#),
            (
                Product::Desk,
                401,
                r#"{"errorCode":"INVALID_OAUTH","message":"The OAuth Token you provided is invalid."}"#,
            ),
            (Product::Salesiq, 200, r#"{"error":{"code":1008,"message":"Invalid OAuthToken."}}"#),
            (Product::Salesiq, 400, r#"{"error":{"code":"1001"}}"#),
            (Product::Assist, 401, r#"{"error":{"code":4711,"message":"Invalid AuthToken"}}"#),
            (Product::Books, 401, r#"{"code":57,"message":"You are not authorized to perform this operation"}"#),
            (Product::Books, 400, r#"{"code":14}"#),
            (Product::Connect, 401, "<html>"),
            (Product::Connect, 401, r#"{"error":{"status_code":"401","title":"INVALID_OAUTHTOKEN"}}"#),
            (Product::Connect, 400, r#"{"status":{"code":404},"data":{"errorCode":"INVALID_OAUTHTOKEN"}}"#),
        ] {
            assert_eq!(said(product, status, body), CallError::Refused(Refusal::Token), "{product} {body}");
        }
    }

    #[test]
    fn scope_organization_and_permission_are_no_token_failures() {
        let refused = |product, status, body| match said(product, status, body) {
            CallError::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(Product::Crm, 401, r#"{"code":"OAUTH_SCOPE_MISMATCH"}"#), Refusal::Scope);
        assert_eq!(refused(Product::Desk, 403, r#"{"errorCode":"SCOPE_MISMATCH"}"#), Refusal::Scope);
        assert_eq!(refused(Product::Desk, 403, r#"{"errorCode":"OAUTH_ORG_MISMATCH"}"#), Refusal::Organization);
        assert_eq!(refused(Product::Salesiq, 200, r#"{"error":{"code":1009}}"#), Refusal::Scope);
        assert_eq!(refused(Product::Salesiq, 400, r#"{"error":{"code":1005}}"#), Refusal::Organization);
        assert_eq!(refused(Product::Salesiq, 200, r#"{"error":{"code":1016}}"#), Refusal::Permission);
        assert_eq!(refused(Product::Assist, 403, ""), Refusal::Permission);
    }

    #[test]
    fn s63_a_proxied_answer_says_that_the_token_is_no_good() {
        let of = |product, status: u16, body: &str| {
            let status = StatusCode::from_u16(status).expect("a status");
            match complaint_of(product, status, Some(body)) {
                Some(Complaint::Refused(refusal)) => refusal.key(),
                Some(Complaint::Throttled) => "throttled",
                None => "nothing",
            }
        };
        for (product, status, body, said) in [
            (Product::Crm, 401, r#"{"code":"INVALID_TOKEN"}"#, "token"),
            (Product::Crm, 401, r#"{"code":"OAUTH_SCOPE_MISMATCH"}"#, "scope"),
            (Product::Desk, 403, r#"{"errorCode":"OAUTH_ORG_MISMATCH"}"#, "organization"),
            (Product::Desk, 401, r#"{"errorCode":"INVALID_OAUTH"}"#, "token"),
            (Product::Salesiq, 200, r#"{"error":{"code":1008}}"#, "token"),
            (Product::Salesiq, 400, r#"{"error":{"code":1001}}"#, "token"),
            (Product::Salesiq, 200, r#"{"error":{"code":1009}}"#, "scope"),
            (Product::Salesiq, 200, r#"{"error":{"code":1023}}"#, "throttled"),
            (Product::Salesiq, 200, r#"{"data":[],"code":1008}"#, "nothing"),
            (Product::Books, 401, r#"{"code":57}"#, "token"),
            (Product::Books, 200, r#"{"code":0}"#, "nothing"),
            (Product::Connect, 400, r#"{"code":"request_limit_exceeded"}"#, "throttled"),
            (Product::Connect, 401, "<html>", "token"),
            (Product::ZiaAgents, 401, r#"{"error":{"code":"INVALID_OAUTHTOKEN"}}"#, "token"),
            (Product::Assist, 401, "", "token"),
            (Product::Assist, 403, "", "nothing"),
            (Product::Assist, 429, "", "throttled"),
            (Product::Desk, 200, r#"{"id":"1","code":"UNAUTHORIZED"}"#, "nothing"),
            (Product::Crm, 200, r#"{"data":[{"code":"INVALID_TOKEN"}]}"#, "nothing"),
            (Product::Crm, 500, "", "nothing"),
        ] {
            assert_eq!(of(product, status, body), said, "{product} {status} {body}");
        }
    }

    #[test]
    fn a_number_means_something_in_its_product_only() {
        assert!(matches!(said(Product::Assist, 200, r#"{"error":{"code":1008}}"#), CallError::Misbehaved(_)));
        assert!(accepted(Some(Product::Books), &Answer::of(200, r#"{"code":0,"message":"success"}"#)).is_ok());
    }

    #[test]
    fn the_rest_is_throttling_outage_or_nonsense() {
        let throttled = CallError::Throttled { retry_after: None };
        assert_eq!(said(Product::Assist, 429, ""), throttled);
        assert_eq!(said(Product::Salesiq, 200, r#"{"error":{"code":1023}}"#), throttled);
        assert_eq!(said(Product::Connect, 400, r#"{"code":"request_limit_exceeded"}"#), throttled);
        assert_eq!(said(Product::Crm, 502, r#"{"code":"INVALID_TOKEN"}"#), CallError::Unavailable);
        assert_eq!(said(Product::Desk, 204, ""), CallError::Unusable("there is no content"));
        assert_eq!(said(Product::Desk, 302, "{}"), CallError::Redirected);
        for (status, body) in [(200, "<html>"), (200, "[]"), (404, "{}"), (200, r#"{"error":"x"}"#)] {
            assert!(matches!(said(Product::Desk, status, body), CallError::Misbehaved(_)), "{status} {body}");
        }
    }
}
