//! The client examples, each run as the program it is: what they print, and how they take refusals.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::harness::*;

/// How Sam is told by every example.
const SAM_AT_ASSIST: &str = "Rivera Supplies: sam@example.com\n";

/// The languages, and how a machine shows that it has what they need.
#[derive(Debug, Clone, Copy)]
enum Language {
    Shell,
    Python,
    Node,
    Rust,
}

impl Language {
    fn command(self) -> Command {
        let file = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clients").join(name);
        match self {
            Self::Shell => {
                need("jq", &["--version"]);
                need("curl", &["--version"]);
                with_file("bash", file("assist.sh"))
            }
            Self::Python => {
                need("python3", &["-c", "import requests"]);
                with_file("python3", file("assist.py"))
            }
            Self::Node => {
                need("node", &["-e", "fetch"]);
                with_file("node", file("assist.mjs"))
            }
            // Built beside the tests.
            Self::Rust => {
                let tests = std::env::current_exe().expect("a path");
                Command::new(tests.ancestors().nth(2).expect("target/debug").join("examples/assist"))
            }
        }
    }
}

fn with_file(program: &str, file: PathBuf) -> Command {
    let mut command = Command::new(program);
    command.arg(file);
    command
}

/// Nothing is skipped: who lacks it is told.
fn need(program: &str, arguments: &[&str]) {
    let tried = std::process::Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let works = tried.is_ok_and(|output| output.status.success());
    assert!(works, "`{program} {}` does not work here: scripts/test installs what is missing", arguments.join(" "));
}

/// Sam's connection, and a program that may use it.
struct Customer {
    app: App,
    connection_id: String,
    tenant: String,
    back_end: Backend,
}

impl Customer {
    async fn new() -> Self {
        let app = App::start().await;
        let sam = app.visitor();
        sam.sign_in_as(SAM).await;
        let connection_id = sam.only_connection().await;
        let back_end = app.backend_of(&connection_id, &["tokens:read", "connections:read", "proxy"]).await;
        let tenant = app.database.text("select slug from tenant").await;
        Self { app, connection_id, tenant, back_end }
    }

    fn start(&self, language: Language, arguments: &[&str]) -> Child {
        let mut command = language.command();
        let kept = ["PATH", "PYTHONPATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.args(arguments).env_clear().envs(kept).kill_on_drop(true);
        command.env("LWZ_URL", self.app.public_url().origin()).env("LWZ_API_KEY", &self.back_end.key);
        command.env("LWZ_TENANT", &self.tenant).env("LWZ_ORGANIZATION", "60000001");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the example starts")
    }

    async fn run(&self, language: Language, arguments: &[&str]) -> Output {
        let running = self.start(language, arguments).wait_with_output();
        tokio::time::timeout(Duration::from_secs(30), running).await.expect("it ends").expect("it ran")
    }

    /// A call that works, both ways; then one whose token Zoho refuses; then the vault away for a moment; then consent
    /// withdrawn.
    async fn meets_everything(&self, language: Language) {
        for way in [&[][..], &["proxy"]] {
            assert_eq!(printed(&self.run(language, way).await), (SAM_AT_ASSIST.to_owned(), String::new()), "{way:?}");
        }

        let refused =
            json!({ "status": 401, "body": "{\"error\":{\"code\":1006,\"message\":\"Invalid OAuth token.\"}}" });
        self.app.zoho.fault(json!({ "listener": "api:us", "path": "/api/v2/user", "count": 1, "act": refused })).await;
        let again = self.run(language, &[]).await;
        assert_eq!(printed(&again), (SAM_AT_ASSIST.to_owned(), "Zoho refused token v1\n".to_owned()));

        self.waits_as_long_as_it_is_told(language).await;
        self.names_who_can_help(language).await;
    }

    async fn waits_as_long_as_it_is_told(&self, language: Language) {
        self.app.database.answers(false).await;
        let mut waiting = self.start(language, &[]);
        let mut said = BufReader::new(waiting.stderr.take().expect("piped")).lines();
        let told = tokio::time::timeout(Duration::from_secs(20), said.next_line()).await.expect("in time");
        assert_eq!(told.expect("a line").as_deref(), Some("/problems/unavailable: again in 2 s"));
        self.app.database.answers(true).await;
        let ended = tokio::time::timeout(Duration::from_secs(30), waiting.wait_with_output()).await;
        assert_eq!(printed(&ended.expect("it ends").expect("it ran")).0, SAM_AT_ASSIST);
    }

    async fn names_who_can_help(&self, language: Language) {
        let withdraw = json!({ "person": SAM });
        self.app.zoho.call(reqwest::Method::POST, "/control/grants/revoke", withdraw).await;
        self.app.advance(Duration::from_secs(3700)).await;
        wait_for("the vault to be sure that consent is gone", async || {
            let told = self.back_end.token(&self.connection_id, "").await;
            self.app.advance(Duration::from_secs(30)).await;
            (told.problem() == "409 needs-reconnect").then_some(())
        })
        .await;
        let ended = self.run(language, &[]).await;
        let (printed, said) = printed(&ended);
        let origin = self.app.public_url().origin();
        assert!(!ended.status.success() && printed.is_empty(), "{printed} {said}");
        assert!(said.starts_with(&format!("Ask the customer to open {origin}/connections/")), "{said}");
    }
}

fn printed(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn the_shell_example_works_and_takes_refusals() {
    Customer::new().await.meets_everything(Language::Shell).await;
}

#[tokio::test]
async fn the_python_example_works_and_takes_refusals() {
    Customer::new().await.meets_everything(Language::Python).await;
}

#[tokio::test]
async fn the_node_example_works_and_takes_refusals() {
    Customer::new().await.meets_everything(Language::Node).await;
}

#[tokio::test]
async fn the_rust_example_works_and_takes_refusals() {
    Customer::new().await.meets_everything(Language::Rust).await;
}
