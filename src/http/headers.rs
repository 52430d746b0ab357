//! What stands on every answer (security.md S-32 to S-34).

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, SET_COOKIE},
    middleware::Next,
    web,
};

use super::site::callback;
use crate::app::App;

/// Computed once: the policy names the accounts servers, because Chromium applies `form-action` to
/// the redirect after a form, too.
#[derive(Debug, Clone)]
pub(crate) struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    pub(crate) fn new(app: &App) -> Self {
        let accounts: Vec<_> =
            app.config.zoho.servers.data_centres().map(|(_, hosts)| hosts.accounts.as_str()).collect();
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
             connect-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
            accounts.join(" ")
        );
        let mut headers = vec![
            ("content-security-policy", policy.as_str()),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
        ];
        if app.config.public_url.is_https() {
            headers.push(("strict-transport-security", "max-age=63072000"));
        }
        Self(
            headers
                .into_iter()
                .map(|(name, value)| {
                    let value = HeaderValue::from_str(value).expect("origins of the servers table are plain text");
                    (HeaderName::from_static(name), value)
                })
                .collect(),
        )
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        if !headers.contains_key(CACHE_CONTROL) || headers.contains_key(SET_COOKIE) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
}

/// Middleware: every answer of every service gets them.
pub(crate) async fn secure<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let headers = request.app_data::<web::Data<SecurityHeaders>>().cloned();
    let is_callback = callback::is_callback(request.request());
    let mut answer = next.call(request).await?;
    if is_callback {
        // Its address held a code and a state.
        answer.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    if let Some(headers) = headers {
        headers.apply(answer.headers_mut());
    }
    Ok(answer)
}
