//! Disconnecting: unusable at once, revoked at Zoho, with a receipt.

use std::time::Duration;

use serde_json::json;

use super::*;

async fn disconnect(visitor: &Visitor, id: &str) -> Page {
    let page = format!("/connections/{id}/disconnect");
    let answer = visitor.submit(&page, &page, &[]).await;
    assert_eq!(answer.location(), format!("/connections/{id}"));
    visitor.get(answer.location()).await
}

const RECEIPT: &str = "select concat_ws(' ', reason, outcome, (token_sealed is null)::text) from revocation";

#[tokio::test]
async fn disconnecting_revokes_at_zoho_and_connecting_again_keeps_the_id() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let confirm = sam.get(&format!("/connections/{id}/disconnect")).await;
    assert!(confirm.has("Rivera Supplies"), "the confirmation names the object");
    assert_eq!(live(&app, SAM).await.len(), 1, "asking changes nothing");
    let page = disconnect(&sam, &id).await;
    assert!(page.has("confirmed by Zoho"), "{}", page.text);
    assert!(live(&app, SAM).await.is_empty());
    assert_eq!(app.database.column(RECEIPT).await, ["disconnected yes true"], "no ciphertext is kept");
    let tokens = "select concat(refresh_token_sealed::text, access_token_sealed::text) from connection";
    assert_eq!(app.database.column(tokens).await, [""]);
    assert!(row(&app, &id).await.starts_with("disconnected"));
    let revokes = app.zoho.requests("/oauth/v2/token/revoke").await;
    assert_eq!(revokes, ["accounts:us POST /oauth/v2/token/revoke"]);

    disconnect(&sam, &id).await;
    assert_eq!(app.zoho.requests("/oauth/v2/token/revoke").await.len(), 1, "again does nothing");

    let consent = reconnect(&sam, &id).await;
    sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    assert_eq!(sam.only_connection().await, id);
    assert!(row(&app, &id).await.starts_with("active"));
    let page = disconnect(&sam, &id).await;
    assert!(page.has("confirmed by Zoho"));
    let other = app.visitor();
    other.sign_in_as(SAM).await;
    assert_eq!(other.only_connection().await, id, "by the button, too");
}

#[tokio::test]
async fn what_the_person_withdrew_at_zoho_counts_as_revoked_already() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    app.zoho.call(reqwest::Method::POST, "/control/grants/revoke", json!({"person": SAM})).await;
    let page = disconnect(&sam, &id).await;
    assert!(page.has("had been withdrawn before"), "{}", page.text);
    assert_eq!(app.database.column(RECEIPT).await, ["disconnected already true"]);
}

#[tokio::test]
async fn a_revocation_that_zoho_does_not_confirm_is_pending_and_tried_again() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    app.zoho.fault(json!({"path": "/oauth/v2/token/revoke", "act": {"status": 503, "html": "down"}})).await;
    let page = disconnect(&sam, &id).await;
    assert!(page.has("has not confirmed yet"), "{}", page.text);
    assert!(row(&app, &id).await.starts_with("disconnected"), "unusable here at once");
    assert_eq!(app.database.column(RECEIPT).await, ["disconnected false"]);
    assert_eq!(live(&app, SAM).await.len(), 1);
    app.zoho.clear_faults().await;
    app.advance(Duration::from_secs(3600)).await;
    wait_for_live(&app, SAM, 0).await;
    sam.go("/login?product=none", SAM).await;
    wait_for("the receipt", || async {
        sam.get(&format!("/connections/{id}")).await.has("confirmed by Zoho").then_some(())
    })
    .await;
}

#[tokio::test]
async fn disconnecting_one_leaves_the_others() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    sam.go("/login?product=crm", SAM).await;
    disconnect(&sam, &id).await;
    assert_eq!(live(&app, SAM).await.len(), 1);
    assert_eq!(app.database.column("select product from connection where status = 'active'").await, ["crm"]);
}
