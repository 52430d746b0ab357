//! Everything said to Zoho and read from Zoho. The seam is HTTP: real servers or emulated ones,
//! whichever the table of `domain::servers` names.
//!
//! - One client for all calls: it follows no redirect, uses no proxy from the environment, checks
//!   certificates and repeats nothing by itself (security.md S-18, D-3).
//! - An answer is read to 64 KB at most and judged by its body, not its status (`zoho-oauth.md` §6).
//! - Secrets travel in form bodies and one header, never in a URL, and no error carries a URL, a
//!   body or a token (security.md D-12, S-20).

mod authorize;
mod call;
mod json;
mod lifetime;
mod organizations;
mod profile;
mod refusal;
mod revoke;
mod token;
mod token_error;
mod wire;

#[cfg(test)]
mod socket_tests;

use std::time::Duration;

use reqwest::{Client as Http, redirect, retry};

use crate::domain::secret::ClientSecret;

pub use authorize::{AuthorizeRequest, code_challenge};
pub use call::{AnswerBody, CallLimits, Method, ProductAnswer, ProductCall, Unanswered, Verdict, is_json};
pub use refusal::{CallError, Refusal};
pub use revoke::Revoked;
pub use token::Grant;
pub use token_error::TokenError;

/// Until a connection stands, TLS included (security.md R-14).
const CONNECT: Duration = Duration::from_secs(3);
/// Shorter than the 5 s after which common servers close an idle connection, so that a request
/// rarely meets one that is just being closed: an exchange lost that way cannot be repeated.
const IDLE: Duration = Duration::from_secs(4);
/// What one data centre is asked at once (security.md §4.3).
const IDLE_PER_HOST: usize = 32;

/// How long one call may take, from the first byte sent to the last one read (security.md R-14).
#[derive(Debug, Clone, Copy)]
struct Timeouts {
    exchange: Duration,
    other: Duration,
}

const TIMEOUTS: Timeouts = Timeouts { exchange: Duration::from_secs(15), other: Duration::from_secs(10) };

/// Zoho, as this program talks to it. Cheap to clone: the connections are shared.
#[derive(Debug, Clone)]
pub struct Zoho {
    http: Http,
    timeouts: Timeouts,
}

/// The client of the API console, with the secret of the data centre that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    pub id: &'a str,
    pub secret: &'a ClientSecret,
}

#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: this machine may lack certificate authorities (the package `ca-certificates`)")]
pub struct TlsUnavailable(#[source] pub(crate) reqwest::Error);

impl Zoho {
    pub fn new() -> Result<Self, TlsUnavailable> {
        Self::with(TIMEOUTS)
    }

    fn with(timeouts: Timeouts) -> Result<Self, TlsUnavailable> {
        let http = Http::builder()
            .user_agent("login-with-zoho")
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            // One protocol and no compression, whatever features another crate switches on.
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build()
            .map_err(TlsUnavailable)?;
        Ok(Self { http, timeouts })
    }
}
