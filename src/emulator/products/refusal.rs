//! How each product says no (zoho-oauth.md §11).

use serde_json::json;

use crate::emulator::answer::Answer;
use crate::emulator::settings::Settings;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    NoHeader,
    /// Unknown, revoked, evicted, of another data centre or environment.
    Invalid,
    Expired,
    Scope,
    /// The token is good, the organization named in the call is not the token's.
    Organization,
}

pub(super) fn refuse(product: &str, reason: Reason, settings: &Settings) -> Answer {
    match product {
        "assist" => assist(reason),
        "salesiq" => salesiq(reason, settings),
        "crm" => crm(reason),
        "desk" => desk(reason),
        "books" => books(reason),
        "connect" => connect(reason),
        _ => zia_agents(reason),
    }
}

fn assist(reason: Reason) -> Answer {
    let (status, code, message) = match reason {
        Reason::NoHeader | Reason::Invalid | Reason::Expired => (401, 1001, "Invalid AuthToken"),
        Reason::Scope => (401, 1009, "Invalid OAuthScope"),
        Reason::Organization => (403, 1005, "The organization does not belong to this token"),
    };
    Answer::json(status, &json!({"error": {"code": code, "message": message}}))
}

fn salesiq(reason: Reason, settings: &Settings) -> Answer {
    let dialect = &settings.products;
    let (status, code, message) = match reason {
        Reason::NoHeader => (dialect.salesiq_error_status, 1002, "Invalid OAuth header."),
        Reason::Expired if dialect.salesiq_expired_is_1001 => (400, 1001, "Access token expired."),
        Reason::Invalid | Reason::Expired => (dialect.salesiq_error_status, 1008, "Invalid OAuthToken."),
        Reason::Scope => (dialect.salesiq_error_status, 1009, "Invalid OAuthScope."),
        Reason::Organization => (dialect.salesiq_error_status, 1005, "Invalid portal name."),
    };
    Answer::json(status, &json!({"error": {"code": code, "message": message}}))
}

fn crm(reason: Reason) -> Answer {
    let (status, code, message) = match reason {
        Reason::NoHeader => (401, "AUTHENTICATION_FAILURE", "Authentication failed"),
        Reason::Invalid | Reason::Expired => (401, "INVALID_TOKEN", "invalid oauth token"),
        Reason::Scope => (401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL"),
        Reason::Organization => (403, "NO_PERMISSION", "permission denied"),
    };
    Answer::json(status, &json!({"code": code, "details": {}, "message": message, "status": "error"}))
}

fn desk(reason: Reason) -> Answer {
    let (status, code, message) = match reason {
        Reason::NoHeader => (401, "UNAUTHORIZED", "You are not authenticated to perform this operation."),
        Reason::Invalid | Reason::Expired => (401, "INVALID_OAUTH", "The OAuth Token you provided is invalid."),
        Reason::Scope => {
            (403, "SCOPE_MISMATCH", "The OAuth Token you provided does not have the scope for this operation.")
        }
        Reason::Organization => {
            (403, "OAUTH_ORG_MISMATCH", "The OAuth Token you provided does not belong to this organization.")
        }
    };
    Answer::json(status, &json!({"errorCode": code, "message": message}))
}

fn books(reason: Reason) -> Answer {
    let (status, code, message) = match reason {
        Reason::NoHeader => (401, 14, "Invalid value passed for authtoken."),
        Reason::Invalid | Reason::Expired | Reason::Scope => {
            (401, 57, "You are not authorized to perform this operation")
        }
        Reason::Organization => (403, 6041, "This user is not associated with the CompanyID/CompanyName:."),
    };
    Answer::json(status, &json!({"code": code, "message": message}))
}

/// Not established; the shape is that of Zoho's account server.
fn connect(reason: Reason) -> Answer {
    let (status, code, message) = match reason {
        Reason::NoHeader | Reason::Invalid | Reason::Expired => {
            (401, "INVALID_OAUTHTOKEN", "Invalid OAuth access token.")
        }
        Reason::Scope => (401, "INVALID_OAUTHSCOPE", "The scope of the OAuth access token does not cover this call."),
        Reason::Organization => (403, "INVALID_SCOPE_ID", "The scopeID is not one of this token's."),
    };
    Answer::json(status, &json!({"errorCode": code, "message": message}))
}

/// Not established.
fn zia_agents(reason: Reason) -> Answer {
    let (status, code, message) = match reason {
        Reason::NoHeader | Reason::Invalid | Reason::Expired => (401, "INVALID_OAUTHTOKEN", "Invalid OAuth token"),
        Reason::Scope => (401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL"),
        Reason::Organization => (403, "INVALID_ORG", "The organization does not belong to this token"),
    };
    Answer::json(status, &json!({"error": {"code": code, "message": message}}))
}
