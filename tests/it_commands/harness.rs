//! One installation per test: a database of its own, a role that is no superuser, and the program as
//! people run it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// All bytes differ, so that it is no sample.
pub fn key(first_byte: u8) -> [u8; 32] {
    std::array::from_fn(|index| first_byte.wrapping_add(u8::try_from(index).expect("below 32")))
}

pub fn key_text(id: &str, key: [u8; 32]) -> String {
    use base64::Engine as _;
    format!("{id}:{}", base64::engine::general_purpose::STANDARD.encode(key))
}

pub struct Installation {
    pub admin: PgConnection,
    pub settings: Vec<(&'static str, String)>,
    _servers: tempfile::NamedTempFile,
}

impl Installation {
    /// An empty database, not yet migrated.
    pub async fn empty() -> Self {
        let server =
            std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL names a superuser (scripts/db start)");
        let name = format!("commands_{}", Uuid::now_v7().simple());
        let mut url = url::Url::parse(&server).expect("a URL");
        let mut root = PgConnection::connect(&server).await.expect("the test server");
        for statement in
            [format!("create role {name} login password '{name}'"), format!("create database {name} owner {name}")]
        {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut root).await.expect("a role and its database");
        }
        url.set_path(&name);
        let admin = PgConnection::connect(url.as_str()).await.expect("the new database");
        url.set_username(&name).expect("a name");
        url.set_password(Some(&name)).expect("a password");
        let servers = tempfile::NamedTempFile::new().expect("a file");
        // Nobody listens there: nothing may leave this machine.
        std::fs::write(
            servers.path(),
            "[eu]\naccounts = \"http://127.0.0.1:9\"\napi = \"http://127.0.0.1:9\"\nassist = \"http://127.0.0.1:9\"\n",
        )
        .expect("a table of hosts");
        let settings = vec![
            ("LISTEN", "127.0.0.1:0".to_owned()),
            ("MANAGEMENT_LISTEN", "127.0.0.1:0".to_owned()),
            ("PUBLIC_URL", "http://127.0.0.1:8080".to_owned()),
            ("DATABASE_URL", url.to_string()),
            ("ENCRYPTION_KEYS", key_text("k1", key(1))),
            ("ZOHO_CLIENT_ID", "1000.TEST".to_owned()),
            ("ZOHO_CLIENT_SECRET", "a-secret-of-this-test".to_owned()),
            ("ZOHO_HOME", "eu".to_owned()),
            ("ZOHO_SERVERS", servers.path().display().to_string()),
        ];
        Self { admin, settings, _servers: servers }
    }

    pub async fn new() -> Self {
        let installation = Self::empty().await;
        let migrated = installation.run(&["migrate"]);
        assert!(migrated.status.success(), "{}", text(&migrated.stderr));
        installation
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.into()));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_login-with-zoho"));
        command.args(arguments).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// The one JSON object that a successful command prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    }

    /// Exit code and what standard error says, of a command that fails.
    pub fn failure(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        (output.status.code().expect("an exit code"), text(&output.stderr))
    }

    pub fn serve(&self) -> Serving {
        let mut child =
            self.command(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let Ok(told) = serde_json::from_str::<Value>(&line) else {
            let mut said = String::new();
            let _ = child.stderr.take().expect("piped").read_to_string(&mut said);
            panic!("it did not start: {said}");
        };
        Serving { child, url: told["listening"].as_str().expect("a URL").to_owned() }
    }

    pub async fn execute(&mut self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&mut self.admin).await.expect("a statement of the test");
    }

    /// `actor action outcome` of every event, the oldest first.
    pub async fn audited(&mut self) -> Vec<String> {
        sqlx::query_scalar(
            "select concat_ws(' ', actor_kind, action, outcome, detail) from audit_event order by at, audit_event_id",
        )
        .fetch_all(&mut self.admin)
        .await
        .expect("the audit trail")
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running `serve`; it is killed with the test.
pub struct Serving {
    child: Child,
    pub url: String,
}

impl Serving {
    pub async fn get(&self, path: &str, key: &str) -> Answer {
        self.send(client().get(format!("{}{path}", self.url)).bearer_auth(key)).await
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let body = answer.bytes().await.expect("a body");
        Answer { status, headers, json: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    /// Ends it, and tells what it logged.
    pub fn kill(mut self) -> String {
        self.child.kill().expect("it runs");
        let mut said = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("its log");
        said
    }

    /// As an operator would; tells what it logged.
    pub fn terminate(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        assert!(self.child.wait().expect("it ends").success());
        let mut said = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("its log");
        said
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
    }

    /// Status and type of a problem document.
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.json["status"], self.status);
        assert!(self.json["title"].is_string() && self.json["request_id"].is_string());
        (self.status, self.json["type"].as_str().expect("a type"))
    }
}

pub fn client() -> reqwest::Client {
    client_at([127, 0, 0, 1])
}

/// A client of another address of this machine.
pub fn client_at(address: [u8; 4]) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .local_address(std::net::IpAddr::from(address))
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client")
}
