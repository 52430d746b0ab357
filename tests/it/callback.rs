//! `GET /oauth/callback`: what counts there, what is refused, and what a refusal costs.

mod data_centre;
mod deliveries;
mod parameters;
mod somebody_else;
mod state;
mod zoho_answers;

use crate::harness::*;

/// A callback URL of an attempt that this browser has just begun.
async fn callback(visitor: &Visitor, person: &str) -> String {
    let consent = visitor.begin("/login").await;
    visitor.go_to_zoho(&consent, person).await
}

/// The constant page of S-2, without the request's id.
#[track_caller]
fn assert_refused(page: &Page) {
    page.assert_status(400);
    assert_eq!(page.session_cookie(), None);
    assert!(!page.headers.contains_key("location"));
}

async fn exchanges(app: &App) -> usize {
    app.zoho.token_calls().await.len()
}
