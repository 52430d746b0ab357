//! Whether Postgres is one this program can run on (security.md S-73, R-17, R-29).

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    Connection as _, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgSslMode},
};

use super::{Finding, Verdict};
use crate::{clock::Clock, config::Config, store::fitness};

const AREA: &str = "database";
const PATIENCE: Duration = Duration::from_secs(5);
const OLDEST_VERSION: i32 = 150_000;
/// What one replica opens.
const CONNECTIONS_PER_REPLICA: i32 = crate::store::tx::CONNECTIONS;
/// A machine further off is warned of (security.md R-17).
const TOLERABLE_SKEW: Duration = Duration::from_secs(5);

pub(super) async fn examine(config: &Config, clock: &Clock) -> Vec<Finding> {
    let Some(url) = &config.database_url else {
        let found =
            format!("DATABASE_URL is not set: `serve` keeps a private Postgres in {}", config.data_dir.display());
        return vec![Finding::note(AREA, found, "set DATABASE_URL to run more than one replica")];
    };
    let examined = tokio::time::timeout(PATIENCE * 4, examine_server(url, clock)).await;
    match examined {
        Ok(Ok(findings)) => findings,
        Ok(Err(error)) => vec![unusable(&error)],
        Err(_) => vec![Finding::wrong(
            AREA,
            "does not answer in time",
            "see whether it is overloaded, or a pooler in between has no backend left",
        )],
    }
}

/// Never the URL, and no text of ours that Postgres repeats.
fn unusable(error: &sqlx::Error) -> Finding {
    match error {
        sqlx::Error::Database(refused) => {
            let cure = match refused.code().as_deref() {
                Some("28P01" | "28000") => {
                    "correct role and password in DATABASE_URL, or allow the role in pg_hba.conf"
                }
                Some("3D000") => "create the database, owned by the role in DATABASE_URL, or correct its name there",
                Some("53300") => "raise max_connections, or the limit of the role",
                _ => "see Postgres's log",
            };
            Finding::wrong(AREA, format!("Postgres refuses: {}", refused.message()), cure)
        }
        sqlx::Error::Io(reason) => {
            let cure = "start it, correct host and port in DATABASE_URL, or open the way there";
            Finding::wrong(AREA, format!("cannot be reached ({reason})"), cure)
        }
        sqlx::Error::Tls(reason) => {
            let cure =
                "give Postgres a certificate this machine trusts, or set sslmode and sslrootcert in DATABASE_URL";
            Finding::wrong(AREA, format!("no TLS connection ({reason})"), cure)
        }
        sqlx::Error::Configuration(_) => Finding::wrong(
            AREA,
            "DATABASE_URL cannot be read",
            "write it as postgres://role:password@host:5432/database",
        ),
        _ => Finding::wrong(AREA, "the connection broke", "see Postgres's log, and that of the pooler in between"),
    }
}

async fn examine_server(url: &SecretString, clock: &Clock) -> Result<Vec<Finding>, sqlx::Error> {
    // pgbouncer refuses the one start-up parameter that sqlx would add.
    let options = url.expose_secret().parse::<PgConnectOptions>()?.extra_float_digits(None);
    let connect = || async {
        let connecting = tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options));
        let late = |_| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 5 s"));
        connecting.await.map_err(late)?
    };
    let (mut connection, mut second) = (connect().await?, connect().await?);
    let pooled = pooling(&mut connection, &mut second).await?;
    second.close().await?;
    let mut findings: Vec<_> = [pooled].into_iter().chain(transport(&options)).collect();
    if findings[0].verdict == Verdict::Wrong {
        // Prepared statements would now fail in odd ways.
        return Ok(findings);
    }
    findings.push(version(&mut connection).await?);
    findings.push(role(&mut connection).await?);
    findings.push(capacity(&mut connection).await?);
    findings.push(skew(&mut connection, clock).await?);
    connection.close().await?;
    Ok(findings)
}

async fn version(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let row = sqlx::query("select current_setting('server_version_num')::int, current_setting('server_version')");
    let row = row.persistent(false).fetch_one(connection).await?;
    let (number, name): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    Ok(if number >= OLDEST_VERSION {
        Finding::well(AREA, format!("Postgres {name}"))
    } else {
        Finding::wrong(AREA, format!("Postgres {name}"), "upgrade it to 15 or newer")
    })
}

fn transport(options: &PgConnectOptions) -> Option<Finding> {
    let host = options.get_host().trim_matches(['[', ']']);
    let is_here = host == "localhost"
        || host.starts_with('/')
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let may_be_plain = matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    (!is_here && may_be_plain).then(|| {
        let cure = "append ?sslmode=verify-full (or require) to DATABASE_URL unless the network is yours alone";
        Finding::note(AREA, "the connection may go unencrypted", cure)
    })
}

