//! Nobody can change or delete an audit event (security.md S-70).

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::harness::{App, SAM};

#[tokio::test(flavor = "multi_thread")]
async fn s70_audit_events_can_be_neither_changed_nor_deleted_by_anybody() {
    let app = App::start().await;
    app.visitor().sign_in_as(SAM).await.assert_status(303);
    let tables = "select relname from pg_class where relname like 'audit\\_event%' and relkind in ('r', 'p')";
    let tables = app.database.column(tables).await;
    assert!(tables.len() >= 3, "the table, its default and a month: {tables:?}");
    let before = app.database.count("audit_event").await;
    assert!(before > 0);

    let mut site = PgConnection::connect(secrecy::ExposeSecret::expose_secret(&app.database.url())).await.unwrap();
    sqlx::query("select set_config('app.actor', 'engine', false)").execute(&mut site).await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from audit_event").fetch_one(&mut site).await.unwrap();
    assert_eq!(seen, before, "the owner sees them all");
    let mut superuser = app.database.admin().await;
    for connection in [&mut site, &mut superuser] {
        for table in &tables {
            for statement in [
                format!("update {table} set outcome = 'better'"),
                format!("delete from {table}"),
                format!("truncate {table}"),
                format!("truncate {table} cascade"),
            ] {
                let done = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut *connection).await;
                // What sees no row of a partition changes none.
                assert!(
                    done.is_err() || done.is_ok_and(|done| done.rows_affected() == 0 && !statement.starts_with('t')),
                    "{statement}"
                );
            }
        }
    }
    assert_eq!(app.database.count("audit_event").await, before);
    assert_eq!(app.database.text("select count(*) from audit_event where outcome = 'better'").await, "0");
}
