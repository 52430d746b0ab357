//! The address of Zoho's consent page (`zoho-oauth.md` §4, design.md §4 step 1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use crate::domain::{
    scope::ScopeSet,
    secret::{PkceVerifier, StateNonce},
};

/// What a browser asks for at the accounts server where the client is registered.
#[derive(Debug)]
pub struct AuthorizeRequest<'a> {
    pub accounts: &'a str,
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a ScopeSet,
    /// Asks for consent, and with it a new refresh token. Each pushes out an older one (§9), so a
    /// browser that already has what it needs goes online and without a prompt.
    pub offline: bool,
    pub state: &'a StateNonce,
    pub code_challenge: &'a str,
}

impl AuthorizeRequest<'_> {
    pub fn url(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("client_id", self.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", &self.scopes.to_parameter());
        if self.offline {
            query.append_pair("access_type", "offline").append_pair("prompt", "consent");
        } else {
            query.append_pair("access_type", "online");
        }
        query
            .append_pair("state", self.state.expose())
            .append_pair("code_challenge", self.code_challenge)
            .append_pair("code_challenge_method", "S256");
        format!("{}/oauth/v2/auth?{}", self.accounts, query.finish())
    }
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub fn code_challenge(verifier: &PkceVerifier) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(offline: bool) -> String {
        AuthorizeRequest {
            accounts: "https://accounts.zoho.com",
            client_id: "1000.ABC",
            redirect_uri: "https://login.example/oauth/callback?a=b&c",
            scopes: &ScopeSet::from_known(&["AaaServer.profile.READ", "Desk.basic.READ"]),
            offline,
            state: &StateNonce::new("st+te"),
            code_challenge: "chal_lenge",
        }
        .url()
    }

    #[test]
    fn consent_is_asked_for_with_parameters_in_a_fixed_order() {
        insta::assert_snapshot!(url(true), @"https://accounts.zoho.com/oauth/v2/auth?client_id=1000.ABC&response_type=code&redirect_uri=https%3A%2F%2Flogin.example%2Foauth%2Fcallback%3Fa%3Db%26c&scope=AaaServer.profile.READ%2CDesk.basic.READ&access_type=offline&prompt=consent&state=st%2Bte&code_challenge=chal_lenge&code_challenge_method=S256");
    }

    #[test]
    fn r13_a_sign_in_asks_for_no_refresh_token() {
        let url = url(false);
        assert!(url.contains("&access_type=online&state="), "{url}");
        assert!(!url.contains("prompt"), "{url}");
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = PkceVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
