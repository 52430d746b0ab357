//! Code exchange and refresh (`zoho-oauth.md` §6).
//!
//! Success is a JSON object with a non-empty `access_token` and no `error`, whatever the status;
//! everything else is `token_error`'s. Both calls are made once: whether to ask again is decided by
//! who knows what was at stake (security.md D-3).

use std::time::Duration;

use super::{
    Client, Zoho,
    json::{Json, Malformed},
    lifetime::lifetime,
    token_error::{TokenError, failure, object},
    wire::Answer,
};
use crate::domain::{
    scope::ScopeSet,
    secret::{AccessToken, AuthorizationCode, PkceVerifier, RefreshToken},
};

const TOKEN: &str = "/oauth/v2/token";

/// Tokens have 70 characters in captures (§3); they are opaque, and only what could not be sent
/// back in a header is refused.
const LONGEST_TOKEN: usize = 4096;

/// What a token endpoint grants.
#[derive(Debug)]
pub struct Grant {
    pub access_token: AccessToken,
    /// Absent with online access and on every refresh: the stored one stays good.
    pub refresh_token: Option<RefreshToken>,
    /// `None`: as requested (RFC 6749 §5.1).
    pub scopes: Option<ScopeSet>,
    /// As it came. Compared with the servers table, never used (security.md S-19).
    pub api_domain: Option<String>,
    /// At most an hour, to be counted from *before* the request.
    pub lifetime: Duration,
}

impl Zoho {
    /// Presents a code, once. `redirect_uri` as sent to the consent page, `None` for a self client;
    /// `verifier` if a challenge was sent.
    pub async fn exchange(
        &self,
        accounts: &str,
        client: Client<'_>,
        code: &AuthorizationCode,
        redirect_uri: Option<&str>,
        verifier: Option<&PkceVerifier>,
    ) -> Result<Grant, TokenError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", client.id),
            ("client_secret", client.secret.expose()),
            ("code", code.expose()),
        ];
        form.extend(redirect_uri.map(|redirect_uri| ("redirect_uri", redirect_uri)));
        form.extend(verifier.map(|verifier| ("code_verifier", verifier.expose())));
        let answer = self.post(accounts, TOKEN, &form, self.timeouts.exchange).await?;
        grant(&answer)
    }

    pub async fn refresh(&self, accounts: &str, client: Client<'_>, token: &RefreshToken) -> Result<Grant, TokenError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client.id),
            ("client_secret", client.secret.expose()),
            ("refresh_token", token.expose()),
        ];
        let answer = self.post(accounts, TOKEN, &form, self.timeouts.other).await?;
        grant(&answer)
    }
}

fn grant(answer: &Answer) -> Result<Grant, TokenError> {
    let json = object(answer)?;
    match (json.member("error"), json.text_member("access_token")) {
        (Ok(None), Ok(Some(access_token))) if !access_token.is_empty() => {
            read(json, access_token).map_err(|Malformed| TokenError::Misbehaved("a member of the wrong type"))
        }
        (Ok(None), Err(Malformed)) if answer.status.is_success() => {
            Err(TokenError::Misbehaved("the access token is not text"))
        }
        _ => Err(failure(answer, json)),
    }
}

fn read(json: Json<'_>, access_token: String) -> Result<Grant, Malformed> {
    let refresh_token = json.text_member("refresh_token")?.filter(|token| !token.is_empty());
    Ok(Grant {
        access_token: AccessToken::new(sendable(access_token)?),
        refresh_token: refresh_token.map(sendable).transpose()?.map(RefreshToken::new),
        scopes: json.text_member("scope")?.filter(|text| !text.trim().is_empty()).map(|text| scopes(&text)),
        api_domain: json.text_member("api_domain")?.filter(|domain| !domain.is_empty()),
        lifetime: lifetime(json),
    })
}

fn sendable(token: String) -> Result<String, Malformed> {
    let fits = token.len() <= LONGEST_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(token) } else { Err(Malformed) }
}

