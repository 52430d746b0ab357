//! A pooler in front of Postgres: session mode changes nothing, transaction mode is noticed and refused (security.md R-29).

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::net::TcpStream;

use super::{Installation, browser};
use crate::harness::{
    BEA,
    process::{Program, until},
};

struct Pooler {
    child: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
    }
}

async fn pooler(site: &Installation, mode: &str) -> Pooler {
    let database = url::Url::parse(&site.postgres.url()).expect("a URL");
    let password = database.password().expect("a password");
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("bound").port();
    drop(socket);
    let directory = tempfile::tempdir().expect("a directory");
    // It refuses to be root, and becomes an account that has to read its settings.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    let settings = directory.path().join("pgbouncer.ini");
    let text = format!(
        "[databases]
        login_with_zoho = host=127.0.0.1 port={} user=login_with_zoho password={password}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = any
        pool_mode = {mode}
        default_pool_size = 30
        ",
        site.postgres.port()
    );
    fs::write(&settings, text.lines().map(str::trim).collect::<Vec<_>>().join("\n")).expect("written");
    let mut command = Command::new(std::env::var_os("PGBOUNCER").unwrap_or_else(|| "pgbouncer".into()));
    if directory.path().metadata().expect("ours").uid() == 0 {
        command.args(["-u", "nobody"]);
    }
    let child = command.arg(&settings).stderr(Stdio::null()).spawn().expect("pgbouncer is installed by scripts/test");
    let pooler = Pooler {
        child,
        url: format!("postgres://login_with_zoho@127.0.0.1:{port}/login_with_zoho"),
        _directory: directory,
    };
    until("the pooler listens", Duration::from_secs(10), async || TcpStream::connect(("127.0.0.1", port)).await.ok())
        .await;
    pooler
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_pooler_in_session_mode_changes_nothing() {
    let site = Installation::prepare().await;
    let pooler = pooler(&site, "session").await;
    let replica = site.replica_with("one", &[("DATABASE_URL", &pooler.url)]).await;
    let visitor = browser(&[&replica]);
    assert_eq!(visitor.sign_in_as(BEA).await.location(), "/connections");
    assert!(visitor.is_signed_in().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_pooler_in_transaction_mode_is_refused_before_anything_is_made() {
    let site = Installation::prepare().await;
    let pooler = pooler(&site, "transaction").await;
    let environment = site.changed(&[("DATABASE_URL", &pooler.url)]);
    let ended = Program::try_start(&environment, site.directory.path(), "one").await.expect_err("refused");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("DATABASE_URL") && ended.stderr.contains("session mode"), "{}", ended.stderr);
    assert_eq!(site.ask("select count(*) from pg_tables where schemaname = 'public'").await, "0");
}
