//! The emulator's control port.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};

pub struct Control {
    base: String,
    http: Client,
}

/// A call of `/oauth/v2/token` as the journal has it.
#[derive(Debug)]
pub struct TokenCall {
    /// `accounts:eu`.
    pub listener: String,
    pub query: String,
    pub form: BTreeMap<String, String>,
}

impl Control {
    pub fn new(base: String) -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { base, http }
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.http.request(method, format!("{}{path}", self.base)).json(&body).send().await.unwrap();
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    /// Changes dialects and limits, member by member.
    pub async fn settings(&self, change: Value) {
        self.call(Method::PATCH, "/control/settings", change).await;
    }

    pub async fn advance(&self, by: Duration) {
        self.call(Method::POST, "/control/clock", json!({"advance_seconds": by.as_secs_f64()})).await;
    }

    pub async fn set_clock(&self, time: &str) {
        self.call(Method::POST, "/control/clock", json!({"set": time})).await;
    }

    pub async fn fault(&self, fault: Value) {
        self.call(Method::POST, "/control/faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        self.call(Method::DELETE, "/control/faults", json!({})).await;
    }

    /// Codes, tokens and secrets, by `kind=…&state=…&person=…`.
    pub async fn ledger(&self, query: &str) -> Vec<Value> {
        let answer = self.call(Method::GET, &format!("/control/ledger?{query}"), json!({})).await;
        answer["entries"].as_array().unwrap().clone()
    }

    pub async fn refresh_tokens(&self, person: &str, state: &str) -> Vec<String> {
        let entries = self.ledger(&format!("kind=refresh_token&state={state}&person={person}")).await;
        entries.iter().map(|entry| entry["value"].as_str().unwrap().to_owned()).collect()
    }

    /// Ends a grant at an accounts server, as people do in their account there.
    pub async fn revoke(&self, accounts: &str, token: &str) {
        let request = self.http.post(format!("{accounts}/oauth/v2/token/revoke")).form(&[("token", token)]);
        assert!(request.send().await.unwrap().status().is_success());
    }

    /// Requests and bare connections, by `listener=…&path=…&after=…`.
    pub async fn journal(&self, query: &str) -> Vec<Value> {
        let answer = self.call(Method::GET, &format!("/control/journal?{query}"), json!({})).await;
        answer["entries"].as_array().unwrap().clone()
    }

    pub async fn forget_journal(&self) {
        self.call(Method::DELETE, "/control/journal", json!({})).await;
    }

    /// Requests whose path begins so, as `accounts:eu POST /oauth/v2/token`.
    pub async fn requests(&self, path: &str) -> Vec<String> {
        let line = |entry: &Value| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("listener"), text("method"), text("path"))
        };
        self.journal(&format!("path={path}")).await.iter().map(line).collect()
    }

    pub async fn token_calls(&self) -> Vec<TokenCall> {
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let call = |entry: &Value| TokenCall {
            listener: text(entry, "listener"),
            query: text(entry, "query"),
            form: url::form_urlencoded::parse(text(entry, "body").as_bytes()).into_owned().collect(),
        };
        let entries = self.journal("path=/oauth/v2/token").await;
        entries.iter().filter(|entry| entry["path"] == "/oauth/v2/token").map(call).collect()
    }
}
