//! The connection to the database breaks after a commit, before its acknowledgement (security.md R-3).

use std::time::Duration;

use super::{Installation, land};
use crate::harness::{
    BEA,
    fault_proxy::{Fault, FaultProxy},
};

async fn in_doubt(statement: &'static str) {
    let site = Installation::prepare().await;
    let proxy = FaultProxy::before(site.postgres.port()).await;
    let url = site.postgres.url().replace(&format!(":{}/", site.postgres.port()), &format!(":{}/", proxy.port));
    let replica = site.replica_with("one", &[("DATABASE_URL", &url)]).await;
    let (visitor, callback) = site.consented(&[&replica], BEA).await;
    proxy.set(Fault::CutAfterCommitOf(statement));
    let landed = land(&visitor, &callback, Duration::from_secs(40)).await;
    assert_eq!(proxy.cuts(), 1, "the fault struck");
    assert_eq!(landed, "/connections");
    assert!(visitor.is_signed_in().await);
    site.until_connections("active", Duration::from_secs(5)).await;
    assert_eq!(site.ask("select stage from login_attempt").await, "settled");
    assert_eq!(site.ask("select count(*) from token_escrow").await, "0");
    assert_eq!(site.ask("select count(*) from browser_session").await, "1");
    assert_eq!(site.ask("select count(*) from revocation").await, "0");
    let twice = "select action || ' ' || count(*) from audit_event group by action, connection_id having count(*) > 1";
    assert_eq!(site.ask(twice).await, "", "one audit event each");
    assert_ne!(site.ask("select action from audit_event").await, "");
    assert_eq!(site.exchanges().await, 1, "a code is presented once");
    assert_eq!(site.live_refresh_tokens().await, 1, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_whether_an_attempt_was_taken_is_in_doubt() {
    in_doubt("insert into login_attempt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_whether_a_grant_was_kept_is_in_doubt() {
    in_doubt("insert into token_escrow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_whether_an_attempt_was_settled_is_in_doubt() {
    in_doubt("delete from token_escrow").await;
}
