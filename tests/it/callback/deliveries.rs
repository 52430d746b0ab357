//! One callback, delivered more than once.

use std::{collections::BTreeSet, time::Duration};

use super::*;
use crate::harness::raw;

#[tokio::test]
async fn s6_twenty_deliveries_over_three_replicas_are_one_exchange_and_twenty_landings() {
    let app = App::builder().replicas(3).start().await;
    let sam = app.visitor();
    let url = callback(&sam, SAM).await;
    app.zoho.fault(serde_json::json!({"path": "/oauth/v2/token", "act": {"delay_ms": 400}})).await;
    let deliveries = (0..20).map(|index| {
        let (browser, url) = (sam.copy().via(index), url.clone());
        async move { (browser.finish(browser.come_back(&url).await).await, browser) }
    });
    let delivered = futures_util::future::join_all(deliveries).await;
    let mut sessions = BTreeSet::new();
    for (page, browser) in &delivered {
        assert_eq!(page.location(), "/connections");
        sessions.insert(browser.session().expect("every answer signs in"));
    }
    assert_eq!(sessions.len(), 1, "the same session in every answer");
    assert_eq!(exchanges(&app).await, 1);
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await.len(), 1, "no re-use revoked it");
    assert_eq!(app.database.count("connection").await, 1);
    assert_eq!(app.database.count("browser_session").await, 1);
    for (index, (_, browser)) in delivered.iter().enumerate() {
        assert!(browser.via(index + 1).is_signed_in().await);
    }
}

#[tokio::test]
async fn s6_when_zoho_is_slow_the_finishing_page_gets_there() {
    let app = App::start().await;
    let sam = app.visitor();
    let url = callback(&sam, SAM).await;
    app.zoho.fault(serde_json::json!({"path": "/oauth/v2/token", "act": {"delay_ms": 6500}})).await;
    let page = sam.come_back(&url).await;
    let finishing = page.location();
    assert!(finishing.starts_with("/login/finishing/"), "{finishing}");
    assert!(!finishing.contains("code") && !finishing.contains(&parameter(&url, "state").unwrap()));
    let waiting = sam.get(finishing).await;
    waiting.assert_status(200);
    assert!(app.visitor().get(finishing).await.status == 400, "only the browser that began may ask");
    let landed =
        wait_for("the landing", || async { Some(sam.get(finishing).await).filter(|page| page.status == 303) }).await;
    assert_eq!(landed.location(), "/connections");
    assert!(sam.is_signed_in().await);
    assert_eq!(exchanges(&app).await, 1);
}

#[tokio::test]
async fn s7_a_minute_after_landing_the_url_is_history() {
    let app = App::start().await;
    let sam = app.visitor();
    let url = callback(&sam, SAM).await;
    let before = sam.copy();
    sam.come_back(&url).await;
    app.advance(Duration::from_secs(60)).await;
    let again = before.copy().come_back(&url).await;
    assert_eq!(again.location(), "/connections");
    assert!(again.session_cookie().is_some(), "up to a minute a duplicate shows what the first one showed");
    app.advance(Duration::from_secs(1)).await;
    let theirs = sam.come_back(&url).await;
    assert_eq!(theirs.location(), "/connections");
    assert_eq!(theirs.session_cookie(), None);
    assert_refused(&before.come_back(&url).await);
    assert_eq!(exchanges(&app).await, 1);
}

#[tokio::test]
async fn s7_history_is_shown_to_that_person_only() {
    let app = App::start().await;
    let browser = app.visitor();
    let url = callback(&browser, SAM).await;
    let held = browser.cookie("lwz_attempt_").unwrap();
    browser.come_back(&url).await;
    app.advance(Duration::from_secs(61)).await;
    browser.drop_cookies("lwz_session");
    browser.sign_in_as(BEA).await;
    browser.put_cookie(&held.0, &held.1);
    assert_refused(&browser.come_back(&url).await);
}

#[tokio::test]
async fn s12_a_browser_that_resets_the_connection_loses_nothing() {
    let app = App::start().await;
    let sam = app.visitor();
    let url = callback(&sam, SAM).await;
    app.zoho.fault(serde_json::json!({"path": "/oauth/v2/token", "act": {"delay_ms": 500}})).await;
    let target = url.strip_prefix(app.public_url().origin()).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n", sam.host(), sam.cookie_header());
    let mut stream = tokio::net::TcpStream::connect(app.address(0)).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    wait_for("the exchange", || async { (exchanges(&app).await == 1).then_some(()) }).await;
    raw::reset(stream);
    wait_for("the connection", || async { (app.database.count("connection").await == 1).then_some(()) }).await;
    let landing = sam.come_back(&url).await;
    assert_eq!(landing.location(), "/connections");
    assert!(sam.is_signed_in().await);
    assert_eq!(exchanges(&app).await, 1);
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await.len(), 1);
}
