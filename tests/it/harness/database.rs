//! A database for each test.
//!
//! The template is named by a digest of the migrations, so that every process of a run (and of the next) finds the one
//! that fits, and made under an advisory lock. The role is no superuser, as in production.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use login_with_zoho::settings::Servers;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use uuid::Uuid;

use super::{app, wait_for};

const ROLE: &str = "login_with_zoho_in_tests";
/// Guards roles and templates of the whole server.
const LOCK: i64 = 0x6c77_7a5f_7465_7374;

#[derive(Debug)]
pub struct Database {
    name: String,
}

/// A database of this test's own, with the schema in it.
pub async fn database() -> Database {
    let template = template().await;
    let name = format!("t_{}", Uuid::now_v7().simple());
    let mut admin = admin("postgres").await;
    run(&mut admin, format!("create database {name} template {template} owner {ROLE}")).await;
    Database { name }
}

fn server() -> url::Url {
    let url = std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL is set: use scripts/test, or export what `scripts/db start` prints");
    url::Url::parse(&url).expect("TEST_DATABASE_URL is a URL")
}

fn url_of(name: &str) -> SecretString {
    let mut url = server();
    url.set_path(name);
    url.set_username(ROLE).expect("it has a host");
    url.set_password(Some(ROLE)).expect("it has a host");
    String::from(url).into()
}

async fn admin(database: &str) -> PgConnection {
    let mut url = server();
    url.set_path(database);
    PgConnection::connect(url.as_str()).await.expect("TEST_DATABASE_URL answers")
}

async fn run(connection: &mut PgConnection, statement: String) {
    connection.execute(AssertSqlSafe(statement.clone())).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn exists(connection: &mut PgConnection, question: &'static str, name: &str) -> bool {
    sqlx::query(question).bind(name).fetch_optional(connection).await.expect("the catalogue answers").is_some()
}

/// Partitions come and go with the months, and are counted by their parents.
const TABLES: &str = "select relname from pg_class where relnamespace = 'public'::regnamespace
                      and relkind in ('r', 'p') and not relispartition order by 1";
const IS_DATABASE: &str = "select from pg_database where datname = $1";
const IS_ROLE: &str = "select from pg_roles where rolname = $1";

fn template_name() -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).expect("the migrations are there").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.file_name().unwrap().as_encoded_bytes());
        digest.update(std::fs::read(&file).expect("a migration can be read"));
    }
    let digest = digest.finalize();
    digest.iter().take(8).fold("template_".to_owned(), |mut name, byte| {
        write!(name, "{byte:02x}").expect("text takes everything");
        name
    })
}

/// What Postgres keeps of the role's password (RFC 5803), with one iteration in place of 4096: a test signs in dozens of
/// times, in a build without optimization, and its password is nothing to protect.
fn verifier() -> String {
    let mac = |key: &[u8], data: &[u8]| {
        let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(data);
        mac.finalize().into_bytes()
    };
    let salt = b"sixteen bytes it";
    let salted = mac(ROLE.as_bytes(), &[&salt[..], &1_u32.to_be_bytes()].concat());
    let stored = Sha256::digest(mac(&salted, b"Client Key"));
    let server = mac(&salted, b"Server Key");
    format!("SCRAM-SHA-256$1:{}${}:{}", STANDARD.encode(salt), STANDARD.encode(stored), STANDARD.encode(server))
}

