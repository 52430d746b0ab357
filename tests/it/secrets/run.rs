//! Everything that can happen to a sign-in, with a note of every secret on the way.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::{
    faults::{Installation, browser, land},
    harness::{
        ANN, BEA, Backend, CHLOE, ISHA, Page, SAM, SAM_OF_EUROPE, Visitor, YUKI, logs::Secrets, parameter,
        process::Program, raw,
    },
};

pub struct Run {
    pub secrets: Secrets,
    pub bodies: String,
    pub requests: usize,
    /// Its digest is in the database.
    pub a_settled_state: String,
}

impl Run {
    pub fn new(site: &Installation) -> Self {
        let mut secrets = Secrets::default();
        for (name, value) in &site.environment {
            if name == "ENCRYPTION_KEYS" {
                let key = value.split_once(':').expect("an id and a key").1;
                secrets.add("encryption key", key.trim_end_matches('='));
            }
            if name == "DATABASE_URL" {
                let url = url::Url::parse(value).expect("a URL");
                secrets.add("database password", url.password().expect("a password"));
            }
        }
        Self { secrets, bodies: String::new(), requests: 0, a_settled_state: String::new() }
    }

    /// Everything that the emulator ever issued.
    pub async fn note_the_ledger(&mut self, site: &Installation) {
        for entry in site.zoho.ledger("").await {
            let text = |name: &str| entry[name].as_str().expect("text").to_owned();
            self.secrets.add(&text("kind"), &text("value"));
        }
    }

    fn note(&mut self, page: Page) -> Page {
        self.requests += 1;
        for line in page.set_cookies() {
            let value = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair").1;
            if !value.is_empty() {
                self.secrets.add("cookie", value);
            }
        }
        for token in page.values("csrf") {
            self.secrets.add("form token", &token);
        }
        if page.status == 303
            && let Some(state) = parameter(page.location(), "state")
        {
            self.secrets.add("state", &state);
        }
        self.bodies.push_str(&page.text);
        page
    }

    async fn get(&mut self, visitor: &Visitor, target: &str) -> Page {
        let page = visitor.get(target).await;
        self.note(page)
    }

    async fn submit(&mut self, visitor: &Visitor, from: &str, to: &str, form: &[(&str, &str)]) -> Page {
        let csrf = self.get(visitor, from).await.csrf();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(form);
        let page = visitor.post_form(to, &all).await;
        self.note(page)
    }

    /// Up to Zoho's consent, which is given.
    async fn consented(&mut self, visitor: &Visitor, person: &str) -> String {
        let begun = self.get(visitor, "/login").await;
        visitor.go_to_zoho(begun.location(), person).await
    }

    async fn come_back(&mut self, visitor: &Visitor, callback: &str) -> Page {
        let page = self.get(visitor, callback).await;
        if page.status == 303 {
            self.get(visitor, page.location()).await;
        }
        page
    }

    pub async fn what_goes_well(&mut self, replica: &Program) {
        let visitor = browser(&[replica]);
        for page in ["/", "/problems", "/readyz", "/static/app.css", "/nowhere"] {
            self.get(&visitor, page).await;
        }
        let callback = self.consented(&visitor, BEA).await;
        self.a_settled_state = parameter(&callback, "state").expect("a state");
        assert_eq!(self.come_back(&visitor, &callback).await.location(), "/connections");
        // Again, and with another code under the same state.
        self.come_back(&visitor, &callback).await;
        self.get(&visitor, &callback.replace("code=1000.", "code=1000.0")).await.assert_status(400);
        let id = visitor.only_connection().await;
        let page = format!("/connections/{id}");
        let again = self.submit(&visitor, &page, &format!("{page}/reconnect"), &[]).await;
        let callback = visitor.go_to_zoho(again.location(), BEA).await;
        assert_eq!(self.come_back(&visitor, &callback).await.status, 303);
        let gone = self.submit(&visitor, &format!("{page}/disconnect"), &format!("{page}/disconnect"), &[]).await;
        gone.assert_status(303);
        self.get(&visitor, &page).await;
        self.submit(&visitor, "/connections", "/logout", &[]).await.assert_status(303);

        // Somebody who has to choose.
        let begun = self.get(&visitor, "/login").await;
        let callback = visitor.go_to_zoho_for(begun.location(), ANN, "all").await;
        self.come_back(&visitor, &callback).await;
    }

