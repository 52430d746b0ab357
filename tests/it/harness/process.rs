//! The real program as an operator runs it, and a Postgres of its own: both can be killed, paused and started again.
//!
//! The program gets an environment of its own, no terminal, and files for its two streams. Its first line on standard
//! output says where it listens. Whatever is started here ends with the value that stands for it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use login_with_zoho::private_postgres::{Durability, PrivatePostgres, forget};
use secrecy::ExposeSecret as _;
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::Instant;

/// What the program reads instead of flags.
pub type Environment = BTreeMap<String, String>;

/// Asks until there is an answer; gives up, and says on what, after `bound`.
pub async fn until<T>(what: &str, bound: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < bound, "waited {bound:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How long a program may take to start on a busy machine.
const START: Duration = Duration::from_secs(30);

/// A running `login-with-zoho serve`.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// `http://127.0.0.1:…`
    listening: String,
    pub management: String,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How a program ended that did not start.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stderr: String,
}

impl Program {
    /// Starts it and waits until it listens; its streams go to files of this name in `directory`.
    pub async fn start(environment: &Environment, directory: &Path, name: &str) -> Self {
        match Self::try_start(environment, directory, name).await {
            Ok(program) => program,
            Err(ended) => panic!("the program did not start: {ended:?}"),
        }
    }

    pub async fn try_start(environment: &Environment, directory: &Path, name: &str) -> Result<Self, Ended> {
        let (stdout, stderr) = (directory.join(format!("{name}.out")), directory.join(format!("{name}.log")));
        let mut child = command(environment)
            .arg("serve")
            .stdout(File::create(&stdout).expect("a file"))
            .stderr(File::create(&stderr).expect("a file"))
            .spawn()
            .expect("the program was built");
        let line = until("the program listens or ends", START, async || {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                return Some(Err(status));
            }
            let text = read(&stdout);
            text.split_once('\n').map(|(line, _)| Ok(line.to_owned()))
        });
        match line.await {
            Err(status) => Err(Ended { code: status.code(), stderr: read(&stderr) }),
            Ok(line) => {
                let said: serde_json::Value = serde_json::from_str(&line).expect("the first line is JSON");
                let address = |name: &str| said[name].as_str().expect("an address").to_owned();
                let (listening, management) = (address("listening"), address("management"));
                Ok(Self { child, listening, management, stdout, stderr })
            }
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listening.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("an address")
    }

    /// `KILL`, `STOP`, `CONT` or `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
    }

    pub async fn wait(&mut self, bound: Duration) -> ExitStatus {
        until("the program has ended", bound, async || self.child.try_wait().expect("a child of ours")).await
    }

    /// Everything that it wrote so far, standard output first.
    pub fn written(&self) -> String {
        read(&self.stdout) + &read(&self.stderr)
    }

    /// Its log lines.
    pub fn log(&self) -> String {
        read(&self.stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Paused ones die too.
            self.kill();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            // The test's own output, shown when it fails.
            let _ = writeln!(std::io::stdout(), "{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}

fn command(environment: &Environment) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_login-with-zoho"));
    command.env_clear().envs(environment).stdin(Stdio::null());
    command
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(file).expect("a file of ours")).into_owned()
}

/// A server that belongs to one test, durable, so that a crash loses nothing that was committed.
#[derive(Debug)]
pub struct OwnPostgres {
    server: Option<PrivatePostgres>,
    directory: tempfile::TempDir,
}

impl OwnPostgres {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let server = tokio::task::block_in_place(|| PrivatePostgres::start(directory.path(), Durability::Durable));
        Self { server: Some(server.expect("a private Postgres")), directory }
    }

    fn server(&self) -> &PrivatePostgres {
        self.server.as_ref().expect("running until dropped")
    }

    /// For the site.
    pub fn url(&self) -> String {
        self.server().url().expose_secret().to_owned()
    }

    pub fn port(&self) -> u16 {
        self.server().port()
    }

    /// The superuser, whom row-level security does not bind, in the database of the site.
    pub async fn administrator(&self) -> PgConnection {
        let url = self.server().admin_url();
        let options: PgConnectOptions = url.expose_secret().parse().expect("a URL of ours");
        options.database("login_with_zoho").connect().await.expect("the server answers")
    }

    /// The superuser's, for programs that want a URL.
    pub fn admin_url_of_site(&self) -> String {
        let mut url = url::Url::parse(self.server().admin_url().expose_secret()).expect("a URL of ours");
        url.set_path("login_with_zoho");
        url.into()
    }

    pub fn log(&self) -> String {
        read(&self.server().log_file())
    }

    /// As a crash.
    pub fn kill(&self) {
        tokio::task::block_in_place(|| self.server().kill());
    }

    pub fn restart(&mut self) {
        let server = self.server.as_mut().expect("running until dropped");
        tokio::task::block_in_place(|| server.restart()).expect("restarted");
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        tokio::task::block_in_place(|| {
            drop(self.server.take());
            if let Err(error) = forget(self.directory.path()) {
                assert!(std::thread::panicking(), "{error:?}");
            }
        });
    }
}