async fn template() -> String {
    let name = template_name();
    let mut admin = admin("postgres").await;
    if exists(&mut admin, IS_DATABASE, &name).await {
        return name;
    }
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut admin).await.expect("a lock");
    if !exists(&mut admin, IS_DATABASE, &name).await {
        if !exists(&mut admin, IS_ROLE, ROLE).await {
            run(&mut admin, format!("create role {ROLE} login")).await;
        }
        run(&mut admin, format!("alter role {ROLE} password '{}'", verifier())).await;
        let new = format!("{name}_new");
        run(&mut admin, format!("drop database if exists {new} with (force)")).await;
        run(&mut admin, format!("create database {new} owner {ROLE}")).await;
        let config = app::config("http://localhost:8080", url_of(&new), Servers::built_in(), &app::client());
        login_with_zoho::migrate(&config).await.expect("the migrations run");
        // The session that migrated may take a moment to be gone.
        let rename = format!("alter database {new} rename to {name}");
        for _ in 0..200 {
            if admin.execute(AssertSqlSafe(rename.clone())).await.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    admin.close().await.expect("it closes");
    name
}

impl Database {
    /// As the site's own role connects.
    pub fn url(&self) -> SecretString {
        url_of(&self.name)
    }

    /// As the site's own role, with these settings: to ask how it would find something.
    pub async fn site(&self, settings: &str) -> PgConnection {
        let mut site =
            PgConnection::connect(self.url().expose_secret()).await.expect("a connection as the site's role");
        site.execute(AssertSqlSafe(settings.to_owned())).await.expect("settings");
        site
    }

    /// As a superuser, whom no policy hides a row from.
    pub async fn admin(&self) -> PgConnection {
        admin(&self.name).await
    }

    /// The first column of every row, as text.
    pub async fn column(&self, question: &str) -> Vec<String> {
        let question = format!("select answer::text from ({question}) as asked (answer)");
        let rows = sqlx::query(AssertSqlSafe(question.clone())).fetch_all(&mut self.admin().await).await;
        let rows = rows.unwrap_or_else(|error| panic!("{question}: {error}"));
        rows.iter().map(|row| row.get::<Option<String>, _>(0).unwrap_or_else(|| "null".to_owned())).collect()
    }

    /// The one answer to a question.
    pub async fn text(&self, question: &str) -> String {
        let [answer] = <[String; 1]>::try_from(self.column(question).await)
            .unwrap_or_else(|answers| panic!("{question}: {answers:?}"));
        answer
    }

    pub async fn count(&self, table: &str) -> i64 {
        self.text(&format!("select count(*) from {table}")).await.parse().expect("a count")
    }

    /// Changes rows behind the program's back.
    pub async fn execute(&self, statement: &str) {
        run(&mut self.admin().await, statement.to_owned()).await;
    }

    /// Tables with rows that hold a secret of Zoho's in the clear. Every database is asked before it goes.
    pub async fn rows_with_secrets(&self) -> Vec<String> {
        rows_with_secrets(&mut self.admin().await).await
    }

    /// How many rows each table has.
    pub async fn row_counts(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for table in self.column(TABLES).await {
            let count = self.count(&table).await;
            counts.insert(table, count);
        }
        counts
    }

    /// Lets nobody in any more but us, as if the server were gone; `true` opens it again.
    pub async fn answers(&self, does: bool) {
        let mut admin = admin("postgres").await;
        run(&mut admin, format!("alter database {} with allow_connections {does}", self.name)).await;
        if !does {
            let ours = "select pid from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()";
            wait_for("the sessions end", || {
                let name = self.name.clone();
                async move {
                    let mut admin = super::database::admin("postgres").await;
                    let pids = sqlx::query_scalar::<_, i32>(ours).bind(name).fetch_all(&mut admin).await.unwrap();
                    for pid in &pids {
                        sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(&mut admin).await.unwrap();
                    }
                    pids.is_empty().then_some(())
                }
            })
            .await;
        }
    }
}

/// Rows in which a code or token of Zoho's stands, as text or as bytes (security.md S-30): they are `1000.`, 32
/// hexadecimal digits, a dot and 32 more.
async fn rows_with_secrets(connection: &mut PgConnection) -> Vec<String> {
    let tables =
        sqlx::query_scalar::<_, String>(TABLES).fetch_all(&mut *connection).await.expect("the catalogue answers");
    let mut found = Vec::new();
    for table in tables {
        let question = format!(
            "select count(*) from {table} t
             where t::text ~ '1000[.][0-9a-f]{{32}}[.][0-9a-f]{{32}}' or t::text ~ '313030302e([0-9a-f]{{2}}){{32}}2e'"
        );
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(question)).fetch_one(&mut *connection).await.expect("a count");
        if count > 0 {
            found.push(format!("{table}: {count}"));
        }
    }
    found
}

impl Drop for Database {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let name = self.name.clone();
        // Another thread, because this one drives the test's runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut server = admin("postgres").await;
                run(&mut server, format!("alter database {name} with allow_connections true")).await;
                let found = rows_with_secrets(&mut admin(&name).await).await;
                assert!(found.is_empty(), "rows that hold a secret of Zoho's in the clear: {found:?}");
                run(&mut server, format!("drop database if exists {name} with (force)")).await;
            });
        });
        dropped.join().expect("the database goes");
    }
}

/// What `explain …` says.
pub async fn plan(site: &mut PgConnection, explain: &str) -> String {
    let lines = sqlx::query_scalar::<_, String>(AssertSqlSafe(explain.to_owned())).fetch_all(site).await;
    lines.unwrap_or_else(|error| panic!("{explain}: {error}")).join("\n")
}