    pub async fn what_goes_wrong_at_zoho(&mut self, site: &Installation, replica: &Program) {
        let acts = [
            json!({"status": 500}),
            json!({"html": "<h1>Sorry</h1>"}),
            json!({"truncate": 60}),
            json!({"reset": true}),
            json!({"redirect": "http://127.0.0.1:9/elsewhere"}),
            json!({"json": {"set": {"/expires_in": "never"}}}),
            json!({"json": {"set": {"/access_token": 17}}}),
            json!({"json": {"set": {"/api_domain": "https://evil.example"}}}),
            json!({"json": {"remove": ["/refresh_token"]}}),
            json!({"json": {"remove": ["/access_token"]}}),
            json!({"body": "{\"error\": \"invalid_client\"}", "content_type": "application/json"}),
            json!({"body": "{\"error\": \"invalid_code\"}", "content_type": "application/json"}),
            json!({"body": "{\"error\": \"Access Denied\"}", "content_type": "application/json", "status": 400}),
        ];
        for act in acts {
            let visitor = browser(&[replica]);
            let callback = self.consented(&visitor, SAM).await;
            site.zoho
                .fault(json!({"path": "/oauth/v2/token", "grant_type": "authorization_code", "count": 1, "act": act}))
                .await;
            self.come_back(&visitor, &callback).await.assert_status(303);
            site.zoho.clear_faults().await;
        }
        // After the exchange: who it is and which organization.
        for (path, person, act) in [
            ("/oauth/user/info", ISHA, json!({"status": 503})),
            ("/oauth/user/info", ISHA, json!({"truncate": 20})),
            ("/api/v2/", CHLOE, json!({"html": "<h1>Sorry</h1>"})),
            ("/oauth/v2/token/revoke", SAM_OF_EUROPE, json!({"status": 500})),
        ] {
            let visitor = browser(&[replica]);
            let callback = self.consented(&visitor, person).await;
            site.zoho.fault(json!({"path": path, "count": 1, "act": act})).await;
            land(&visitor, &callback, Duration::from_secs(60)).await;
            self.come_back(&visitor, &callback).await;
            site.zoho.clear_faults().await;
        }
        let visitor = browser(&[replica]);
        let begun = self.get(&visitor, "/login").await;
        let callback = visitor.refuse_at_zoho(begun.location(), SAM).await;
        assert_eq!(self.come_back(&visitor, &callback).await.location(), "/problems/access-denied");
    }

