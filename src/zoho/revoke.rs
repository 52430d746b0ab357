//! Revocation of a refresh token, and with it of that one grant (`zoho-oauth.md` §7).
//!
//! Known are `{"status":"success"}` with 200, and 400 for a token that Zoho does not know, whose
//! body nobody documented. "Already invalid" is a success, but only where the answer can mean
//! nothing else: a token believed revoked is never asked about again.

use reqwest::StatusCode;

use super::{
    Zoho,
    token_error::{TokenError, error_word, failure, has_status, object},
    wire::Answer,
};
use crate::domain::secret::RefreshToken;

/// What became of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    Now,
    /// Zoho did not know it any more.
    Already,
}

impl Zoho {
    pub async fn revoke(&self, accounts: &str, token: &RefreshToken) -> Result<Revoked, TokenError> {
        let form = [("token", token.expose())];
        let answer = self.post(accounts, "/oauth/v2/token/revoke", &form, self.timeouts.other).await?;
        revoked(&answer)
    }
}

fn revoked(answer: &Answer) -> Result<Revoked, TokenError> {
    let is_unknown_token = answer.status == StatusCode::BAD_REQUEST;
    if is_unknown_token && answer.is_empty() {
        return Ok(Revoked::Already);
    }
    let json = object(answer)?;
    if let Ok(word) = error_word(json) {
        match word.as_deref() {
            None if answer.status.is_success() && has_status(json, "success") => return Ok(Revoked::Now),
            // Throttling names itself in `error`; here a bare failure is the 400 of an unknown token.
            None if is_unknown_token => return Ok(Revoked::Already),
            Some("invalid_code" | "invalid_grant" | "invalid_token" | "invalid_refresh_token")
                if is_unknown_token || answer.status.is_success() =>
            {
                return Ok(Revoked::Already);
            }
            _ => {}
        }
    }
    match failure(answer, json) {
        // With another status than these, a dead grant is no receipt.
        TokenError::DeadGrant => Err(TokenError::Misbehaved("an error of an unexpected status")),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Result<Revoked, TokenError> {
        revoked(&Answer::of(status, body))
    }

    #[test]
    fn a_receipt_needs_the_word_success() {
        assert_eq!(of(200, r#"{"status":"success"}"#), Ok(Revoked::Now));
        for body in ["", "{}", "<html>", r#"{"status":"ok"}"#, r#"{"status":"success","error":"general_error"}"#] {
            assert!(of(200, body).unwrap_err().is_transient(), "{body}");
        }
    }

    #[test]
    fn a_token_that_is_unknown_already_is_revoked() {
        for body in [
            "",
            "{}",
            r#"{"error":"invalid_code"}"#,
            r#"{"status":"failure"}"#,
            r#"{"error":"invalid_token","status":"failure"}"#,
        ] {
            assert_eq!(of(400, body), Ok(Revoked::Already), "{body}");
        }
        assert_eq!(of(200, r#"{"error":"invalid_code"}"#), Ok(Revoked::Already));
    }

    #[test]
    fn r27_no_other_failure_passes_for_a_receipt() {
        let throttled = Err(TokenError::Throttled { retry_after: None });
        assert_eq!(of(400, r#"{"error":"Access Denied","status":"failure"}"#), throttled);
        assert_eq!(of(400, r#"{"error":"Zugriff verweigert","status":"failure"}"#), throttled);
        assert_eq!(of(429, ""), throttled);
        assert_eq!(of(503, r#"{"status":"success"}"#), Err(TokenError::Unavailable));
        for (status, body) in [
            (400, "<html>"),
            (400, r#"{"error":"new_word"}"#),
            (302, ""),
            (404, ""),
            (401, r#"{"error":"invalid_code"}"#),
        ] {
            assert!(matches!(of(status, body), Err(TokenError::Misbehaved(_))), "{status} {body}");
        }
    }
}
