//! Whether a database can carry this program at all (security.md S-73, R-29).

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Row as _,
    postgres::{PgConnectOptions, PgConnection},
};

use super::tx::CONNECTIONS;
use crate::app::StartError;

const OLDEST_VERSION: i32 = 150_000;

/// Refuses what would be unsafe or would fail later, saying what to change.
pub(crate) async fn check(options: &PgConnectOptions) -> Result<(), StartError> {
    let problems = problems(options).await.map_err(StartError::DatabaseUnreachable)?;
    if problems.is_empty() { Ok(()) } else { Err(StartError::DatabaseUnfit(problems.join("; "))) }
}

async fn problems(options: &PgConnectOptions) -> Result<Vec<String>, sqlx::Error> {
    let mut connection = options.connect().await?;
    // First, and alone: behind such a pooler the other questions may be answered by errors.
    if is_pooled_by_transaction(&mut connection, &mut options.connect().await?).await? {
        return Ok(vec![
            "a pooler in transaction mode stands in front of Postgres: switch it to session mode or connect directly"
                .to_owned(),
        ]);
    }
    let row = sqlx::query!(
        r#"select current_setting('server_version_num')::int as "version!", current_setting('max_connections')::int as "max_connections!",
                  r.rolsuper as "is_superuser!", r.rolbypassrls as "bypasses!", r.rolconnlimit as "role_limit!"
           from pg_roles r where r.rolname = current_user"#
    )
    .fetch_one(&mut connection)
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

/// In session mode a connection keeps its backend, and finds there what it has set. In transaction
/// mode another connection's transaction takes the backend that it left idle, and the next
/// statement runs elsewhere.
///
/// Nothing is prepared: two connections that share a backend would stumble over each other's names.
async fn is_pooled_by_transaction(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let marker = uuid::Uuid::now_v7().to_string();
    sqlx::raw_sql(AssertSqlSafe(format!("select set_config('lwz.probe', '{marker}', false)")))
        .execute(&mut *one)
        .await?;
    for _ in 0..3 {
        sqlx::raw_sql("begin").execute(&mut *other).await?;
        let seen: Option<String> =
            sqlx::raw_sql("select current_setting('lwz.probe', true)").fetch_one(&mut *one).await?.try_get(0)?;
        sqlx::raw_sql("rollback").execute(&mut *other).await?;
        if seen.as_deref() != Some(&marker) {
            return Ok(true);
        }
    }
    Ok(false)
}