/// The granted scopes, without names that cannot be scopes: one of them is no reason to lose the
/// tokens, and if it stands for something that was asked for, that is reported as missing.
fn scopes(text: &str) -> ScopeSet {
    let mut scopes = ScopeSet::default();
    for known in text.split([' ', ',', '\t', '\r', '\n']).filter_map(|name| name.parse().ok()) {
        scopes.extend(&known);
    }
    scopes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(body: &str) -> Result<Grant, TokenError> {
        grant(&Answer::of(200, body))
    }

    #[test]
    fn a_modern_answer_is_read() {
        let grant = of(r#"{"access_token":"1000.aa.bb","refresh_token":"1000.cc.dd","scope":"ZohoCRM.org.READ AaaServer.profile.READ","api_domain":"https://www.zohoapis.eu","token_type":"Bearer","expires_in":3600}"#).unwrap();
        assert_eq!(grant.access_token.expose(), "1000.aa.bb");
        assert_eq!(grant.refresh_token.unwrap().expose(), "1000.cc.dd");
        assert_eq!(grant.scopes.unwrap().to_parameter(), "ZohoCRM.org.READ,AaaServer.profile.READ");
        assert_eq!(grant.api_domain.as_deref(), Some("https://www.zohoapis.eu"));
        assert_eq!(grant.lifetime, Duration::from_hours(1));
    }

    #[test]
    fn s13_what_is_missing_is_none() {
        for rest in ["", r#","refresh_token":"","scope":" ","api_domain":"""#, r#","refresh_token":null,"scope":null"#]
        {
            let grant = of(&format!(r#"{{"access_token":"t"{rest}}}"#)).unwrap();
            assert!(grant.refresh_token.is_none() && grant.scopes.is_none() && grant.api_domain.is_none(), "{rest}");
        }
    }

    #[test]
    fn an_error_beats_a_token_and_a_token_beats_the_status() {
        assert_eq!(of(r#"{"access_token":"t","error":"invalid_code"}"#).unwrap_err(), TokenError::DeadGrant);
        assert!(of(r#"{"access_token":"t","error":null}"#).is_ok());
        assert!(grant(&Answer::of(500, r#"{"access_token":"t"}"#)).is_ok());
        assert!(of(r#"{"access_token":""}"#).unwrap_err().is_transient());
    }

    #[test]
    fn s22_types_are_strict() {
        for body in [
            r#"{"access_token":5}"#,
            r#"{"access_token":["t"]}"#,
            r#"{"access_token":"t","access_token":"u"}"#,
            r#"{"access_token":"t\r\nX: y"}"#,
            r#"{"access_token":"t\ud800"}"#,
            r#"{"access_token":"t","refresh_token":5}"#,
            r#"{"access_token":"t","refresh_token":"a b"}"#,
            r#"{"access_token":"t","scope":["a"]}"#,
            r#"{"access_token":"t","api_domain":{}}"#,
        ] {
            assert!(matches!(of(body), Err(TokenError::Misbehaved(_))), "{body}");
        }
    }

    #[test]
    fn a_name_that_is_no_scope_costs_no_token() {
        let grant = of(r#"{"access_token":"t","scope":"Desk.basic.READ, a;b"}"#).unwrap();
        assert_eq!(grant.scopes.unwrap().to_parameter(), "Desk.basic.READ");
    }

    proptest! {
        #[test]
        fn no_body_and_no_status_upsets_the_reader(status in 200_u16..600, body in ".*") {
            let _ = grant(&Answer::of(status, &body)).is_ok();
        }

        #[test]
        fn r16_no_lifetime_exceeds_an_hour(value in any::<f64>(), unit in "expires_in(_sec)?", quote in "\"?") {
            let body = format!(r#"{{"access_token":"t","{unit}":{quote}{value:e}{quote}}}"#);
            if let Ok(grant) = of(&body) {
                prop_assert!(grant.lifetime <= Duration::from_hours(1));
            }
        }
    }
}
