//! Webhooks: what is told, to whom, in which order, how often, and where never (security.md S-72, R-25).

mod endpoints;
mod events;
mod official;
mod order;
mod page;
mod retries;
mod targets;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    receiver::{Answer, Received, Receiver},
    *,
};

const GRANTS: &[&str] = &["webhooks:write", "connections:read", "connections:write", "tokens:read", "onboarding:write"];

/// A site that may call loopback.
async fn start() -> App {
    App::builder().config(|config| config.webhooks_to_loopback = true).start().await
}

async fn send(back_end: &Backend, method: Method, path: &str, body: Option<Value>) -> Told {
    let mut request = back_end.request(method, &format!("/api/v1{path}"));
    if let Some(body) = body {
        request = request.json(&body);
    }
    Told::read(request.send().await.unwrap()).await
}

async fn post(back_end: &Backend, path: &str, body: Value) -> Told {
    send(back_end, Method::POST, path, Some(body)).await
}

/// Makes an endpoint; tells it with its secret.
async fn listen_to(back_end: &Backend, url: &str, events: &[&str]) -> Value {
    let body = if events.is_empty() { json!({"url": url}) } else { json!({"url": url, "events": events}) };
    let made = post(back_end, "/webhook-endpoints", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

fn id_of(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

/// Connects a person, and tells the connection's id.
async fn connect(app: &App, person: &str) -> String {
    let visitor = app.visitor();
    visitor.sign_in_as(person).await;
    visitor.only_connection().await
}

/// The deliveries, the newest first.
async fn deliveries(back_end: &Backend, query: &str) -> Vec<Value> {
    let listed = back_end.get(&format!("/api/v1/webhook-deliveries{query}")).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    listed.json()["webhook_deliveries"].as_array().unwrap().clone()
}

/// Waits until the newest delivery has been tried so often and stands so.
async fn until_tried(back_end: &Backend, tries: i64, status: &str) -> Value {
    wait_for(&format!("{tries} tries, {status}"), || async {
        let newest = deliveries(back_end, "?limit=1").await.pop()?;
        let is_free = newest["last_status_code"] != Value::Null || newest["last_failure"] != Value::Null;
        (newest["tries"] == tries && newest["status"] == status && is_free).then_some(newest)
    })
    .await
}
