//! A Postgres of our own for people who have none at hand: found, initialized, started and stopped by this program.
//!
//! What holds:
//!
//! 1. One program per `DATA_DIR`: a lock on it (and on the cluster) is held for as long as the server may run.
//! 2. The server never runs as root. Started by root it runs as `postgres` or `nobody`, and where that account cannot
//!    reach `DATA_DIR` the cluster lives under `/var/lib/login-with-zoho`; `DATA_DIR/postgres.toml` says where.
//! 3. It listens on 127.0.0.1 only, asks everybody for a password (scram-sha-256) and has no unix socket. Passwords
//!    are made here and kept in `DATA_DIR/postgres.toml`, readable by the owner alone.
//! 4. The site's role is no superuser, so that row-level security binds it; its time limits are settings of the role.
//! 5. The server ends with this process, even when that is killed, and a terminal's Ctrl-C reaches us, not it: whoever
//!    serves requests decides when the database goes.
//! 6. A cluster is made under another name and renamed when complete, so that an interrupted start leaves no half of
//!    one. A `postmaster.pid` left behind by a crash is survived.

mod account;
mod cluster;
mod error;
mod files;
mod locate;
mod postmaster;
mod sys;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

pub use self::error::PrivatePostgresError;
use self::files::Files;
use self::locate::Installation;
use self::postmaster::{Keeper, Postmaster, StartFailure};

/// The site's role and the name of the database that it owns.
const SITE: &str = "login_with_zoho";
/// The superuser and the database it connects to.
const ADMINISTRATOR: &str = "postgres";
/// Ports below the range from which Linux (32768…) and macOS (49152…) pick for outgoing connections, so that the
/// remembered port is still free at the next start.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Whether a committed transaction survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As Postgres is by default.
    Durable,
    /// For tests: no fsync, nothing waits for the disk.
    Volatile,
}

/// A running server. Dropping it stops the server and waits for that, as long as a checkpoint takes: in an async program
/// stop it after the runtime, or where blocking is permitted.
#[derive(Debug)]
pub struct PrivatePostgres {
    // Fields are dropped in this order: the server first, then the thread it hangs on, the locks last.
    postmaster: Option<Postmaster>,
    keeper: Keeper,
    installation: Installation,
    durability: Durability,
    pid: u32,
    files: Files,
}

impl PrivatePostgres {
    /// Starts the server of `data_dir`, making the cluster if there is none yet. Blocks until it answers.
    pub fn start(data_dir: &Path, durability: Durability) -> Result<Self, PrivatePostgresError> {
        let mut files = Files::open(data_dir)?;
        let installation = locate::find(&files.account, cluster::major_version(&files)?)?;
        postmaster::clear_away(&files)?;
        cluster::prepare(&mut files, &installation, durability)?;
        let keeper = Keeper::start()
            .map_err(|source| PrivatePostgresError::file("starting a thread for", &files.cluster(), source))?;
        let postmaster = launch(&mut files, &installation, durability, &keeper, false)?;
        Ok(Self { pid: postmaster.pid(), postmaster: Some(postmaster), keeper, installation, durability, files })
    }

    /// Where the site connects: its own role and database.
    #[must_use]
    pub fn url(&self) -> SecretString {
        self.url_of(SITE, &self.files.state.password, SITE)
    }

    /// Where an administrator connects: the superuser.
    #[must_use]
    pub fn admin_url(&self) -> SecretString {
        self.url_of(ADMINISTRATOR, &self.files.state.superuser_password, ADMINISTRATOR)
    }

    fn url_of(&self, role: &str, password: &SecretString, database: &str) -> SecretString {
        url_of(role, password, self.port(), database)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.files.state.port
    }

    /// The server's process; after [`Self::kill`] the one that was.
    #[must_use]
    pub fn postmaster_pid(&self) -> u32 {
        self.pid
    }

    /// Where the server writes its log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.files.log()
    }

    /// Ends all connections, writes what is to be written, and waits until the server is gone.
    pub fn stop(mut self) -> Result<(), PrivatePostgresError> {
        self.stop_server()
    }

    fn stop_server(&mut self) -> Result<(), PrivatePostgresError> {
        self.postmaster.take().map_or(Ok(()), Postmaster::stop)
    }

    /// Ends the server without a farewell, as a crash would, and waits until it is gone. For fault tests.
    pub fn kill(&self) {
        if let Some(postmaster) = &self.postmaster {
            postmaster.kill();
        }
    }

    /// Starts the server again, on the same port with the same passwords; stops it first if it runs.
    pub fn restart(&mut self) -> Result<(), PrivatePostgresError> {
        self.stop_server()?;
        postmaster::clear_away(&self.files)?;
        let postmaster = launch(&mut self.files, &self.installation, self.durability, &self.keeper, true)?;
        self.pid = postmaster.pid();
        self.postmaster = Some(postmaster);
        Ok(())
    }
}

fn url_of(role: &str, password: &SecretString, port: u16, database: &str) -> SecretString {
    format!("postgres://{role}:{}@127.0.0.1:{port}/{database}", password.expose_secret()).into()
}

/// Where the site of another program connects that runs the server of `data_dir` right now, as that
/// program wrote it down for its owner.
pub fn url_of_running(data_dir: &Path) -> Result<Option<SecretString>, PrivatePostgresError> {
    let stored = files::read_state(data_dir)?;
    Ok(stored.map(|(_, state)| url_of(SITE, &state.password, state.port, SITE)))
}

/// Removes the cluster of `data_dir`, wherever it lives, and all else that [`PrivatePostgres`] made for it.
pub fn forget(data_dir: &Path) -> Result<(), PrivatePostgresError> {
    if !data_dir.exists() {
        return Ok(());
    }
    let files = Files::open(data_dir)?;
    postmaster::clear_away(&files)?;
    files.remove()
}

/// Starts the server, on another port if the remembered one is taken meanwhile and `keep_port` permits.
fn launch(
    files: &mut Files,
    installation: &Installation,
    durability: Durability,
    keeper: &Keeper,
    keep_port: bool,
) -> Result<Postmaster, PrivatePostgresError> {
    let mut patience = sys::Patience::of_seconds(15);
    loop {
        if !keep_port && !is_free(files.state.port) {
            files.remember_port(free_port())?;
        }
        match Postmaster::start(files, installation, durability, keeper) {
            Ok(postmaster) => return Ok(postmaster),
            // Somebody was faster, or the back ends of a killed server have not all noticed yet.
            Err(StartFailure::PortTaken | StartFailure::StillInUse) if patience.wait_a_little() => {}
            Err(failure) => return Err(failure.explain(files)),
        }
    }
}

fn is_free(port: u16) -> bool {
    port != 0 && TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn free_port() -> u16 {
    let span = u64::from(PORTS.end - PORTS.start);
    (0..64)
        .filter_map(|_| u16::try_from(rand::random::<u64>() % span).ok())
        .map(|offset| PORTS.start + offset)
        .find(|&port| is_free(port))
        .unwrap_or(PORTS.start)
}
