//! A whole installation of real programs: a Postgres and an emulator of its own, and as many replicas as a test starts.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use login_with_zoho::emulator::{ClientOptions, Emulator, Options, sample_client};
use reqwest::{Client, redirect::Policy};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::harness::{
    Backend, Control, Visitor,
    process::{Environment, OwnPostgres, Program, until},
};

/// What browsers see, whichever replica answers them.
pub const PUBLIC_URL: &str = "http://localhost:8080";
pub struct Installation {
    pub environment: Environment,
    pub zoho: Control,
    pub http: Client,
    _emulator: Emulator,
    // Replicas are dropped with their tests, the database after everything else.
    pub directory: tempfile::TempDir,
    pub postgres: OwnPostgres,
}

/// A browser of these replicas.
pub fn browser(replicas: &[&Program]) -> Visitor {
    let addresses = replicas.iter().map(|replica| replica.address()).collect();
    Visitor::new(PUBLIC_URL.parse().expect("a URL"), addresses)
}

pub fn encryption_key(id: &str) -> String {
    format!("{id}:{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

impl Installation {
    /// Everything but the program.
    pub async fn prepare() -> Self {
        let client = ClientOptions { redirect_uris: vec![format!("{PUBLIC_URL}/oauth/callback")], ..sample_client() };
        let options = Options { auto_approve: true, clients: vec![client.clone()], ..Options::default() };
        let emulator = Emulator::start(options).await.expect("an emulator");
        let postgres = OwnPostgres::start();
        let directory = tempfile::tempdir().expect("a directory");
        let servers = directory.path().join("servers.toml");
        std::fs::write(&servers, emulator.servers_toml()).expect("written");
        let mut environment: Environment = [
            ("LISTEN", "127.0.0.1:0".to_owned()),
            ("MANAGEMENT_LISTEN", "127.0.0.1:0".to_owned()),
            ("PUBLIC_URL", PUBLIC_URL.to_owned()),
            ("DATABASE_URL", postgres.url()),
            ("ENCRYPTION_KEYS", encryption_key("first")),
            ("ZOHO_SERVERS", servers.display().to_string()),
            ("ZOHO_CLIENT_ID", client.client_id.clone()),
            ("ZOHO_CLIENT_ID_CN", client.client_id.clone()),
            ("LOG_FORMAT", "json".to_owned()),
            ("RUST_LOG", "trace".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (data_centre, secret) in &client.secrets {
            environment.insert(format!("ZOHO_CLIENT_SECRET_{}", data_centre.to_ascii_uppercase()), secret.clone());
        }
        let http = Client::builder().redirect(Policy::none()).no_proxy().timeout(Duration::from_secs(20)).build();
        let zoho = Control::new(emulator.control_url());
        Self { environment, zoho, http: http.expect("a client"), _emulator: emulator, directory, postgres }
    }

    pub async fn replica(&self, name: &str) -> Program {
        Program::start(&self.environment, self.directory.path(), name).await
    }

    /// A replica whose settings differ.
    pub async fn replica_with(&self, name: &str, changes: &[(&str, &str)]) -> Program {
        Program::start(&self.changed(changes), self.directory.path(), name).await
    }

    /// The environment with some settings replaced; an empty value is as good as none.
    pub fn changed(&self, changes: &[(&str, &str)]) -> Environment {
        let mut environment = self.environment.clone();
        environment.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        environment
    }

    /// A browser that has consented, and the way home that it has not taken yet.
    pub async fn consented(&self, replicas: &[&Program], person: &str) -> (Visitor, String) {
        let visitor = browser(replicas);
        let consent = visitor.begin("/login").await;
        let callback = visitor.go_to_zoho(&consent, person).await;
        (visitor, callback)
    }

    /// A person's only connection, and a back end that may read its tokens from any of these replicas.
    pub async fn connected(&self, replicas: &[&Program], person: &str) -> (String, Backend) {
        browser(replicas).sign_in_as(person).await;
        let addresses = replicas.iter().map(|replica| replica.address()).collect();
        let public_url = PUBLIC_URL.parse().expect("a URL");
        let (back_end, insert) = Backend::new(&public_url, addresses, None, &["tokens:read"]);
        self.execute(&insert).await;
        (self.ask("select connection_id from connection").await, back_end)
    }

    /// How often a refresh token was presented, by anybody.
    pub async fn refreshes(&self) -> usize {
        self.zoho.token_calls().await.iter().filter(|call| call.form["grant_type"] == "refresh_token").count()
    }

    /// The exchange takes so long, once; Zoho has done its part by then.
    pub async fn delay_exchange(&self, milliseconds: u64) {
        self.zoho.fault(json!({"path": "/oauth/v2/token", "count": 1, "act": {"delay_ms": milliseconds}})).await;
    }

    /// How often a code was presented, by anybody.
    pub async fn exchanges(&self) -> usize {
        self.zoho.token_calls().await.iter().filter(|call| call.form.contains_key("code")).count()
    }

    /// How many refresh tokens would still work.
    pub async fn live_refresh_tokens(&self) -> usize {
        self.zoho.ledger("kind=refresh_token&state=live").await.len()
    }

    /// Until so many calls have arrived at the emulator.
    pub async fn until_called(&self, path: &str, count: usize) {
        until("the emulator is called", Duration::from_secs(10), async || {
            (self.zoho.requests(path).await.len() >= count).then_some(())
        })
        .await;
    }

    pub async fn administrator(&self) -> PgConnection {
        self.postgres.administrator().await
    }

    /// One text, asked as superuser; absent rows and nulls are the empty text.
    pub async fn ask(&self, query: &str) -> String {
        let mut administrator = self.administrator().await;
        sqlx::query_scalar::<_, Option<String>>(AssertSqlSafe(format!(
            "select string_agg(t.x::text, ' ') from ({query}) t (x)"
        )))
        .fetch_one(&mut administrator)
        .await
        .expect("a query that can be answered")
        .unwrap_or_default()
    }

    pub async fn execute(&self, statement: &str) {
        let mut administrator = self.administrator().await;
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut administrator).await.expect("executed");
    }

    /// Statuses of all connections, in one line.
    pub async fn connections(&self) -> String {
        self.ask("select status from connection order by connected_at").await
    }

    /// Until the connections are these.
    pub async fn until_connections(&self, wanted: &str, bound: Duration) {
        until("the connections are as wanted", bound, async || (self.connections().await == wanted).then_some(()))
            .await;
    }

    pub async fn metrics(&self, replica: &Program) -> String {
        let answer = self.http.get(format!("{}/metrics", replica.management)).send().await.expect("an answer");
        answer.text().await.expect("text")
    }

    /// Until a replica says that it is ready, or that it is not.
    pub async fn until_ready(&self, replica: &Program, ready: bool) {
        until("readiness is as wanted", Duration::from_secs(10), async || {
            let answer = self.http.get(format!("{}/readyz", replica.management)).send().await.ok()?;
            (answer.status().is_success() == ready).then_some(())
        })
        .await;
    }
}
