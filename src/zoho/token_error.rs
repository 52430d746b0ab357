//! What Zoho's token endpoints say when they hand out no token (`zoho-oauth.md` §6).
//!
//! Only a closed list of words means that a grant is dead (security.md D-10); whatever is not in
//! the dictionary is transient. Zoho's `access_denied` means throttled here, never "refused".

use std::{fmt, time::Duration};

use reqwest::StatusCode;

use super::{
    json::{Json, Malformed},
    wire::{Answer, NoAnswer, Unreadable},
};

/// Why a call to a token endpoint brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No connection stood, TLS included, so no byte of the request can have been sent: the only
    /// case in which an exchange may be tried again.
    #[error("no connection to zoho")]
    NotSent,
    /// The code or refresh token is used, expired, revoked, evicted, or of another data centre.
    #[error("zoho no longer knows this code or token")]
    DeadGrant,
    #[error("zoho refuses {0} of this installation")]
    Misconfigured(Misconfiguration),
    #[error("zoho throttles these requests")]
    Throttled { retry_after: Option<Duration> },
    /// The reason is in our words, never the answer's.
    #[error("zoho misbehaved: {0}")]
    Misbehaved(&'static str),
    /// It may have arrived, and may have done its work, but no answer came back.
    #[error("zoho did not answer")]
    Lost,
    /// A server error: nothing was granted.
    #[error("zoho is unavailable")]
    Unavailable,
}

/// What of our own settings Zoho does not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misconfiguration {
    /// Wrong id, or not enabled in this data centre.
    Client,
    /// Wrong secret, often another data centre's.
    ClientSecret,
    RedirectUri,
}

impl fmt::Display for Misconfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "the client",
            Self::ClientSecret => "the client secret",
            Self::RedirectUri => "the redirect uri",
        })
    }
}

impl TokenError {
    /// Whether it says nothing about grant, settings or budget, and trying again soon may help.
    /// For an exchange that is `NotSent` alone (security.md D-3).
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::NotSent | Self::Misbehaved(_) | Self::Lost | Self::Unavailable => true,
            Self::DeadGrant | Self::Misconfigured(_) | Self::Throttled { .. } => false,
        }
    }

    /// The class, as logs and metrics name it.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::DeadGrant => "dead_grant",
            Self::Misconfigured(_) => "misconfigured",
            Self::Throttled { .. } => "throttled",
            Self::Misbehaved(_) => "misbehaved",
            Self::Lost => "lost",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<NoAnswer> for TokenError {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::NotSent => Self::NotSent,
            NoAnswer::Lost => Self::Lost,
        }
    }
}

/// The JSON object that an answer of these endpoints must be, whatever its status.
pub(super) fn object(answer: &Answer) -> Result<Json<'_>, TokenError> {
    if answer.status.is_redirection() {
        return Err(TokenError::Misbehaved("the answer is a redirect"));
    }
    match answer.json() {
        Ok(json) if json.is_object() => Ok(json),
        Ok(_) => Err(by_status(answer).unwrap_or(TokenError::Misbehaved("the answer is no JSON object"))),
        Err(unreadable) => Err(by_status(answer).unwrap_or(match unreadable {
            Unreadable::BrokenOff => TokenError::Lost,
            other => TokenError::Misbehaved(other.reason()),
        })),
    }
}

/// What a status says where the body says nothing.
fn by_status(answer: &Answer) -> Option<TokenError> {
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        Some(TokenError::Throttled { retry_after: answer.retry_after })
    } else if answer.status.is_server_error() {
        Some(TokenError::Unavailable)
    } else {
        None
    }
}

/// The `error` of an answer, in one spelling: `Access Denied` is `access_denied`.
pub(super) fn error_word(json: Json<'_>) -> Result<Option<String>, Malformed> {
    let word = json.text_member("error")?;
    Ok(word.map(|word| word.trim().to_ascii_lowercase().replace(' ', "_")))
}

pub(super) fn has_status(json: Json<'_>, wanted: &str) -> bool {
    matches!(json.text_member("status"), Ok(Some(status)) if status.eq_ignore_ascii_case(wanted))
}

