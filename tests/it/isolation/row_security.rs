//! Row-level security binds the site's own role (security.md S-44). The tables come from the catalogue, so that one that
//! is made tomorrow is covered tomorrow.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::harness::{App, BEA, SAM};

/// Tables that hold nothing of anybody.
const OF_THE_INSTALLATION: [&str; 2] = ["installation", "_sqlx_migrations"];

const TABLES: &str =
    "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')";
const WITH_TENANT: &str =
    "select relname from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'tenant_id'
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')";
const POLICY: &str = "42501";

struct Two {
    app: App,
    site: PgConnection,
    one: String,
    other: String,
}

/// Two people with a tenant each, and a connection as the site's role.
async fn two_tenants() -> Two {
    let app = App::start().await;
    for person in [BEA, SAM] {
        let visitor = app.visitor();
        assert_eq!(visitor.sign_in_as(person).await.location(), "/connections");
        let page = format!("/connections/{}/disconnect", visitor.only_connection().await);
        visitor.submit(&page, &page, &[]).await.assert_status(303);
        visitor.sign_in_as(person).await.assert_status(303);
    }
    let tenants = app.database.column("select tenant_id from tenant order by created_at").await;
    let [one, other] = <[String; 2]>::try_from(tenants).unwrap();
    let site = PgConnection::connect(secrecy::ExposeSecret::expose_secret(&app.database.url())).await.unwrap();
    Two { app, site, one, other }
}

impl Two {
    async fn name_tenant(&mut self, tenant: &str) {
        sqlx::query("select set_config('app.tenant_id', $1, false)")
            .bind(tenant)
            .execute(&mut self.site)
            .await
            .unwrap();
    }

    async fn count(&mut self, question: String) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(question)).fetch_one(&mut self.site).await.unwrap()
    }

    /// The rows that a statement touches, or the SQLSTATE of its refusal.
    async fn touched(&mut self, statement: String) -> Result<u64, String> {
        match sqlx::query(AssertSqlSafe(statement)).execute(&mut self.site).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(sqlx::Error::Database(error)) => Err(error.code().unwrap_or_default().into_owned()),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s44_every_table_has_policies_that_bind_its_owner() {
    let app = App::start().await;
    let open = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                and not (relrowsecurity and relforcerowsecurity)";
    let mut open = app.database.column(open).await;
    open.sort();
    assert_eq!(open, ["_sqlx_migrations", "installation"]);
    let views = "select viewname from pg_views where schemaname = 'public'";
    assert_eq!(app.database.column(views).await, Vec::<String>::new(), "or make them security_invoker");
    let definers = "select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef";
    assert_eq!(app.database.column(definers).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn s44_who_names_no_tenant_sees_no_row() {
    let mut two = two_tenants().await;
    let mut filled = 0;
    for table in two.app.database.column(TABLES).await {
        if OF_THE_INSTALLATION.contains(&table.as_str()) {
            continue;
        }
        filled += usize::from(two.app.database.count(&table).await > 0);
        for tenant in ["", "00000000-0000-0000-0000-000000000000"] {
            two.name_tenant(tenant).await;
            assert_eq!(two.count(format!("select count(*) from {table}")).await, 0, "{table}");
        }
    }
    assert!(filled >= 9, "only {filled} tables have rows that could be seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn s44_who_names_a_tenant_cannot_touch_another() {
    let mut two = two_tenants().await;
    let (one, other) = (two.one.clone(), two.other.clone());
    two.name_tenant(&one).await;
    assert_eq!(two.count("select count(*) from connection".to_owned()).await, 1, "its own are there");
    for table in two.app.database.column(WITH_TENANT).await {
        let foreign = format!("{table} where tenant_id = '{other}'");
        assert_eq!(two.count(format!("select count(*) from {foreign}")).await, 0, "{table}");
        let rows = format!("update {table} set tenant_id = tenant_id where tenant_id = '{other}'");
        assert_eq!(two.touched(rows).await.unwrap_or(0), 0, "{table}");
        assert_eq!(two.touched(format!("delete from {foreign}")).await.unwrap_or(0), 0, "{table}");
        let inserted = two.touched(format!("insert into {table} (tenant_id) values ('{other}')")).await;
        // Not even the parent of partitions is asked where a partition denies everything.
        assert_eq!(inserted, Err(POLICY.to_owned()), "{table}");
        let own = two.count(format!("select count(*) from {table} where tenant_id = '{one}'")).await;
        let moved = two.touched(format!("update {table} set tenant_id = '{other}' where tenant_id = '{one}'")).await;
        assert!(moved.is_err() || own == 0, "{table}: {own} rows could be given away");
    }
    let before = two.app.database.text(&format!("select count(*) from connection where tenant_id = '{other}'")).await;
    assert_eq!(before, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn s44_a_setting_that_was_local_leaves_nothing_open() {
    let mut two = two_tenants().await;
    let one = two.one.clone();
    let mut transaction = two.site.begin().await.unwrap();
    sqlx::query("select set_config('app.tenant_id', $1, true)").bind(&one).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    // It reads back as the empty text, which is no uuid.
    assert_eq!(two.count("select count(*) from connection".to_owned()).await, 0);
}
