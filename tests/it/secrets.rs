//! No secret in any place where somebody could read it: the database, its log, ours, metrics, pages (security.md S-30,
//! S-67, S-68).
//!
//! One run does everything that can go well or wrong in the sign-in, with every statement and parameter logged; then
//! every code, token and secret that the emulator ever issued, and every state, cookie, form token and key of ours, is
//! searched for.

mod run;

use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::{
    faults::Installation,
    harness::{
        database,
        logs::{events, hexadecimal},
    },
};
use run::Run;

fn dump(url: &str) -> String {
    let dumped = Command::new("pg_dump").arg(url).output().expect("pg_dump is installed with Postgres");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    String::from_utf8(dumped.stdout).expect("a dump is text")
}

#[tokio::test(flavor = "multi_thread")]
async fn s30_s67_s68_no_secret_stands_anywhere() {
    let mut site = Installation::prepare().await;
    for setting in [
        "log_statement = 'all'",
        "log_parameter_max_length = -1",
        "log_parameter_max_length_on_error = -1",
        "log_error_verbosity = 'verbose'",
        "log_connections = on",
    ] {
        site.execute(&format!("alter system set {setting}")).await;
    }
    site.execute("select pg_reload_conf()").await;
    let replica = site.replica_with("one", &[("FAILED_EXCHANGES_PER_MINUTE", "0")]).await;

    let mut run = Run::new(&site);
    run.what_goes_well(&replica).await;
    run.what_goes_wrong_at_zoho(&site, &replica).await;
    run.what_strangers_send(&replica).await;
    run.what_back_ends_do(&site, &replica).await;
    run.what_a_lost_database_brings(&mut site, &replica).await;
    let metrics = site.metrics(&replica).await;

    run.note_the_ledger(&site).await;
    let secrets = &run.secrets;
    assert!(secrets.len() > 100, "the run made {} secrets", secrets.len());
    let (dumped, statements) = (dump(&site.postgres.admin_url_of_site()), site.postgres.log());
    let written = replica.written();
    // The search can find: what may stand there does.
    let digest = hexadecimal(&Sha256::digest(run.a_settled_state.as_bytes()));
    assert!(dumped.contains(&digest), "the digest of a state is in the dump");
    assert!(statements.contains(&digest), "and, as a parameter, in Postgres's log");
    for (place, text) in [
        ("the dump", &dumped),
        ("Postgres's log", &statements),
        ("our output", &written),
        ("the metrics", &metrics),
        ("the pages", &run.bodies),
    ] {
        // Form tokens are for pages.
        let mut found = secrets.found_in(text);
        found.retain(|what| place != "the pages" || *what != "form token");
        assert_eq!(found, Vec::<&str>::new(), "in {place}");
    }

    let events = events(&replica.log());
    let lines: Vec<_> = events.iter().filter(|event| event["message"] == "request").collect();
    assert!(lines.len() >= run.requests, "{} lines for {} requests", lines.len(), run.requests);
    for line in lines {
        let route = line["route"].as_str().expect("a route");
        assert!(!route.contains('?') && (route.starts_with('/') || route == "(none)"), "{line}");
        let mut members: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        members.sort_unstable();
        let known = [
            "caller",
            "duration_ms",
            "level",
            "message",
            "method",
            "request_id",
            "route",
            "status",
            "target",
            "timestamp",
        ];
        assert_eq!(members, known, "{line}");
    }
}

#[tokio::test]
async fn s30_the_search_that_ends_every_test_finds_text_and_bytes() {
    let database = database().await;
    assert_eq!(database.rows_with_secrets().await, Vec::<String>::new());
    let token = format!("1000.{}.{}", "0123456789abcdef".repeat(2), "fedcba9876543210".repeat(2));
    for column in ["text", "bytea", "jsonb"] {
        database.execute(&format!("create table planted (secret {column})")).await;
        let value = if column == "jsonb" { format!("{{\"a\": \"{token}\"}}") } else { token.clone() };
        database.execute(&format!("insert into planted values ('{value}')")).await;
        assert_eq!(database.rows_with_secrets().await, ["planted: 1"], "{column}");
        database.execute("drop table planted").await;
    }
}
