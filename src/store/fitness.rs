//! Whether a database can carry this program at all (security.md S-73, R-29).

use std::collections::BTreeSet;

use sqlx::{
    ConnectOptions as _, Row as _,
    postgres::{PgConnectOptions, PgConnection},
};

use super::tx::CONNECTIONS;

const OLDEST_VERSION: i32 = 150_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the database cannot be reached")]
    Unreachable(#[from] sqlx::Error),
    #[error("{}", .0.join("; "))]
    Problems(Vec<String>),
}

/// Refuses what would be unsafe or would fail later, saying what to change.
pub(crate) async fn check(options: &PgConnectOptions) -> Result<(), Unfit> {
    let (mut connection, mut second) = (options.connect().await?, options.connect().await?);
    // First: with a pooler in between, prepared statements fail in odd ways.
    if !keep_their_backends(&mut connection, &mut second).await? {
        let problem =
            "a pooler in transaction mode stands in front of Postgres: switch it to session mode, or connect directly";
        return Err(Unfit::Problems(vec![problem.to_owned()]));
    }
    let problems = problems(&mut connection).await?;
    if problems.is_empty() { Ok(()) } else { Err(Unfit::Problems(problems)) }
}

async fn problems(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select current_setting('server_version_num')::int as "version!", current_setting('max_connections')::int as "max_connections!",
                  r.rolsuper as "is_superuser!", r.rolbypassrls as "bypasses!", r.rolconnlimit as "role_limit!"
           from pg_roles r where r.rolname = current_user"#
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut problems = Vec::new();
    if row.version < OLDEST_VERSION {
        problems.push("Postgres is older than version 15: upgrade it".to_owned());
    }
    if row.is_superuser || row.bypasses {
        problems.push(
            "the role is a superuser or has BYPASSRLS, which switches row-level security off: use a role of its own, \
             made with `create role login_with_zoho login`"
                .to_owned(),
        );
    }
    let limit = if row.role_limit < 0 { row.max_connections } else { row.role_limit.min(row.max_connections) };
    if limit < CONNECTIONS {
        problems.push(format!(
            "this program needs {CONNECTIONS} connections and Postgres grants {limit}: raise max_connections or the role's limit"
        ));
    }
    Ok(problems)
}

/// How often two connections ask who serves them.
const ROUNDS: usize = 4;

/// In session mode, and without a pooler, two open connections have a backend each and keep it.
/// In transaction mode a statement gets whichever is free: both get the same one, or one gets
/// several, and with prepared statements another's answers (security.md D-8). The simple protocol
/// is used, which works in either.
pub(crate) async fn keep_their_backends(
    first: &mut PgConnection,
    second: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    let (mut of_first, mut of_second) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ROUNDS {
        of_first.insert(backend(first).await?);
        of_first.insert(backend(first).await?);
        of_second.insert(backend(second).await?);
    }
    Ok(of_first.len() == 1 && of_second.len() == 1 && of_first.is_disjoint(&of_second))
}

async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::raw_sql("select pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}