    pub async fn what_strangers_send(&mut self, replica: &Program) {
        let visitor = browser(&[replica]);
        let callback = self.consented(&visitor, YUKI).await;
        self.get(&browser(&[replica]), &callback).await.assert_status(400);
        let (path, query) = callback.split_once('?').expect("a query");
        let path_only = path.strip_prefix("http://localhost:8080").expect("ours");
        for target in [
            format!("/nowhere?{query}"),
            format!("/connections/{}", &query.replace('=', "")),
            format!("{path_only}?{query}&{query}"),
            format!("{path_only}?{query}%00"),
            format!("{path_only}?code=a&{}", "x".repeat(9000)),
        ] {
            self.get(&visitor, &target).await;
        }
        let foreign =
            format!("{callback}&x=1").replace("accounts-server=", "accounts-server=https%3A%2F%2Fevil.example%2F");
        self.get(&visitor, &foreign).await.assert_status(400);
        // What no handler sees.
        let invented = "lwz_abcdefgh_0123456789012345678901234567890123456789abc";
        self.secrets.add("invented key", invented);
        for request in [
            format!("GET {path_only}?{query} HTTP/9.9\r\nHost: localhost\r\n\r\n"),
            format!("GET /{invented} HTTP/1.1\r\nHost: localhost\r\nHost: {invented}\r\nConnection: close\r\n\r\n"),
            format!("{invented} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
            format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {invented}\r\nConnection: close\r\n\r\n"
            ),
            format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: lwz_session={invented}\r\nContent-Length: x{invented}\r\n\r\n"
            ),
            format!(
                "POST /logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\ncsrf={invented}"
            ),
        ] {
            let answer = raw::exchange(replica.address(), request.as_bytes()).await;
            self.bodies.push_str(&answer);
        }
    }

    /// Calls through the proxy, with everything that can happen to them.
    pub async fn what_back_ends_do(&mut self, site: &Installation, replica: &Program) {
        let visitor = browser(&[replica]);
        let callback = self.consented(&visitor, "au:700000001").await;
        self.come_back(&visitor, &callback).await;
        let id = visitor.only_connection().await;
        let public_url = "http://localhost:8080".parse().expect("a URL");
        let (back_end, insert) = Backend::new(&public_url, vec![replica.address()], None, &["proxy", "tokens:read"]);
        self.secrets.add("API key", &back_end.key);
        site.execute(&insert).await;
        let path = format!("/api/v1/connections/{id}/proxy/api/v2/user");
        assert_eq!(back_end.get(&path).await.status, 200);
        let refused = json!({"status": 401, "body": "{\"error\":{\"code\":1}}", "content_type": "application/json"});
        for act in [
            refused,
            json!({"status": 500}),
            json!({"reset": true}),
            json!({"truncate": 10}),
            json!({"redirect": "http://127.0.0.1:9/elsewhere"}),
            json!({"raw": "SSH-2.0\r\n"}),
        ] {
            site.zoho.fault(json!({"path": "/api/v2/", "act": act})).await;
            for target in [path.clone(), format!("{path}?q={}", back_end.key), format!("{path}/{}", back_end.key)] {
                self.requests += 1;
                let answer = back_end.request(Method::GET, &target).send().await.expect("an answer");
                // Some are cut off.
                self.bodies.push_str(&answer.text().await.unwrap_or_default());
            }
            site.zoho.clear_faults().await;
        }
        for target in [format!("{path}/../{}", back_end.key), format!("{path}?{}=%00", back_end.key)] {
            let host = visitor.host();
            let request = format!(
                "GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
                back_end.key
            );
            let answer = raw::exchange(replica.address(), request.as_bytes()).await;
            assert_eq!(raw::status(&answer), 400, "{answer}");
            self.requests += 1;
            self.bodies.push_str(&answer);
        }
        let metrics = site.metrics(replica).await;
        for outcome in ["answered", "5xx", "token-refused", "lost", "redirected"] {
            let counted = format!("proxy_requests_total{{product=\"assist\",outcome=\"{outcome}\"}}");
            assert!(metrics.contains(&counted), "{counted}");
        }
    }

    pub async fn what_a_lost_database_brings(&mut self, site: &mut Installation, replica: &Program) {
        let visitor = browser(&[replica]);
        let callback = self.consented(&visitor, SAM).await;
        site.delay_exchange(1000).await;
        let calls = site.zoho.requests("/oauth/v2/token").await.len();
        let crash = async {
            site.until_called("/oauth/v2/token", calls + 1).await;
            site.postgres.kill();
            tokio::time::sleep(Duration::from_secs(2)).await;
            site.postgres.restart();
        };
        tokio::join!(land(&visitor, &callback, Duration::from_secs(60)), crash);
        // The attempt may know that the database is back before the probe does, which `/login` goes by.
        site.until_ready(replica, true).await;
        self.get(&visitor, "/connections").await.assert_status(200);
        // And statements that fail, with their parameters.
        site.execute("alter table connection rename to elsewhere").await;
        self.get(&visitor, "/connections").await;
        let other = browser(&[replica]);
        let callback = self.consented(&other, BEA).await;
        self.get(&other, &callback).await;
        site.execute("alter table elsewhere rename to connection").await;
        land(&other, &callback, Duration::from_secs(60)).await;
    }
}
