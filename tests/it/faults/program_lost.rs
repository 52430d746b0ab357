//! A replica is killed, or asked to stop, while an attempt is under way.

use std::time::Duration;

use serde_json::json;

use super::{Installation, browser, land, reset_at};
use crate::harness::BEA;

#[tokio::test(flavor = "multi_thread")]
async fn r4_killed_before_the_escrow_the_browser_is_told_and_nothing_is_called_connected() {
    let site = Installation::prepare().await;
    let (one, other) = (site.replica("one").await, site.replica("other").await);
    let (visitor, callback) = site.consented(&[&one, &other], BEA).await;
    site.delay_exchange(5000).await;
    let killed = async {
        site.until_called("/oauth/v2/token", 1).await;
        one.signal("KILL");
    };
    reset_at(&visitor, &one, &callback, killed).await;
    let visitor = visitor.via(1);
    let waiting = visitor.get(&callback).await;
    assert!(waiting.location().starts_with("/login/finishing/"), "{}", waiting.location());
    assert_eq!(site.ask("select stage from login_attempt").await, "exchanging");
    // Two minutes later.
    site.execute("update login_attempt set taken_at = taken_at - interval '2 minutes'").await;
    let landed = land(&visitor, waiting.location(), Duration::from_secs(10)).await;
    assert_eq!(landed, "/problems/sign-in-lost");
    visitor.get(&landed).await.assert_status(200);
    assert_eq!(site.ask("select stage from login_attempt").await, "unknown");
    assert_eq!(site.connections().await, "");
    assert!(!visitor.is_signed_in().await);
    let metrics = site.metrics(&other).await;
    assert!(metrics.contains(r#"attempts_total{outcome="sign-in-lost"} 1"#), "{metrics}");
    assert_eq!(site.exchanges().await, 1, "a code is presented once");
}

#[tokio::test(flavor = "multi_thread")]
async fn r4_killed_after_the_escrow_another_replica_settles_unasked() {
    let site = Installation::prepare().await;
    let (one, other) = (site.replica("one").await, site.replica("other").await);
    let (visitor, callback) = site.consented(&[&one, &other], BEA).await;
    site.zoho.fault(json!({"path": "/oauth/user/info", "count": 1, "act": {"delay_ms": 8000}})).await;
    let killed = async {
        site.until_called("/oauth/user/info", 1).await;
        one.signal("KILL");
    };
    reset_at(&visitor, &one, &callback, killed).await;
    assert_eq!(site.ask("select stage from login_attempt").await, "kept");
    assert_eq!(site.ask("select count(*) from token_escrow").await, "1");
    site.until_connections("active", Duration::from_secs(30)).await;
    let visitor = visitor.via(1);
    let landed = visitor.get(&callback).await;
    landed.assert_status(303);
    assert_eq!(landed.location(), "/connections");
    assert!(visitor.is_signed_in().await);
    assert_eq!(site.exchanges().await, 1, "a code is presented once");
    assert_eq!(site.ask("select count(*) from token_escrow").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn r24_a_replica_that_is_asked_to_stop_finishes_what_is_under_way() {
    let site = Installation::prepare().await;
    let mut replica = site.replica("one").await;
    let (visitor, callback) = site.consented(&[&replica], BEA).await;
    // Longer than the time in which it still takes requests.
    site.delay_exchange(7000).await;
    let (waiting, ()) = tokio::join!(visitor.get(&callback), async {
        site.until_called("/oauth/v2/token", 1).await;
        replica.signal("TERM");
    });
    assert!(waiting.location().starts_with("/login/finishing/"), "{}", waiting.location());
    assert_eq!(replica.wait(Duration::from_secs(40)).await.code(), Some(0));
    assert_eq!(site.connections().await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn r24_a_replica_that_is_asked_to_stop_says_so_first_and_serves_on() {
    let site = Installation::prepare().await;
    let mut replica = site.replica("one").await;
    replica.signal("TERM");
    site.until_ready(&replica, false).await;
    assert_eq!(browser(&[&replica]).sign_in_as(BEA).await.location(), "/connections");
    assert_eq!(replica.wait(Duration::from_secs(40)).await.code(), Some(0));
}
