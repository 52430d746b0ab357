//! The emulator keeps Zoho's rules: without that, the tests of its clients could not fail (security.md E-1 to E-9).

mod clients;
mod codes;
mod consent;
mod control;
mod device;
mod dialects;
mod documentation;
mod faults;
mod journal;
mod ledger;
mod limits;
mod openid;
mod products;
mod program;
mod state_file;

use std::collections::HashMap;

use login_with_zoho::emulator::{ClientOptions, Emulator, Options, sample_client};
use reqwest::header::{AUTHORIZATION, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

pub(crate) const REDIRECT: &str = "http://localhost:8080/oauth/callback";
pub(crate) const PROFILE: &str = "AaaServer.profile.READ";
pub(crate) const ASSIST: &str = "AaaServer.profile.READ,ZohoAssist.userapi.READ";

/// An emulator of its own, and somebody who speaks to it.
pub(crate) struct Zoho {
    pub(crate) emulator: Emulator,
    pub(crate) http: Client,
    pub(crate) client: ClientOptions,
}

/// What an exchange brought.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) answer: Value,
}

pub(crate) fn client() -> ClientOptions {
    ClientOptions { redirect_uris: vec![REDIRECT.to_owned()], ..sample_client() }
}

impl Zoho {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options { clients: vec![client()], ..Options::default() }).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let client = options.clients[0].clone();
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { emulator: Emulator::start(options).await.unwrap(), http, client }
    }

    pub(crate) fn accounts(&self, data_centre: &str, path: &str) -> String {
        format!("{}{path}", self.emulator.accounts_url(data_centre))
    }

    pub(crate) fn api(&self, data_centre: &str, path: &str) -> String {
        format!("{}{path}", self.emulator.api_url(data_centre))
    }

    pub(crate) fn secret(&self, data_centre: &str) -> &str {
        &self.client.secrets[data_centre]
    }

    /// A call of the control port, whatever its answer.
    pub(crate) async fn try_control(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.emulator.control_url());
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A call of the control port that must succeed.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_control(method, path, &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) async fn settings(&self, change: Value) {
        self.control(Method::PATCH, "/control/settings", change).await;
    }

    pub(crate) async fn advance(&self, seconds: u64) {
        self.control(Method::POST, "/control/clock", json!({"advance_seconds": seconds})).await;
    }

    pub(crate) async fn fault(&self, fault: Value) {
        self.control(Method::POST, "/control/faults", fault).await;
    }

    pub(crate) async fn ledger(&self, query: &str) -> Vec<Value> {
        let answer = self.control(Method::GET, &format!("/control/ledger?{query}"), json!({})).await;
        answer["entries"].as_array().unwrap().clone()
    }

    pub(crate) async fn journal(&self, query: &str) -> Vec<Value> {
        let answer = self.control(Method::GET, &format!("/control/journal?{query}"), json!({})).await;
        answer["entries"].as_array().unwrap().clone()
    }

    /// `/oauth/v2/auth` at a data centre, with what every request has, overridden by `changes`; an empty value leaves it out.
    pub(crate) async fn authorize(&self, data_centre: &str, changes: &[(&str, &str)]) -> Response {
        let mut query: Vec<(&str, &str)> = vec![
            ("client_id", &self.client.client_id),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", ASSIST),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("state", "a state"),
        ];
        for (name, value) in changes {
            query.retain(|(known, _)| known != name);
            query.push((name, value));
        }
        query.retain(|(_, value)| !value.is_empty());
        self.http.get(self.accounts(data_centre, "/oauth/v2/auth")).query(&query).send().await.unwrap()
    }

    /// Consent given at once, and where it leads.
    pub(crate) async fn callback(&self, person: &str, changes: &[(&str, &str)]) -> String {
        let mut all = vec![("emulator_person", person), ("emulator_answer", "accept")];
        all.extend_from_slice(changes);
        let home = if person.starts_with("cn:") { "cn" } else { "us" };
        location(&self.authorize(home, &all).await)
    }

    pub(crate) async fn code(&self, person: &str, changes: &[(&str, &str)]) -> String {
        parameter(&self.callback(person, changes).await, "code").unwrap()
    }

    /// A token call with the client's id and secret, overridden by `form`.
    pub(crate) async fn token(&self, data_centre: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut all: HashMap<&str, &str> = HashMap::new();
        all.insert("client_id", &self.client.client_id);
        all.insert("client_secret", self.secret(data_centre));
        all.extend(form.iter().copied());
        let answer = self.http.post(self.accounts(data_centre, "/oauth/v2/token")).form(&all).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn exchange(&self, data_centre: &str, code: &str) -> (u16, Value) {
        self.token(data_centre, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT)])
            .await
    }

    pub(crate) async fn refresh(&self, data_centre: &str, token: &str) -> (u16, Value) {
        self.token(data_centre, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The whole way for a person `dc:zuid`.
    pub(crate) async fn connect(&self, person: &str, changes: &[(&str, &str)]) -> Tokens {
        let code = self.code(person, changes).await;
        let (status, answer) = self.exchange(place(person), &code).await;
        assert_eq!(status, 200, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token"), answer }
    }

    pub(crate) async fn get(&self, url: &str, token: &str) -> (u16, Value) {
        let request = self.http.get(url).header(AUTHORIZATION, format!("Zoho-oauthtoken {token}"));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn works(&self, data_centre: &str, access: &str) -> bool {
        self.get(&self.accounts(data_centre, "/oauth/user/info"), access).await.0 == 200
    }

    pub(crate) async fn revoke(&self, data_centre: &str, token: &str) -> u16 {
        let url = self.accounts(data_centre, "/oauth/v2/token/revoke");
        self.http.post(url).form(&[("token", token)]).send().await.unwrap().status().as_u16()
    }
}

pub(crate) const ANN: &str = "eu:795000000";
pub(crate) const SAM: &str = "us:780000001";
pub(crate) const ISHA: &str = "in:600000001";

pub(crate) fn place(person: &str) -> &str {
    person.split(':').next().unwrap()
}

pub(crate) fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), 303, "{:?}", answer.headers());
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// A query parameter of an address, decoded.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn error((status, mut answer): (u16, Value)) -> (u16, String) {
    match answer["error"].take() {
        Value::String(word) => (status, word),
        _ => (status, "none".to_owned()),
    }
}

pub(crate) fn said(status: u16, word: &str) -> (u16, String) {
    (status, word.to_owned())
}
