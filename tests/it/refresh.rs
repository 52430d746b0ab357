//! The refresh engine: one token call per connection, whoever asks, and what failures lead to.

mod dead;
mod failures;
mod one_call;
mod schedule;

use std::time::Duration;

use serde_json::json;

use crate::harness::*;

const TOKENS: &[&str] = &["tokens:read"];
const TOKEN: &str = "/oauth/v2/token";

/// Refreshes that reached Zoho.
async fn refreshes(app: &App) -> usize {
    app.zoho.token_calls().await.iter().filter(|call| call.form["grant_type"] == "refresh_token").count()
}

/// Connects a person, and tells the connection's id.
async fn connect(app: &App, person: &str) -> String {
    let visitor = app.visitor();
    visitor.sign_in_as(person).await;
    visitor.only_connection().await
}

async fn minutes(app: &App, minutes: u64) {
    app.advance(Duration::from_secs(minutes * 60)).await;
}

/// A column of the only connection.
async fn column(app: &App, name: &str) -> String {
    app.database.text(&format!("select {name} from connection")).await
}

/// Waits until a column of the only connection reads so.
async fn wait_for_column(app: &App, name: &str, value: &str) {
    wait_for(&format!("{name} becomes {value}"), || async { (column(app, name).await == value).then_some(()) }).await;
}
