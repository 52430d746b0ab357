//! An answer before it is written: plain data, so that faults can still change it.

use std::time::Duration;

use actix_web::web::Bytes;
use askama::Template;
use serde_json::Value;

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// How long the answer takes by itself: an agent that thinks, a sign-in that hesitates.
    pub(super) delay: Duration,
}

/// No `form-action`: it would also govern where the answer to a consent form may redirect, and that is the client's site.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

impl Answer {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), delay: Duration::ZERO }
    }

    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json;charset=UTF-8", value.to_string()).with("cache-control", "no-store")
    }

    pub(super) fn page(status: u16, page: &impl Template) -> Self {
        let html = page.render().unwrap_or_else(|error| format!("<!doctype html><title>Error</title><p>{error}"));
        Self::html(status, html)
    }

    pub(super) fn html(status: u16, html: impl Into<Bytes>) -> Self {
        Self::new(status, "text/html;charset=UTF-8", html)
            .with("content-security-policy", POLICY)
            .with("x-content-type-options", "nosniff")
            .with("referrer-policy", "no-referrer")
            .with("cache-control", "no-store")
    }

    pub(super) fn redirect(status: u16, location: &str) -> Self {
        Self::new(status, "text/html;charset=UTF-8", Bytes::new())
            .with("location", location)
            .with("cache-control", "no-store")
    }

    /// After a form, or on the way through consent.
    pub(super) fn see_other(location: &str) -> Self {
        Self::redirect(303, location)
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn after(mut self, milliseconds: u64) -> Self {
        self.delay = Duration::from_millis(milliseconds);
        self
    }
}
