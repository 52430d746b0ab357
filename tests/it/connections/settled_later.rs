//! Zoho hands out tokens and then does not say whose they are.

use std::time::Duration;

use serde_json::json;

use super::*;

#[tokio::test]
async fn r27_an_escrow_is_settled_when_zoho_answers_again() {
    let (profile, discovery) = ("/oauth/user/info", "/api/v2/user");
    for (failing, status) in [(profile, 503), (discovery, 503), (profile, 429), (discovery, 429)] {
        let app = App::start().await;
        let sam = app.visitor();
        app.zoho.fault(json!({"path": failing, "act": {"status": status, "html": "down"}})).await;
        let consent = sam.begin("/login").await;
        let url = sam.go_to_zoho(&consent, SAM).await;
        let page = sam.come_back(&url).await;
        assert!(page.location().starts_with("/login/finishing/"), "{failing} {status}: {}", page.location());
        assert_eq!(app.database.count("connection").await, 0);
        assert_eq!(app.database.count("token_escrow").await, 1, "nothing is lost");
        app.zoho.clear_faults().await;
        app.advance(Duration::from_secs(15)).await;
        wait_for("the connection", || async { (app.database.count("connection").await == 1).then_some(()) }).await;
        assert_eq!(sam.get(page.location()).await.location(), "/connections");
        assert!(sam.is_signed_in().await);
        assert_eq!(app.database.count("token_escrow").await, 0);
        assert_eq!(app.zoho.token_calls().await.len(), 1);
        assert_eq!(live(&app, SAM).await.len(), 1);
    }
}

#[tokio::test]
async fn r27_after_a_day_the_token_is_revoked_and_the_person_told() {
    let app = App::start().await;
    let sam = app.visitor();
    app.zoho.fault(json!({"path": "/oauth/user/info", "act": {"status": 503, "html": "down"}})).await;
    let url = sam.go_to_zoho(&sam.begin("/login").await, SAM).await;
    let page = sam.come_back(&url).await;
    let finishing = page.location();
    assert!(finishing.starts_with("/login/finishing/"), "{finishing}");
    app.advance(Duration::from_secs(23 * 3600)).await;
    wait_for("a try", || async { (app.database.text("select tries from token_escrow").await != "1").then_some(()) })
        .await;
    assert_eq!(live(&app, SAM).await.len(), 1, "a day is not over");
    app.advance(Duration::from_secs(3601)).await;
    wait_for_live(&app, SAM, 0).await;
    assert_eq!(app.database.count("connection").await, 0);
    assert_eq!(app.database.count("token_escrow").await, 0);
    let told = sam.get(finishing).await;
    assert_eq!(told.location(), "/problems/zoho-unavailable");
}

#[tokio::test]
async fn r27_an_escrow_outlives_its_access_token() {
    let app = App::start().await;
    let sam = app.visitor();
    app.zoho.fault(json!({"path": "/oauth/user/info", "act": {"status": 503, "html": "down"}})).await;
    let url = sam.go_to_zoho(&sam.begin("/login").await, SAM).await;
    sam.come_back(&url).await;
    app.advance(Duration::from_secs(70 * 60)).await;
    // It is over when the next one is ten minutes away: a claim lasts for seconds.
    let next = "select not_before > '2026-11-21T11:15:00Z' from token_escrow";
    wait_for("a try has failed", || async { (app.database.text(next).await == "true").then_some(()) }).await;
    app.zoho.clear_faults().await;
    app.advance(Duration::from_secs(11 * 60)).await;
    wait_for("the connection", || async { (app.database.count("connection").await == 1).then_some(()) }).await;
    assert_eq!(live(&app, SAM).await.len(), 1);
    assert_eq!(app.database.text("select status from connection").await, "active");
}
