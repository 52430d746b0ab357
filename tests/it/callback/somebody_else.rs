//! Attempts that were begun by a signed-in person count for that person alone.

use super::*;

/// Begins to connect a product to the visitor's own tenant.
async fn begin_connect(visitor: &Visitor, product: &str) -> String {
    let tenant = visitor.get("/connections").await.field("tenant").unwrap();
    let begun = visitor.submit("/connections", "/connections", &[("product", product), ("tenant", &tenant)]).await;
    begun.location().to_owned()
}

async fn sign_out(visitor: &Visitor) {
    visitor.submit("/connections", "/logout", &[]).await.assert_status(303);
}

#[tokio::test]
async fn s4_a_consent_url_that_was_sent_to_somebody_connects_nothing_for_either_side() {
    let app = App::start().await;
    let (bea, victim) = (app.visitor(), app.visitor());
    bea.sign_in_as(BEA).await;
    victim.sign_in_as(SAM).await;
    let before = app.database.count("connection").await;
    let consent = begin_connect(&bea, "desk").await;
    // The victim follows the link, consents, and is led back in their own browser.
    let url = victim.go_to_zoho(&consent, SAM).await;
    assert_refused(&victim.come_back(&url).await);
    // Handing the callback back to the browser that began it makes the grant somebody else's.
    let landing = bea.come_back(&url).await;
    assert_eq!(landing.location(), "/problems/wrong-person");
    assert_eq!(app.database.count("connection").await, before);
    wait_for("the stray token is revoked", || async {
        (app.zoho.refresh_tokens(SAM, "live").await.len() == 1).then_some(())
    })
    .await;
    assert!(bea.is_signed_in().await && victim.is_signed_in().await);
}

#[tokio::test]
async fn s4_an_attempt_of_the_browsers_former_person_is_refused_and_spent() {
    let app = App::start().await;
    let browser = app.visitor();
    browser.sign_in_as(BEA).await;
    let consent = begin_connect(&browser, "desk").await;
    let url = browser.go_to_zoho(&consent, BEA).await;
    sign_out(&browser).await;
    browser.sign_in_as(SAM).await;
    let before = app.zoho.token_calls().await.len();
    browser.come_back(&url).await.assert_status(403);
    sign_out(&browser).await;
    browser.sign_in_as(BEA).await;
    let again = browser.come_back(&url).await;
    assert!([400, 403].contains(&again.status), "{}", again.status);
    let calls = app.zoho.token_calls().await;
    let code = parameter(&url, "code").unwrap();
    assert!(calls.iter().skip(before).all(|call| call.form["code"] != code), "the code was presented");
    let audited =
        app.database.column("select outcome from audit_event where action = 'attempt_of_somebody_else'").await;
    assert_eq!(audited, ["refused"]);
    assert_eq!(app.database.text("select count(*) from connection where product = 'desk'").await, "0");
}

#[tokio::test]
async fn s4_signed_out_a_connect_attempt_comes_back_to_nothing() {
    let app = App::start().await;
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    let consent = begin_connect(&bea, "desk").await;
    let url = bea.go_to_zoho(&consent, BEA).await;
    sign_out(&bea).await;
    bea.come_back(&url).await.assert_status(403);
    assert_eq!(app.database.text("select count(*) from connection where product = 'desk'").await, "0");
}

#[tokio::test]
async fn s4_a_connect_attempt_survives_a_sign_in_of_the_same_person_in_another_tab() {
    let app = App::start().await;
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    let consent = begin_connect(&bea, "desk").await;
    let url = bea.go_to_zoho(&consent, BEA).await;
    bea.go("/login?product=none", BEA).await;
    assert_eq!(bea.come_back(&url).await.location(), "/connections");
    assert_eq!(app.database.text("select count(*) from connection where product = 'desk'").await, "1");
}

#[tokio::test]
async fn s5_connecting_and_reconnecting_begin_by_post_only_and_in_tenants_of_ones_own() {
    let app = App::start().await;
    let (bea, sam) = (app.visitor(), app.visitor());
    bea.sign_in_as(BEA).await;
    sam.sign_in_as(SAM).await;
    let id = bea.only_connection().await;
    let before = app.database.row_counts().await;
    let page = bea.get("/connections?product=desk&tenant=sam").await;
    page.assert_status(200);
    assert!(page.set_cookies().is_empty());
    let reconnect = bea.get(&format!("/connections/{id}/reconnect")).await;
    assert_eq!((reconnect.status, reconnect.header("allow")), (405, "POST"));
    let of_sam = sam.get("/connections").await.field("tenant").unwrap();
    for tenant in [of_sam.as_str(), "nobody-has-this"] {
        let refused = bea.submit("/connections", "/connections", &[("product", "desk"), ("tenant", tenant)]).await;
        refused.assert_status(404);
        assert!(refused.set_cookies().is_empty());
    }
    assert_eq!(app.database.row_counts().await, before);
}