/// The dictionary. Throttling is recognized before anything else, by three signs of which none
/// depends on the description, which may be localized; a server error proves nothing about a grant.
pub(super) fn failure(answer: &Answer, json: Json<'_>) -> TokenError {
    let word = error_word(json);
    let is_throttled = has_status(json, "failure") || matches!(&word, Ok(Some(word)) if word == "access_denied");
    if is_throttled {
        return TokenError::Throttled { retry_after: answer.retry_after };
    }
    if let Some(error) = by_status(answer) {
        return error;
    }
    let Ok(word) = word else {
        return TokenError::Misbehaved("the error is not a word");
    };
    match word.as_deref() {
        Some("invalid_code" | "invalid_grant") => TokenError::DeadGrant,
        Some("invalid_client") => TokenError::Misconfigured(Misconfiguration::Client),
        Some("invalid_client_secret") => TokenError::Misconfigured(Misconfiguration::ClientSecret),
        Some("invalid_redirect_uri") => TokenError::Misconfigured(Misconfiguration::RedirectUri),
        Some("general_error") => TokenError::Misbehaved("a general error"),
        Some(_) => TokenError::Misbehaved("an error of an unknown name"),
        None => TokenError::Misbehaved("neither token nor error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> TokenError {
        let answer = Answer::of(status, body);
        object(&answer).map_or_else(|error| error, |json| failure(&answer, json))
    }

    const THROTTLED: TokenError = TokenError::Throttled { retry_after: None };

    #[test]
    fn d10_only_two_words_mean_that_a_grant_is_dead() {
        for status in [200, 400, 401] {
            assert_eq!(said(status, r#"{"error":"invalid_code"}"#), TokenError::DeadGrant);
            assert_eq!(said(status, r#"{"error":"invalid_grant"}"#), TokenError::DeadGrant);
        }
        for other in ["general_error", "", "invalid_code2", "invalid", "expired_token", "unauthorized_client"] {
            let error = said(200, &format!(r#"{{"error":"{other}"}}"#));
            assert!(error.is_transient(), "{other}: {error:?}");
        }
        assert_eq!(said(500, r#"{"error":"invalid_code"}"#), TokenError::Unavailable);
    }

    #[test]
    fn r11_our_own_mistakes_are_told_apart() {
        let of = |word: &str| said(200, &format!(r#"{{"error":"{word}"}}"#));
        assert_eq!(of("invalid_client"), TokenError::Misconfigured(Misconfiguration::Client));
        assert_eq!(of("invalid_client_secret"), TokenError::Misconfigured(Misconfiguration::ClientSecret));
        assert_eq!(of("invalid_redirect_uri"), TokenError::Misconfigured(Misconfiguration::RedirectUri));
    }

    #[test]
    fn r10_throttling_is_recognized_in_any_dress() {
        let english = r#"{"error_description":"You have made too many requests continuously. Please try again after some time.","error":"Access Denied","status":"failure"}"#;
        for status in [200, 400, 429, 500] {
            assert_eq!(said(status, english), THROTTLED);
        }
        for body in [
            r#"{"error":"access_denied"}"#,
            r#"{"error":"ACCESS DENIED"}"#,
            r#"{"error":"Zugriff verweigert","status":"failure"}"#,
            r#"{"status":"Failure","error":{"code":7}}"#,
        ] {
            assert_eq!(said(400, body), THROTTLED, "{body}");
        }
        for body in ["", "<html>", "[]", r#"{"error":"invalid_code"}"#] {
            assert_eq!(said(429, body), THROTTLED, "{body}");
        }
    }

    #[test]
    fn r15_nonsense_is_transient_and_never_quoted() {
        for (status, body) in [
            (200, "<html>1000.secret</html>"),
            (200, ""),
            (200, "{\"access_token\":\"1000.secr"),
            (200, "[1,2]"),
            (200, "{}"),
            (200, r#"{"error":{"code":"invalid_code"}}"#),
            (200, r#"{"error":5}"#),
            (200, r#"{"error":"invalid_code","error":"invalid_client"}"#),
            (302, r#"{"error":"invalid_code"}"#),
            (404, "not here"),
        ] {
            let error = said(status, body);
            assert!(matches!(error, TokenError::Misbehaved(_)), "{status} {body}: {error:?}");
            assert!(!error.to_string().contains("secr"));
        }
        assert_eq!(said(503, "<html>"), TokenError::Unavailable);
    }
}
