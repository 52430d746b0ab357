//! Re-sealing that is killed half-way, beside programs that write (security.md R-23, 4.5).

use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    harness::{Installation, key, key_text},
    sealed::{open, seal},
};

const TENANT: &str = "01930000-0000-7000-8000-000000000001";
const CONNECTIONS: usize = 5000;

fn place(connection: &Uuid) -> String {
    format!("lwz1|connection.refresh_token_sealed|{TENANT}|{connection}")
}

/// Connections whose refresh tokens `k1` seals, in the order in which they are walked.
async fn furnish(installation: &mut Installation) -> Vec<Uuid> {
    installation
        .execute(
            "insert into tenant (tenant_id, name, slug, created_at) values ('01930000-0000-7000-8000-000000000001', 'Acme', 'acme', '2026-01-01Z')",
        )
        .await;
    let mut connections: Vec<Uuid> = (0..CONNECTIONS).map(|_| Uuid::now_v7()).collect();
    connections.sort_unstable();
    let sealed: Vec<_> = connections.iter().map(|id| seal("k1", key(1), &place(id), "1000.first")).collect();
    sqlx::query(
        "insert into connection (tenant_id, connection_id, product, data_centre, status, scopes_requested, scopes_granted, client_id,
             refresh_token_sealed, token_version, health, connected_at, consented_at)
         select $1, id, id::text, 'eu', 'choosing', '{}', '{}', 'client', sealed, 1, 'ok', '2026-01-01Z', '2026-01-01Z'
         from unnest($2::uuid[], $3::bytea[]) c (id, sealed)",
    )
    .bind(TENANT.parse::<Uuid>().expect("an id"))
    .bind(&connections)
    .bind(&sealed)
    .execute(&mut installation.admin)
    .await
    .expect("connections");
    connections
}

async fn count_new(installation: &mut Installation) -> i64 {
    sqlx::query_scalar("select count(*) from connection where substring(refresh_token_sealed from 3 for 2) = 'k2'")
        .fetch_one(&mut installation.admin)
        .await
        .expect("a count")
}

fn start(installation: &Installation) -> Child {
    let mut rewrap = installation.command(&["keys", "rewrap"]);
    rewrap.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

/// Waits until more than so many are sealed anew.
async fn until_more_than(installation: &mut Installation, sealed: i64) {
    let started = Instant::now();
    while count_new(installation).await <= sealed {
        assert!(started.elapsed() < Duration::from_secs(30), "nothing is sealed anew");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn r23_a_run_that_is_killed_is_taken_up_and_what_others_write_is_kept() {
    let mut installation = Installation::new().await;
    let connections = furnish(&mut installation).await;
    installation.set("ENCRYPTION_KEYS", format!("{},{}", key_text("k2", key(50)), key_text("k1", key(1))));
    let mut before = 0;
    for _ in 0..2 {
        let mut run = start(&installation);
        until_more_than(&mut installation, before).await;
        run.kill().expect("it runs");
        run.wait().expect("it ends");
        before = count_new(&mut installation).await;
    }
    assert!(before < i64::try_from(CONNECTIONS).expect("small"), "killed too late to show anything");

    // A replica that still seals under the old key writes while the third run walks.
    let mut run = start(&installation);
    let mut written = Vec::new();
    while run.try_wait().expect("its state").is_none() {
        let connection = connections[(written.len() * 997) % CONNECTIONS];
        sqlx::query("update connection set refresh_token_sealed = $2 where connection_id = $1")
            .bind(connection)
            .bind(seal("k1", key(1), &place(&connection), "1000.second"))
            .execute(&mut installation.admin)
            .await
            .expect("an update");
        written.push(connection);
    }
    assert!(!written.is_empty());
    let last = installation.json(&["keys", "rewrap", "--json"]);
    assert_eq!((&last["unreadable"], &last["other_keys_in_use"]), (&0.into(), &serde_json::json!([])));
    let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as("select connection_id, refresh_token_sealed from connection")
        .fetch_all(&mut installation.admin)
        .await
        .expect("the rows");
    for (connection, sealed) in rows {
        let expected = if written.contains(&connection) { "1000.second" } else { "1000.first" };
        let opened = open(&[("k2", key(50))], &place(&connection), &sealed);
        assert_eq!(opened, ("k2".to_owned(), expected.to_owned()));
    }
}