async fn role(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let row = sqlx::query("select rolname::text, rolsuper, rolbypassrls from pg_roles where rolname = current_user");
    let row = row.persistent(false).fetch_one(connection).await?;
    let (name, is_superuser, bypasses): (String, bool, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(if is_superuser || bypasses {
        let what = if is_superuser { "a superuser" } else { "exempt from row security (BYPASSRLS)" };
        let cure = "make a role without either, let it own the database and name it in DATABASE_URL: row security protects tenants from each other";
        Finding::wrong(AREA, format!("the role `{name}` is {what}"), cure)
    } else {
        Finding::well(AREA, format!("the role `{name}` is subject to row security"))
    })
}

async fn capacity(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let row = sqlx::query(
        "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                - coalesce(current_setting('reserved_connections', true)::int, 0),
                (select rolconnlimit from pg_roles where rolname = current_user),
                (select datconnlimit from pg_database where datname = current_database())",
    );
    let row = row.persistent(false).fetch_one(connection).await?;
    let (server, role, database): (i32, i32, i32) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    // Minus one is no limit.
    let granted = [server, role, database].into_iter().filter(|limit| *limit >= 0).min().unwrap_or(server);
    Ok(if granted >= CONNECTIONS_PER_REPLICA {
        let replicas = granted / CONNECTIONS_PER_REPLICA;
        Finding::well(AREA, format!("grants {granted} connections, enough for {replicas} replicas of this program"))
    } else {
        let cure = format!(
            "raise max_connections, or the limit of the role or database, to {CONNECTIONS_PER_REPLICA} or more"
        );
        Finding::wrong(
            AREA,
            format!("grants {granted} connections, and one replica needs {CONNECTIONS_PER_REPLICA}"),
            cure,
        )
    })
}

async fn skew(connection: &mut PgConnection, clock: &Clock) -> Result<Finding, sqlx::Error> {
    let start = Instant::now();
    let row = sqlx::query("select clock_timestamp()").persistent(false).fetch_one(connection).await?;
    clock.observe(row.try_get::<DateTime<Utc>, _>(0)?, start, Instant::now());
    let skew = clock.skew();
    let found = format!("this machine and Postgres are {:.1} s apart", skew.as_secs_f64());
    Ok(if skew <= TOLERABLE_SKEW {
        Finding::well("clock", found)
    } else {
        Finding::wrong(
            "clock",
            found,
            "set both clocks by NTP (for example with chrony); beyond 60 s a replica reports itself not ready",
        )
    })
}

async fn pooling(first: &mut PgConnection, second: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    Ok(if fitness::keep_their_backends(first, second).await? {
        Finding::well(AREA, "connections keep their backend")
    } else {
        let cure = "set the pooler to session mode (pgbouncer: pool_mode = session), or connect directly";
        Finding::wrong(AREA, "a pooler in between gives a connection any backend", cure)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s73_a_refused_connection_is_told_without_its_url() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let url = SecretString::from("postgres://lwz:hunter2@127.0.0.1:1/lwz");
        let error = runtime.block_on(examine_server(&url, &Clock::system())).expect_err("nothing listens on port 1");
        let finding = unusable(&error);
        assert!(finding.found.starts_with("cannot be reached"), "{finding}");
        assert!(!finding.to_string().contains("hunter2"));
    }

    /// A connection to the server of the tests, as its superuser.
    async fn superuser() -> (SecretString, PgConnection) {
        let url = std::env::var("TEST_DATABASE_URL").expect("scripts/test, or scripts/db, sets TEST_DATABASE_URL");
        let connection = PgConnection::connect(&url).await.expect("the server of the tests");
        (SecretString::from(url), connection)
    }

    async fn run(connection: &mut PgConnection, statement: String) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(connection).await.expect("a statement that works");
    }

    async fn wrong(url: &SecretString) -> Vec<String> {
        let findings = examine_server(url, &Clock::system()).await.expect("a server that can be examined");
        let is_wrong = |finding: &Finding| finding.verdict == Verdict::Wrong;
        findings.into_iter().filter(is_wrong).map(|finding| finding.found).collect()
    }

    #[tokio::test]
    async fn s73_only_a_plain_role_with_enough_connections_will_do() {
        let (url, mut superuser) = superuser().await;
        let superusers = wrong(&url).await;
        assert!(superusers.len() == 1 && superusers[0].ends_with("is a superuser"), "{superusers:?}");

        let role = format!("doctor_{}", std::process::id());
        run(&mut superuser, format!("create role {role} login password 'hunter2'")).await;
        let mut plain = url::Url::parse(url.expose_secret()).expect("a URL");
        plain.set_username(&role).expect("a URL with a host");
        plain.set_password(Some("hunter2")).expect("a URL with a host");
        let plain = SecretString::from(plain.to_string());
        let accepted = wrong(&plain).await;
        run(&mut superuser, format!("alter role {role} bypassrls connection limit 10")).await;
        let refused = wrong(&plain).await;
        run(&mut superuser, format!("drop role {role}")).await;

        assert_eq!(accepted, Vec::<String>::new());
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused[0].contains("BYPASSRLS"), "{refused:?}");
        assert!(refused[1].starts_with("grants 10 connections, and one replica needs"), "{refused:?}");
        let gone = unusable(&examine_server(&plain, &Clock::system()).await.expect_err("no such role"));
        assert!(gone.found.starts_with("Postgres refuses: "), "{gone}");
        assert!(!gone.to_string().contains("hunter2"));
    }

    #[test]
    fn a_password_over_an_open_network_is_noted() {
        let noted = |url: &str| transport(&url.parse().expect("options")).is_some();
        assert!(noted("postgres://u@db.example/d"));
        assert!(noted("postgres://u@db.example/d?sslmode=disable"));
        assert!(!noted("postgres://u@db.example/d?sslmode=require"));
        assert!(!noted("postgres://u@localhost/d"));
        assert!(!noted("postgres://u@[::1]/d"));
        assert!(!noted("postgres://u@127.0.0.1/d"));
    }
}
