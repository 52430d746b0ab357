//! The private Postgres over its whole life: made, adopted again, crashed, killed with its program, forgotten.
//!
//! Run as root it also shows that the server is not.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use login_with_zoho::private_postgres::{Durability, PrivatePostgres, PrivatePostgresError, forget};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection};

fn start(data_dir: &Path) -> PrivatePostgres {
    PrivatePostgres::start(data_dir, Durability::Volatile).expect("a private Postgres")
}

/// One statement, one text.
fn ask(url: &SecretString, statement: &'static str) -> Result<String, sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url.expose_secret()).await?;
        sqlx::query_scalar(statement).fetch_one(&mut connection).await
    })
}

/// A directory that leaves nothing behind, not even a cluster that had to live elsewhere.
struct DataDir(tempfile::TempDir);

impl DataDir {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if let Err(error) = forget(self.path()) {
            assert!(std::thread::panicking(), "{error:?}");
        }
    }
}

fn data_dir() -> DataDir {
    DataDir(tempfile::tempdir().expect("a directory"))
}

/// Of the server process, by /proc.
fn is_alive(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn the_site_owns_its_database_and_is_no_superuser() {
    let directory = data_dir();
    let postgres = start(directory.path());
    let role =
        "select concat_ws(' ', current_user, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, current_setting('statement_timeout'),
                current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'))
                from pg_roles where rolname = current_user";
    assert_eq!(ask(&postgres.url(), role).expect("a row"), "login_with_zoho f f f f 3s 1s 5s");
    let settings =
        "select concat_ws(' ', current_setting('listen_addresses'), current_setting('unix_socket_directories'), current_setting('fsync'),
                    (select pg_get_userbyid(datdba) from pg_database where datname = 'login_with_zoho'),
                    (select string_agg(distinct auth_method, ',') from pg_hba_file_rules), lower('É'))";
    assert_eq!(ask(&postgres.admin_url(), settings).expect("a row"), "127.0.0.1  off login_with_zoho scram-sha-256 é");
    let wrong =
        SecretString::from(format!("postgres://login_with_zoho:wrong@127.0.0.1:{}/login_with_zoho", postgres.port()));
    assert!(ask(&wrong, "select ''").is_err(), "a wrong password must not do");
}

#[test]
fn what_was_stored_is_there_after_stop_crash_and_restart() {
    let directory = data_dir();
    let postgres = PrivatePostgres::start(directory.path(), Durability::Durable).expect("a private Postgres");
    ask(&postgres.url(), "select lo_from_bytea(4711, 'kept')::text").expect("stored");
    let (port, url) = (postgres.port(), postgres.url());
    postgres.stop().expect("stopped");

    let mut postgres = start(directory.path());
    assert_eq!((postgres.port(), postgres.url().expose_secret()), (port, url.expose_secret()));
    let stored = "select convert_from(lo_get(4711), 'utf8')";
    assert_eq!(ask(&url, stored).expect("a row"), "kept");

    postgres.kill();
    assert!(!is_alive(postgres.postmaster_pid()));
    assert!(ask(&url, stored).is_err());
    postgres.restart().expect("restarted");
    assert_eq!(ask(&url, stored).expect("a row"), "kept");
}

#[test]
fn a_server_killed_by_force_is_survived() {
    let directory = data_dir();
    let mut postgres = start(directory.path());
    kill("KILL", postgres.postmaster_pid());
    postgres.restart().expect("restarted");
    assert_eq!(ask(&postgres.url(), "select 'back'").expect("a row"), "back");
}

