//! The server process: started, awaited, told to go.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use super::cluster::last_words;
use super::files::{Files, tolerate_absence};
use super::locate::Installation;
use super::sys::{self, Patience};
use super::{Durability, PrivatePostgresError};

/// Recovery after a crash may take its time; as long as the process lives, it is at it.
const START_SECONDS: u64 = 300;
/// Fast shutdown ends all sessions and writes a checkpoint; after this the immediate one, which recovery makes good.
const STOP_SECONDS: u64 = 60;
const KILL_SECONDS: u64 = 10;

/// The thread that spawns the server and lives as long as it may run: the kernel ties the server's life to the thread
/// that spawned it, not to the process (`sys::bind_to_this_thread`), and a caller's thread may be a short-lived one.
#[derive(Debug)]
pub(super) struct Keeper {
    requests: mpsc::Sender<(Command, mpsc::Sender<io::Result<Child>>)>,
}

impl Keeper {
    pub(super) fn start() -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel::<(Command, mpsc::Sender<io::Result<Child>>)>();
        thread::Builder::new().name("private-postgres".into()).spawn(move || {
            for (mut command, answer) in inbox {
                if let Err(mpsc::SendError(Ok(mut unwanted))) = answer.send(command.spawn()) {
                    // Nobody waits for it any more.
                    sys::signal(unwanted.id(), libc::SIGINT);
                    let _status = unwanted.wait();
                }
            }
        })?;
        Ok(Self { requests })
    }

    fn spawn(&self, command: Command) -> io::Result<Child> {
        let (answer, inbox) = mpsc::channel();
        let gone = || io::Error::other("the thread that starts Postgres is gone");
        self.requests.send((command, answer)).map_err(|_| gone())?;
        inbox.recv().map_err(|_| gone())?
    }
}

#[derive(Debug)]
pub(super) struct Postmaster {
    child: Mutex<Child>,
    pid: u32,
}

pub(super) enum StartFailure {
    PortTaken,
    StillInUse,
    Other(PrivatePostgresError),
}

impl StartFailure {
    pub(super) fn explain(self, files: &Files) -> PrivatePostgresError {
        match self {
            Self::PortTaken => PrivatePostgresError::PortTaken { port: files.state.port },
            Self::StillInUse => PrivatePostgresError::StillInUse { cluster: files.cluster() },
            Self::Other(error) => error,
        }
    }
}

