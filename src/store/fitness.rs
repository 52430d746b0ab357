//! Whether a database can carry this program at all (security.md S-73, R-29).

use sqlx::{
    ConnectOptions as _,
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
    let mut connection = options.connect().await?;
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
    if is_pooled_by_transaction(connection).await? {
        problems.push(
            "a pooler in transaction mode stands in front of Postgres: switch it to session mode or connect directly"
                .to_owned(),
        );
    }
    Ok(problems)
}

/// In session mode a setting of this connection is still there in its next statement, on the same
/// backend; in transaction mode either may change.
async fn is_pooled_by_transaction(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let marker = uuid::Uuid::now_v7().to_string();
    let mut backends = std::collections::BTreeSet::new();
    sqlx::query("select set_config('lwz.probe', $1, false)").bind(&marker).execute(&mut *connection).await?;
    for _ in 0..5 {
        let (backend, seen): (i32, Option<String>) =
            sqlx::query_as("select pg_backend_pid(), current_setting('lwz.probe', true)")
                .fetch_one(&mut *connection)
                .await?;
        backends.insert(backend);
        if seen.as_deref() != Some(&marker) {
            return Ok(true);
        }
    }
    Ok(backends.len() > 1)
}