/// Where the kernel does not end it with its program, and by hand.
#[cfg(target_os = "linux")]
#[test]
fn a_server_left_running_is_stopped_first() {
    use std::os::unix::process::CommandExt as _;

    let directory = data_dir();
    let postgres = start(directory.path());
    let process = format!("/proc/{}", postgres.postmaster_pid());
    let program = fs::read_link(format!("{process}/exe")).expect("a program");
    let arguments = fs::read_to_string(format!("{process}/cmdline")).expect("a command line");
    let cluster = ask(&postgres.admin_url(), "select current_setting('data_directory')").expect("a row");
    postgres.stop().expect("stopped");

    let owner = fs::metadata(&cluster).expect("a cluster");
    let mut orphan = std::process::Command::new(program);
    orphan.args(arguments.split_terminator('\0').skip(1)).current_dir("/").stderr(std::process::Stdio::null());
    if owner.uid() != fs::metadata(directory.path()).expect("a directory").uid() {
        orphan.uid(owner.uid()).gid(owner.gid());
    }
    let mut orphan = orphan.spawn().expect("started");
    let pid_file = Path::new(&cluster).join("postmaster.pid");
    wait_until("it serves", || fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready")));

    let postgres = start(directory.path());
    assert_ne!(postgres.postmaster_pid(), orphan.id());
    assert!(orphan.wait().expect("reaped").success());
    assert_eq!(ask(&postgres.url(), "select 'ours'").expect("a row"), "ours");
}

#[test]
fn a_cluster_of_another_version_is_refused_by_name() {
    let directory = data_dir();
    let postgres = start(directory.path());
    let cluster = ask(&postgres.admin_url(), "select current_setting('data_directory')").expect("a row");
    drop(postgres);
    fs::write(Path::new(&cluster).join("PG_VERSION"), "9\n").expect("written");
    let refused = PrivatePostgres::start(directory.path(), Durability::Volatile).expect_err("refused").to_string();
    assert!(refused.contains("was made by PostgreSQL 9, which is not installed (found: 1"), "{refused}");
}

#[test]
fn two_programs_do_not_share_a_directory() {
    let directory = data_dir();
    let _first = start(directory.path());
    let second = PrivatePostgres::start(directory.path(), Durability::Volatile);
    assert!(matches!(second, Err(PrivatePostgresError::InUse { .. })), "{second:?}");
}

#[test]
fn a_taken_port_is_left_to_its_owner() {
    let directory = data_dir();
    let first = start(directory.path()).port();
    let _other = std::net::TcpListener::bind(("127.0.0.1", first)).expect("the port is free again");
    let postgres = start(directory.path());
    assert_ne!(postgres.port(), first);
    assert_eq!(ask(&postgres.url(), "select 'here'").expect("a row"), "here");
}

#[test]
fn passwords_are_private_and_can_be_made_anew() {
    let directory = data_dir();
    let before = start(directory.path());
    let url = before.url();
    drop(before);
    let state = directory.path().join("postgres.toml");
    assert_eq!(fs::metadata(&state).expect("a file").permissions().mode() & 0o777, 0o600);
    let log = fs::read_to_string(directory.path().join("postgres.log")).expect("a log");
    assert!(!log.contains("password"), "{log}");

    fs::remove_file(&state).expect("removed");
    let after = start(directory.path());
    assert_ne!(after.url().expose_secret(), url.expose_secret());
    assert_eq!(ask(&after.url(), "select 'in'").expect("a row"), "in");
}

#[test]
fn nothing_that_we_made_is_left_after_forgetting() {
    let parent = tempfile::tempdir().expect("a directory");
    // Where another account cannot go, as /root: the cluster is put elsewhere if we are root.
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o700)).expect("closed");
    let directory = parent.path().join("data");
    let postgres = start(&directory);
    let cluster = ask(&postgres.admin_url(), "select current_setting('data_directory')").expect("a row");
    let root = fs::metadata(parent.path()).expect("a directory").uid() == 0;
    assert_eq!(cluster.starts_with("/var/lib/login-with-zoho/"), root, "{cluster}");
    if root {
        let server = fs::metadata(format!("/proc/{}", postgres.postmaster_pid())).expect("a process");
        assert_ne!(server.uid(), 0);
    }
    assert!(matches!(forget(&directory), Err(PrivatePostgresError::InUse { .. })));
    drop(postgres);
    fs::write(directory.join("mine"), "").expect("written");
    forget(&directory).expect("forgotten");
    assert!(!Path::new(&cluster).exists());
    let mut left: Vec<_> =
        fs::read_dir(&directory).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["lock", "mine"]);
}

/// Where the cluster lives elsewhere, `rm -rf` of the directory leaves it behind.
#[test]
fn a_directory_made_anew_starts_from_nothing() {
    let parent = tempfile::tempdir().expect("a directory");
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o700)).expect("closed");
    let directory = parent.path().join("data");
    let count = "select count(*)::text from pg_largeobject_metadata";
    let mut clusters = Vec::new();
    for _ in 0..2 {
        let postgres = start(&directory);
        assert_eq!(ask(&postgres.url(), count).expect("a row"), "0");
        ask(&postgres.url(), "select lo_from_bytea(4711, 'mine')::text").expect("stored");
        clusters.push(ask(&postgres.admin_url(), "select current_setting('data_directory')").expect("a row"));
        postgres.stop().expect("stopped");
        if clusters.len() == 1 {
            fs::remove_dir_all(&directory).expect("removed");
        }
    }
    forget(&directory).expect("forgotten");
    if let Some(orphan) = Path::new(&clusters[0]).parent().filter(|home| home.starts_with("/var/lib/login-with-zoho")) {
        fs::remove_dir_all(orphan).expect("removed");
    }
}

/// The program under test is this test binary, told by the environment to start a server and wait to be killed.
#[cfg(target_os = "linux")]
#[test]
fn the_server_dies_with_its_program() {
    const ROLE: &str = "PRIVATE_POSTGRES_TEST_VICTIM";
    if let Some(directory) = std::env::var_os(ROLE) {
        // From a thread that ends at once: the server must depend on the process, not on it.
        let thread = std::thread::spawn(move || start(Path::new(&directory)));
        let postgres = thread.join().expect("started");
        fs::write(postgres.log_file().with_file_name("pid"), postgres.postmaster_pid().to_string()).expect("written");
        std::thread::park_timeout(Duration::from_secs(60));
        return;
    }
    let directory = data_dir();
    let mut victim = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "the_server_dies_with_its_program"])
        .env(ROLE, directory.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a victim");
    let mut pid = None;
    wait_until("the victim's server runs", || {
        pid = fs::read_to_string(directory.path().join("pid")).ok().and_then(|text| text.parse().ok());
        pid.is_some()
    });
    let pid = pid.expect("a pid");
    assert!(is_alive(pid));
    victim.kill().expect("killed");
    victim.wait().expect("reaped");
    wait_until("the server is gone", || !is_alive(pid));
    assert_eq!(ask(&start(directory.path()).url(), "select 'again'").expect("a row"), "again");
}

fn kill(signal: &str, pid: u32) {
    let status =
        std::process::Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().expect("kill runs");
    assert!(status.success());
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
