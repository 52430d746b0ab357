//! What a run measures on: Postgres as production has it, the released program, the emulator, a key.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use login_with_zoho::private_postgres::{Durability, PrivatePostgres, forget};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::{
    Outcome, Scale,
    emulator::{Emulator, SECRET},
    floor::Pgbench,
    http::split,
    process::Process,
    sealing::Key,
};

/// A private Postgres, durable, that goes with its files when dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Option<PrivatePostgres>,
    directory: TempDir,
}

pub(crate) fn postgres() -> Outcome<Postgres> {
    let directory = tempfile::Builder::new().prefix("lwz-bench-").tempdir()?;
    let server = PrivatePostgres::start(directory.path(), Durability::Durable)?;
    Ok(Postgres { server: Some(server), directory })
}

impl Postgres {
    fn server(&self) -> &PrivatePostgres {
        self.server.as_ref().expect("running until dropped")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.server.take());
        // What is left is reported by whoever cleans the temporary directory.
        let _ = forget(self.directory.path());
    }
}

/// A replica, and where it listens.
#[derive(Debug)]
pub(crate) struct Replica {
    process: Process,
    pub(crate) address: SocketAddr,
    /// In megabytes, before it was asked anything.
    pub(crate) idle_megabytes: f64,
}

impl Replica {
    pub(crate) fn most_megabytes(&self) -> Outcome<f64> {
        self.process.megabytes("VmHWM")
    }
}

pub(crate) struct Stage {
    pub(crate) scale: Scale,
    pub(crate) key: Key,
    pub(crate) api_key: String,
    pub(crate) database: PgConnection,
    pub(crate) emulator: Emulator,
    pub(crate) pgbench: Pgbench,
    pub(crate) replica: Replica,
    programs: PathBuf,
    settings: BTreeMap<String, String>,
    directory: TempDir,
}

impl Stage {
    pub(crate) async fn start(postgres: &Postgres, scale: Scale) -> Outcome<Self> {
        let directory = tempfile::Builder::new().prefix("lwz-bench-logs-").tempdir()?;
        // Beside this program, where one build puts all of them.
        let programs = std::env::current_exe()?.parent().ok_or("a program without a directory")?.to_owned();
        let public_url = format!("http://{}", free_address()?);
        let redirect_uri = format!("{public_url}/oauth/callback");
        let emulator = Emulator::start(&programs.join("zoho-emulator"), directory.path(), &redirect_uri).await?;
        let (key, admin) = (Key::new(), postgres.server().admin_url().expose_secret().to_owned());
        let settings = settings(postgres.server().url().expose_secret(), &public_url, &key, &emulator);
        let pgbench = Pgbench::prepare(admin.clone(), postgres.server().url().expose_secret().to_owned())?;
        let replica = start_replica(&programs, &settings, directory.path(), split(&public_url)?.0).await?;
        let api_key = make_api_key(&programs, &settings)?;
        let options: PgConnectOptions = admin.parse()?;
        let database = options.database("login_with_zoho").disable_statement_logging().connect().await?;
        Ok(Self { scale, key, api_key, database, emulator, pgbench, replica, programs, settings, directory })
    }

    /// Another replica beside the first.
    pub(crate) async fn another_replica(&self) -> Outcome<Replica> {
        start_replica(&self.programs, &self.settings, self.directory.path(), "127.0.0.1:0".parse()?).await
    }

    /// The floor for answers of so many bytes.
    pub(crate) fn bare(&self, bytes: usize) -> Outcome<(Process, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg(bytes.to_string());
        let process = Process::start(command, &self.directory.path().join("bare.log"))?;
        let address = split(process.said.trim())?.0;
        Ok((process, address))
    }

    /// The line that shows the key.
    pub(crate) fn authorization(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.api_key)
    }
}

fn settings(database: &str, public_url: &str, key: &Key, emulator: &Emulator) -> BTreeMap<String, String> {
    let text = [
        ("PUBLIC_URL", public_url),
        ("DATABASE_URL", database),
        ("ZOHO_CLIENT_ID", &emulator.client_id),
        ("ZOHO_CLIENT_SECRET", SECRET),
        ("MANAGEMENT_LISTEN", "127.0.0.1:0"),
    ];
    let mut settings: BTreeMap<_, _> = text.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    settings.insert("ENCRYPTION_KEYS".into(), key.setting());
    settings.insert("ZOHO_SERVERS".into(), emulator.servers_file.display().to_string());
    settings.insert("PATH".into(), std::env::var("PATH").unwrap_or_default());
    settings
}

async fn start_replica(
    programs: &Path,
    settings: &BTreeMap<String, String>,
    logs: &Path,
    listen: SocketAddr,
) -> Outcome<Replica> {
    let mut command = Command::new(programs.join("login-with-zoho"));
    command.arg("serve").env_clear().envs(settings).env("LISTEN", listen.to_string());
    let log = logs.join(format!("replica-{}.log", rand::random::<u32>()));
    let process = Process::start(command, &log)?;
    let said: Value = serde_json::from_str(&process.said)?;
    let address = split(said["listening"].as_str().ok_or("a replica that listens nowhere")?)?.0;
    // Workers look around once at the start.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let idle_megabytes = process.megabytes("VmRSS")?;
    Ok(Replica { process, address, idle_megabytes })
}

fn make_api_key(programs: &Path, settings: &BTreeMap<String, String>) -> Outcome<String> {
    let grants = "tokens:read,connections:read,proxy";
    let made = Command::new(programs.join("login-with-zoho"))
        .args(["api-key", "create", "--name", "bench", "--grants", grants, "--json"])
        .env_clear()
        .envs(settings)
        .output()?;
    if !made.status.success() {
        return Err(format!("no API key: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    let made: Value = serde_json::from_slice(&made.stdout)?;
    Ok(made["key"].as_str().ok_or("an answer without a key")?.to_owned())
}

/// Free a moment ago; a client's redirect URI must be known before the site starts.
fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
