//! Changes by cookie: same origin, and the session's own form token (security.md S-38).

use actix_web::{HttpRequest, http::header::ORIGIN};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::{
    app::App,
    domain::secret::{FormToken, SessionToken},
};

/// The token of every form in a session. It tells nothing about the session's own token, and dies
/// with it.
pub(crate) fn form_token(session: &SessionToken) -> FormToken {
    let mut mac = <Hmac<Sha256>>::new_from_slice(session.expose().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"lwz1|form");
    FormToken::new(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

pub(crate) fn matches(session: &SessionToken, form_token_sent: &FormToken) -> bool {
    form_token(session).expose().as_bytes().ct_eq(form_token_sent.expose().as_bytes()).into()
}

/// `Sec-Fetch-Site` decides where it is sent; otherwise `Origin` must be ours, and one that is
/// absent or `null` is not.
pub(crate) fn is_same_origin(app: &App, request: &HttpRequest) -> bool {
    let header = |name: &str| {
        let mut values = request.headers().get_all(name);
        let value = values.next()?;
        // Two of them are nobody's word.
        Some(if values.next().is_none() { value.to_str().unwrap_or_default() } else { "" })
    };
    match header("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => header(ORIGIN.as_str()) == Some(app.config.public_url.origin()),
    }
}
