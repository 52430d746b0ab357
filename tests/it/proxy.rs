//! `ANY /api/v1/connections/{id}/proxy/{path}`: each product's calls, and what must not pass in either direction.

mod answers;
mod documentation;
mod headers;
mod limits;
mod paths;
mod products;
mod token_failures;

use reqwest::Method;
use serde_json::Value;

use crate::harness::*;

/// A connection of a product, and a back end that may call through it.
pub struct Connected {
    pub backend: Backend,
    pub id: String,
}

/// Connects one product for somebody with a single organization.
pub async fn connected(app: &App, product: &str, person: &str) -> Connected {
    let id = connect(app, product, person).await;
    Connected { backend: app.backend_of(&id, &["proxy"]).await, id }
}

pub async fn connect(app: &App, product: &str, person: &str) -> String {
    let visitor = app.visitor();
    let landing = visitor.go(&format!("/login?product={product}"), person).await;
    if product == "zia_agents" {
        // No call of this product tells the organization: the person does.
        let path = landing.location().to_owned();
        let chosen = [("organization", "60000001"), ("environment", "production")];
        visitor.submit(&path, &format!("{path}/organization"), &chosen).await.location();
    }
    let ids = format!(
        "select connection_id from connection where product = '{product}' and status = 'active' order by connection_id desc limit 1"
    );
    app.database.text(&ids).await
}

impl Connected {
    /// Where the proxy has that path.
    pub fn path(&self, path: &str) -> String {
        format!("/api/v1/connections/{}/proxy{path}", self.id)
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.backend.request(method, &self.path(path))
    }

    pub async fn get(&self, path: &str) -> Told {
        self.backend.get(&self.path(path)).await
    }

    pub async fn json(&self, path: &str) -> Value {
        let told = self.get(path).await;
        assert_eq!(told.status, 200, "{path}: {}", told.text);
        told.json()
    }
}

/// Calls of products that reached Zoho since the journal was forgotten.
pub async fn upstream(app: &App) -> Vec<Value> {
    let entries = app.zoho.journal("").await;
    let is_call = |entry: &Value| {
        let listener = entry["listener"].as_str().unwrap();
        entry["kind"] == "request" && ["api:", "sandbox:", "developer:"].iter().any(|kind| listener.starts_with(kind))
    };
    entries.into_iter().filter(is_call).collect()
}

/// Refreshes that Zoho was asked for.
pub async fn refreshes(app: &App) -> usize {
    let calls = app.zoho.token_calls().await;
    calls.iter().filter(|call| call.form.get("grant_type").is_some_and(|kind| kind == "refresh_token")).count()
}
