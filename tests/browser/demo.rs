//! The program under test: `demo --json` as a child process.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::processes::{self, Process};

/// A Postgres is made from nothing within it, on a busy machine.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Demo {
    data: TempDir,
    child: Option<Child>,
    /// Where browsers find the site.
    pub(crate) url: String,
    /// The emulator's control port.
    control: String,
    people: Vec<Value>,
    /// With all grants.
    pub(crate) api_key: String,
}

impl Demo {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let [url, control, api_key] = Default::default();
        let mut demo = Self { data, child: None, url, control, people: Vec::new(), api_key };
        demo.launch("127.0.0.1:0", flags);
        demo
    }

    /// Ends the program and starts it with the same data, at the same address.
    pub(crate) fn restart(&mut self, flags: &[&str]) {
        let left_behind = self.stop();
        assert!(left_behind.is_empty(), "left behind before the restart: {left_behind:?}");
        let port = self.url.rsplit_once(':').expect("a port").1.to_owned();
        self.launch(&format!("127.0.0.1:{port}"), flags);
    }

    fn launch(&mut self, listen: &str, flags: &[&str]) {
        let log = self.data.path().join("demo.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_login-with-zoho"));
        command.args(["demo", "--json"]).args(flags);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_ours(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command
            .env("DATA_DIR", self.data.path().join("data"))
            .env("LISTEN", listen)
            .env("MANAGEMENT_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log"));
        let mut child = command.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        self.child = Some(child);
        let (say, hear) = mpsc::channel();
        std::thread::spawn(move || say.send(output.lines().next()));
        let line = hear.recv_timeout(START).ok().flatten().and_then(Result::ok).unwrap_or_else(|| {
            panic!("the demo does not say where it is:\n{}", std::fs::read_to_string(&log).unwrap_or_default())
        });
        let said: Value = serde_json::from_str(&line).expect("one JSON object");
        let text = |name: &str| said[name].as_str().unwrap_or_else(|| panic!("`{name}` in {line}")).to_owned();
        (self.url, self.control) = (text("url"), text("control"));
        self.people.clone_from(said["people"].as_array().expect("people"));
        self.api_key = text("api_key");
        assert!(self.api_key.starts_with("lwz_") && text("management").starts_with("http://"));
    }

    /// Ctrl-C; says which of its processes are still there afterwards.
    pub(crate) fn stop(&mut self) -> Vec<Process> {
        let Some(child) = self.child.take() else { return Vec::new() };
        let id = child.id();
        let family = processes::descendants(id);
        assert!(!cfg!(target_os = "linux") || !family.is_empty(), "its Postgres is a child of the demo");
        processes::signal("INT", id.into());
        let status = processes::await_end(child, STOP).expect("Ctrl-C ends the demo");
        assert!(status.success(), "the demo ends well: {status}");
        processes::still_there(&family)
    }

    /// `eu:795000000`, as the emulator's pages name a person.
    pub(crate) fn person(&self, data_centre: &str, email: &str) -> String {
        let person = self.people.iter().find(|one| one["data_centre"] == data_centre && one["email"] == email);
        let zuid = person.and_then(|one| one["zuid"].as_str()).unwrap_or_else(|| panic!("{email} in {data_centre}"));
        format!("{data_centre}:{zuid}")
    }

    /// Says something to the emulator's control port.
    pub(crate) async fn tell_emulator(&self, path: &str, body: Value) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = client.post(format!("{}{path}", self.control)).json(&body).send().await.expect("the control port");
        assert!(answer.status().is_success(), "{path} answers {}", answer.status());
    }
}

/// Settings of whoever runs the tests must not reach the demo.
fn is_ours(name: &str) -> bool {
    const PREFIXES: [&str; 5] = ["ZOHO_", "SCOPES_", "ENCRYPTION_KEYS", "DATABASE_URL", "REFRESH"];
    const NAMES: [&str; 6] =
        ["PUBLIC_URL", "OPERATORS", "RETURN_ORIGINS", "LOGIN_PRODUCT", "LOG_FORMAT", "TRUSTED_PROXIES"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            processes::signal("INT", child.id().into());
            let _ = processes::await_end(child, STOP);
        }
    }
}
