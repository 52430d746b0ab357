//! Secrets that cannot be printed, compared or serialized by accident.
//!
//! `expose()` is called where a secret is sealed, digested or sent, and nowhere else.

use secrecy::{ExposeSecret, SecretString};

macro_rules! secret {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(SecretString::from(text.into()))
            }

            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

secret! {
    /// Opens Zoho's products for at most an hour.
    AccessToken,
    /// Lives until it is revoked or evicted; the one thing that must never be lost.
    RefreshToken,
    /// What the callback brings; presented to Zoho at most once, ever (security.md D-3).
    AuthorizationCode,
    /// Ours for one data centre.
    ClientSecret,
    /// The `state` of one attempt.
    StateNonce,
    /// The PKCE `code_verifier` of one attempt (RFC 7636).
    PkceVerifier,
    /// The value of the browser's session cookie.
    SessionToken,
    /// A back end's key.
    ApiKey,
    /// What makes an onboarding link an address that only those know who were given it.
    OnboardingToken,
    /// By what a link knows the browser that started it.
    BrowserToken,
    /// A form token (security.md S-38).
    FormToken,
    /// What webhooks of one endpoint are signed with: `whsec_` and base64 (Standard Webhooks).
    WebhookSecret,
}

/// 256 bits of the system's generator, base64url (security.md S-23).
pub fn random_token() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let token = RefreshToken::new("1000.aaaa.bbbb");
        assert_eq!(format!("{token:?}"), "RefreshToken(…)");
        assert_eq!(token.expose(), "1000.aaaa.bbbb");
    }

    #[test]
    fn s23_tokens_are_256_bits_without_a_pattern() {
        let tokens: std::collections::HashSet<_> = (0..1000).map(|_| random_token()).collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| token.len() == 43));
    }
}
