//! A program of the SaaS: it holds an API key and calls `/api/v1`.

use std::{net::SocketAddr, sync::Arc};

use login_with_zoho::settings::PublicUrl;
use reqwest::{Client, Method, RequestBuilder, header::HOST, redirect::Policy};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{App, logs::hexadecimal};

/// Clones are the same program.
#[derive(Clone)]
pub struct Backend {
    http: Client,
    addresses: Arc<[SocketAddr]>,
    host: String,
    replica: usize,
    pub key: String,
}

/// What a call was answered with.
#[derive(Debug, Clone)]
pub struct Told {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Told {
    pub async fn read(answer: reqwest::Response) -> Self {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, text: answer.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and `type`: `503 zoho-throttled`; without a type, the status alone.
    pub fn problem(&self) -> String {
        let document: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let slug = document["type"].as_str().and_then(|name| name.strip_prefix("/problems/")).unwrap_or_default();
        format!("{} {slug}", self.status).trim_end().to_owned()
    }

    pub fn retry_after(&self) -> u64 {
        self.header("retry-after").parse().unwrap_or_else(|_| panic!("no Retry-After: {self:?}"))
    }

    #[track_caller]
    pub fn member(&self, name: &str) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        match &self.json()[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl App {
    /// A back end for every tenant.
    pub async fn backend(&self, grants: &[&str]) -> Backend {
        self.make_backend(None, grants).await
    }

    /// A back end of the tenant that owns this connection.
    pub async fn backend_of(&self, connection_id: &str, grants: &[&str]) -> Backend {
        let question = format!("select tenant_id from connection where connection_id = '{connection_id}'");
        self.make_backend(Some(self.database.text(&question).await), grants).await
    }

    async fn make_backend(&self, tenant_id: Option<String>, grants: &[&str]) -> Backend {
        let (back_end, insert) = Backend::new(self.public_url(), self.addresses(), tenant_id.as_deref(), grants);
        self.database.execute(&insert).await;
        back_end
    }
}

impl Backend {
    /// A program, and the statement that makes its key known; without a tenant, it is for all of them.
    pub fn new(
        public_url: &PublicUrl,
        addresses: Vec<SocketAddr>,
        tenant_id: Option<&str>,
        grants: &[&str],
    ) -> (Self, String) {
        let random = uuid::Uuid::now_v7().simple().to_string();
        let id = &random[random.len() - 8..];
        let key = format!("lwz_{id}_{}", "x".repeat(43));
        let digest = hexadecimal(&Sha256::digest(key.as_bytes()));
        let tenant = tenant_id.map_or("null".to_owned(), |id| format!("'{id}'"));
        let insert = format!(
            "insert into api_key (api_key_id, key_digest, name, tenant_id, grants, created_by, created_at)
             values ('{id}', '\\x{digest}', 'test', {tenant}, '{{{}}}', 'test', '2026-11-21T10:00:00Z')",
            grants.join(",")
        );
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let host = public_url.origin().split_once("://").unwrap().1.to_owned();
        (Self { http, addresses: addresses.into(), host, replica: 0, key }, insert)
    }

    /// The same program, led to another replica.
    pub fn via(&self, replica: usize) -> Self {
        Self { replica: replica % self.addresses.len(), ..self.clone() }
    }

    /// The same program, with another replica's address.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { addresses: Arc::new([address]), replica: 0, ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.addresses[self.replica]);
        self.http.request(method, url).header(HOST, &self.host).bearer_auth(&self.key)
    }

    pub async fn get(&self, path: &str) -> Told {
        Told::read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// `GET …/access-token`, with a query if there is one.
    pub async fn token(&self, connection_id: &str, query: &str) -> Told {
        self.get(&format!("/api/v1/connections/{connection_id}/access-token{query}")).await
    }
}
