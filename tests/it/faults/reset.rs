//! Browsers that leave at the worst moment.

use std::time::Duration;

use super::{Installation, reset_at};
use crate::harness::BEA;

#[tokio::test(flavor = "multi_thread")]
async fn s12_a_browser_that_resets_during_the_exchange_finds_its_tokens_kept() {
    let site = Installation::prepare().await;
    let replica = site.replica("one").await;
    let (visitor, callback) = site.consented(&[&replica], BEA).await;
    site.delay_exchange(1500).await;
    reset_at(&visitor, &replica, &callback, site.until_called("/oauth/v2/token", 1)).await;
    // The same address again, while the exchange is still under way.
    let again = visitor.get(&callback).await;
    again.assert_status(303);
    assert_eq!(again.location(), "/connections");
    assert!(visitor.is_signed_in().await);
    assert_eq!(site.connections().await, "active");
    assert_eq!(site.exchanges().await, 1, "a code is presented once");
    assert_eq!(site.live_refresh_tokens().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_nobody_needs_to_come_back_for_the_tokens_to_be_kept() {
    let site = Installation::prepare().await;
    let replica = site.replica("one").await;
    let (visitor, callback) = site.consented(&[&replica], BEA).await;
    site.delay_exchange(500).await;
    reset_at(&visitor, &replica, &callback, site.until_called("/oauth/v2/token", 1)).await;
    site.until_connections("active", Duration::from_secs(10)).await;
    let line = r#""method":"GET","route":"/oauth/callback","status":499"#;
    assert!(replica.log().contains(line), "the request has its line too");
}
