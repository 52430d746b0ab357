//! Importing tokens that Zoho granted elsewhere, and what else back ends change: tenants, disconnecting.

mod clients;
mod codes;
mod ends;
mod organizations;
mod page;
mod refresh_tokens;
mod refused;
mod shared;
mod tenants;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::*;

const ASSIST: &str = "AaaServer.profile.READ,ZohoAssist.userapi.READ";
const SALESIQ: &str = "AaaServer.profile.READ,SalesIQ.portals.READ";

/// A site with the tenant `acme`, and back ends with keys.
struct Office {
    app: App,
    http: reqwest::Client,
    key: String,
}

impl Office {
    async fn open() -> Self {
        Self::of(App::start().await).await
    }

    async fn of(app: App) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut office = Self { app, http, key: String::new() };
        office.key = office.key("{connections:read,connections:write,onboarding:write}", None).await;
        let (status, _) = office.post("/tenants", json!({"external_id": "acme", "name": "Acme", "slug": "acme"})).await;
        assert_eq!(status, 201);
        office
    }

    /// A new key; a tenant is named by its slug.
    async fn key(&self, grants: &str, tenant: Option<&str>) -> String {
        let id = format!("{:08x}", rand::random::<u32>());
        let key = format!("lwz_{id}_{:043x}", rand::random::<u128>());
        let digest = logs::hexadecimal(&Sha256::digest(key.as_bytes()));
        let tenant =
            tenant.map_or("null".to_owned(), |slug| format!("(select tenant_id from tenant where slug = '{slug}')"));
        let insert = format!(
            "insert into api_key (api_key_id, key_digest, name, tenant_id, grants, created_by, created_at)
             values ('{id}', '\\x{digest}', 'test', {tenant}, '{grants}', 'test', '2026-01-01Z')"
        );
        self.app.database.execute(&insert).await;
        key
    }

    async fn call(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("http://{}/api/v1{path}", self.app.address(0));
        let request = self.http.request(method, url).bearer_auth(key);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(!text.contains("1000."), "a token or secret stands in the answer: {text}");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(&self.key, Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(&self.key, Method::GET, path, None).await
    }

    async fn delete(&self, id: &Value) -> (u16, Value) {
        self.call(&self.key, Method::DELETE, &format!("/connections/{}", id.as_str().unwrap()), None).await
    }

    /// Imports Assist in Europe for Acme, with these members on top.
    async fn import(&self, members: Value) -> (u16, Value) {
        let scopes: Vec<&str> = ASSIST.split(',').collect();
        let mut body = json!({"tenant": "acme", "product": "assist", "data_centre": "eu", "scopes": scopes});
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.post("/connections", body).await
    }

    /// As the console makes it. `how` adds `client_id`, `organization`, `life_seconds`.
    async fn code(&self, person: &str, scope: &str, how: Value) -> String {
        let mut asked = json!({"person": person, "scope": scope});
        for (name, value) in how.as_object().unwrap() {
            asked[name] = value.clone();
        }
        let made = self.app.zoho.call(Method::POST, "/control/approve", asked).await;
        made["code"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// A refresh token that somebody else had of our client.
    async fn refresh_token(&self, person: &str, scope: &str, how: Value) -> String {
        let code = self.code(person, scope, how).await;
        let data_centre = person.split(':').next().unwrap();
        let zoho = &self.app.config.zoho;
        let place = data_centre.parse().unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", zoho.client_id(place)),
            ("client_secret", zoho.client_secret(place).unwrap().expose()),
            ("code", &code),
        ];
        let url = format!("{}/oauth/v2/token", self.app.accounts(data_centre));
        let answer: Value = self.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn live(&self, person: &str) -> Vec<String> {
        self.app.zoho.refresh_tokens(person, "live").await
    }

    async fn wait_for_live(&self, person: &str, count: usize) {
        wait_for("the number of live refresh tokens", || async {
            (self.live(person).await.len() == count).then_some(())
        })
        .await;
    }

    async fn audited(&self) -> Vec<String> {
        let question =
            "select concat_ws(' ', actor_kind, action, outcome, detail) from audit_event order by at, audit_event_id";
        self.app.database.column(question).await
    }
}

/// The members that a 400 names.
#[track_caller]
fn members((status, problem): &(u16, Value)) -> Vec<String> {
    assert_eq!((*status, &problem["type"]), (400, &json!("/problems/invalid-request")), "{problem}");
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["member"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn detail((_, problem): &(u16, Value)) -> &str {
    problem["errors"][0]["detail"].as_str().unwrap_or_else(|| panic!("{problem}"))
}
