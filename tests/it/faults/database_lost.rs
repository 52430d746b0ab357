//! The database goes away and comes back.

use std::time::Duration;

use super::{Installation, browser, land};
use crate::harness::{BEA, SAM, process::until};

#[tokio::test(flavor = "multi_thread")]
async fn r1_nothing_is_spent_while_the_database_is_down() {
    let mut site = Installation::prepare().await;
    let replica = site.replica("one").await;
    // So that pooled connections exist which the crash breaks.
    assert_eq!(browser(&[&replica]).sign_in_as(SAM).await.location(), "/connections");
    let (visitor, callback) = site.consented(&[&replica], BEA).await;
    site.postgres.kill();

    let refused = until("nobody is sent to consent", Duration::from_secs(2), async || {
        let page = browser(&[&replica]).get("/login").await;
        (page.status == 503).then_some(page)
    });
    assert_ne!(refused.await.header("retry-after"), "");
    for _ in 0..2 {
        let refused = visitor.get(&callback).await;
        refused.assert_status(503);
        assert_ne!(refused.header("retry-after"), "");
    }
    assert_eq!(site.exchanges().await, 1, "of the first person alone");

    site.postgres.restart();
    site.until_ready(&replica, true).await;
    let landed = visitor.get(&callback).await;
    landed.assert_status(303);
    assert_eq!(landed.location(), "/connections");
    assert_eq!(site.connections().await, "active active");
}

/// The database dies while the exchange is under way and stays away for `away`.
async fn dies_during_the_exchange(away: Duration) {
    let mut site = Installation::prepare().await;
    let replica = site.replica("one").await;
    let (visitor, callback) = site.consented(&[&replica], BEA).await;
    site.delay_exchange(1500).await;
    let crash = async {
        site.until_called("/oauth/v2/token", 1).await;
        site.postgres.kill();
        tokio::time::sleep(away).await;
        site.postgres.restart();
    };
    let (landed, ()) = tokio::join!(land(&visitor, &callback, away + Duration::from_secs(60)), crash);
    assert_eq!(landed, "/connections");
    assert!(visitor.is_signed_in().await);
    assert_eq!(site.connections().await, "active");
    assert_eq!(site.exchanges().await, 1, "a code is presented once");
    assert_eq!(site.live_refresh_tokens().await, 1, "nothing is lost");
    assert_eq!(site.ask("select count(*) from token_escrow").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_tokens_outlive_a_database_that_is_away_for_5_seconds() {
    dies_during_the_exchange(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_tokens_outlive_a_database_that_is_away_for_45_seconds() {
    dies_during_the_exchange(Duration::from_secs(45)).await;
}