impl Postmaster {
    /// Starts the server and waits until it takes connections, which it says in `postmaster.pid`, as to `pg_ctl`.
    pub(super) fn start(
        files: &Files,
        installation: &Installation,
        durability: Durability,
        keeper: &Keeper,
    ) -> Result<Self, StartFailure> {
        let mut log = files.open_log().map_err(StartFailure::Other)?;
        let log_error = |source| StartFailure::Other(PrivatePostgresError::file("reading", &files.log(), source));
        let before = log.seek(SeekFrom::End(0)).map_err(log_error)?;
        let cluster = files.cluster();
        let program = installation.program("postgres");
        let mut command = files.account.command(&program);
        command.arg("-D").arg(&cluster);
        for (name, value) in settings(files.state.port, durability) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdout(log.try_clone().map_err(log_error)?).stderr(Stdio::from(log));
        let child = keeper
            .spawn(command)
            .map_err(|source| StartFailure::Other(PrivatePostgresError::Spawn { program, source }))?;
        let postmaster = Self { pid: child.id(), child: Mutex::new(child) };

        let mut patience = Patience::of_seconds(START_SECONDS);
        while postmaster.runs() {
            if says_ready(&cluster, postmaster.pid) {
                return Ok(postmaster);
            }
            if !patience.wait_a_little() {
                break;
            }
        }
        let log = read_from(&files.log(), before).map_err(log_error)?;
        Err(if log.contains("could not create any TCP/IP sockets") {
            StartFailure::PortTaken
        } else if log.contains("is still in use") {
            StartFailure::StillInUse
        } else {
            StartFailure::Other(PrivatePostgresError::DidNotStart { log: files.log(), last_words: last_words(&log) })
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self) -> bool {
        matches!(self.child().try_wait(), Ok(None))
    }

    /// Signals the server, if it has not been reaped (its pid may be somebody else's by then), and waits for its end.
    fn end(&self, signal: libc::c_int, seconds: u64) -> bool {
        if !self.runs() {
            return true;
        }
        sys::signal(self.pid, signal);
        let mut patience = Patience::of_seconds(seconds);
        while self.runs() {
            if !patience.wait_a_little() {
                return false;
            }
        }
        true
    }

    pub(super) fn kill(&self) {
        if !self.end(libc::SIGQUIT, KILL_SECONDS) {
            self.end(libc::SIGKILL, KILL_SECONDS);
        }
    }

    pub(super) fn stop(self) -> Result<(), PrivatePostgresError> {
        self.end_gently()
    }

    fn end_gently(&self) -> Result<(), PrivatePostgresError> {
        let gone = self.end(libc::SIGINT, STOP_SECONDS)
            || self.end(libc::SIGQUIT, KILL_SECONDS)
            || self.end(libc::SIGKILL, KILL_SECONDS);
        if gone { Ok(()) } else { Err(PrivatePostgresError::DidNotStop { pid: self.pid }) }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if let Err(error) = self.end_gently() {
            tracing::error!(%error, "the private Postgres is left behind");
        }
    }
}

/// On the command line, where they win over every file: nothing in the cluster can open it to the network.
fn settings(port: u16, durability: Durability) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("listen_addresses", "127.0.0.1".into()),
        ("port", port.to_string()),
        ("unix_socket_directories", String::new()),
        ("password_encryption", "scram-sha-256".into()),
        ("max_connections", "100".into()),
        ("logging_collector", "off".into()),
        ("log_destination", "stderr".into()),
        ("log_line_prefix", "%m [%p] %q%u@%d ".into()),
        ("log_checkpoints", "off".into()),
        ("log_timezone", "UTC".into()),
        ("timezone", "UTC".into()),
        ("lc_messages", "C".into()),
        // The log is no place for what was in a failed statement (security.md S-30).
        ("log_parameter_max_length_on_error", "0".into()),
    ];
    let switch = if durability == Durability::Durable { "on" } else { "off" };
    settings.extend(["fsync", "synchronous_commit", "full_page_writes"].map(|name| (name, switch.into())));
    settings
}

/// Lines of `postmaster.pid`: 1 the process, 8 the status.
fn says_ready(cluster: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else { return false };
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(pid.to_string().as_str()) && lines.nth(6) == Some("ready")
}

/// Sees that nothing is left of an earlier server of this cluster: stops one that has outlived its program (we hold the
/// lock, so it is nobody's), and removes a `postmaster.pid` whose process is gone or, in a container that counts from
/// 1 again, somebody else by now. Postgres itself finds out by the shared memory segment, whose key comes from the
/// directory, when back ends of a killed server are still at work.
pub(super) fn clear_away(files: &Files) -> Result<(), PrivatePostgresError> {
    let cluster = files.cluster();
    let pid_file = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(()) };
    // A power cut may leave the file empty.
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
    for (signal, seconds) in [(libc::SIGINT, STOP_SECONDS), (libc::SIGQUIT, KILL_SECONDS)] {
        if serves(pid, &cluster) {
            tracing::warn!(pid, "stopping a Postgres that an earlier run has left behind");
            sys::signal(pid, signal);
            let mut patience = Patience::of_seconds(seconds);
            while serves(pid, &cluster) && patience.wait_a_little() {}
        }
    }
    if serves(pid, &cluster) {
        return Err(PrivatePostgresError::DidNotStop { pid });
    }
    tolerate_absence(fs::remove_file(&pid_file))
        .map_err(|source| PrivatePostgresError::file("removing", &pid_file, source))
}

/// Whether this process is a server of this cluster, by its command line (which a zombie has no more).
fn serves(pid: u32, cluster: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).or_else(|_| {
        let ps =
            Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).stderr(Stdio::null()).output();
        ps.map(|answer| answer.stdout)
    });
    let cluster = cluster.as_os_str().as_encoded_bytes();
    command_line.is_ok_and(|line| line.windows(cluster.len()).any(|window| window == cluster))
}

fn read_from(path: &Path, start: u64) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
