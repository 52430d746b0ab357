//! `GET /api/v1/connections/{id}/access-token`, and by the caller's own ids.

mod answer;
mod by_own_ids;
mod life;
mod refused;

use std::time::Duration;

use serde_json::json;

use crate::harness::*;

const TOKENS: &[&str] = &["tokens:read"];

/// A program with one connection, and a back end that may read its tokens.
struct Connected {
    app: App,
    back_end: Backend,
    id: String,
}

impl Connected {
    async fn start() -> Self {
        Self::start_with(App::builder()).await
    }

    async fn start_with(builder: crate::harness::app::Builder) -> Self {
        let app = builder.start().await;
        let sam = app.visitor();
        sam.sign_in_as(SAM).await;
        let id = sam.only_connection().await;
        let back_end = app.backend(TOKENS).await;
        app.zoho.forget_journal().await;
        Self { app, back_end, id }
    }

    async fn token(&self, query: &str) -> Told {
        self.back_end.token(&self.id, query).await
    }

    async fn refreshes(&self) -> usize {
        self.app.zoho.token_calls().await.iter().filter(|call| call.form["grant_type"] == "refresh_token").count()
    }

    async fn advance_minutes(&self, minutes: u64) {
        self.app.advance(Duration::from_secs(minutes * 60)).await;
    }

    /// Whether Zoho's products accept it.
    async fn works(&self, token: &str) -> bool {
        let ledger = self.app.zoho.ledger("kind=access_token&state=live").await;
        ledger.iter().any(|entry| entry["value"] == token)
    }
}
