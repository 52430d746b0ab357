//! The life of a connection: again, online, reconnected, disconnected; and that it is one's own.

mod again;
mod disconnect;
mod limit;
mod ownership;
mod scopes;
mod settled_later;
mod tested;

use crate::harness::*;

/// The connection's row in words.
async fn row(app: &App, id: &str) -> String {
    let row = "select concat_ws(' ', status, status_reason, product, md5(refresh_token_sealed)) from connection";
    app.database.text(&format!("{row} where connection_id = '{id}'")).await
}

/// Begins a reconnect by its form.
async fn reconnect(visitor: &Visitor, id: &str) -> String {
    let page = format!("/connections/{id}");
    visitor.submit(&page, &format!("{page}/reconnect"), &[]).await.location().to_owned()
}

async fn live(app: &App, person: &str) -> Vec<String> {
    app.zoho.refresh_tokens(person, "live").await
}

async fn wait_for_live(app: &App, person: &str, count: usize) -> Vec<String> {
    wait_for("the number of live refresh tokens", || async {
        Some(live(app, person).await).filter(|tokens| tokens.len() == count)
    })
    .await
}
