//! The same person again: from another browser, from a known one, by reconnecting.

use std::time::Duration;

use serde_json::json;

use super::*;

#[tokio::test]
async fn connecting_the_same_again_keeps_the_id_and_revokes_the_old_token_after_five_minutes() {
    let app = App::start().await;
    let (first, second) = (app.visitor(), app.visitor());
    first.sign_in_as(SAM).await;
    let id = first.only_connection().await;
    let old = live(&app, SAM).await;
    app.advance(Duration::from_secs(10)).await;
    second.sign_in_as(SAM).await;
    assert_eq!(second.only_connection().await, id);
    app.advance(Duration::from_secs(280)).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(live(&app, SAM).await.len(), 2, "the old access token may be in use for five minutes");
    app.advance(Duration::from_secs(30)).await;
    let left = wait_for_live(&app, SAM, 1).await;
    assert_ne!(left, old);
    assert!(first.get(&format!("/connections/{id}")).await.status == 200);
    assert_eq!(app.database.count("tenant").await, 1);
}

#[tokio::test]
async fn a_browser_we_know_signs_in_online_and_costs_no_refresh_token() {
    let app = App::start().await;
    let sam = app.visitor();
    let first = sam.begin("/login").await;
    sam.land(&sam.go_to_zoho(&first, SAM).await).await;
    let id = sam.only_connection().await;
    let before = row(&app, &id).await;
    let consent = sam.begin("/login").await;
    assert_eq!(parameter(&consent, "access_type").as_deref(), Some("online"));
    assert_eq!(parameter(&consent, "prompt"), None);
    let landing = sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    assert_eq!(landing.location(), "/connections");
    assert!(landing.session_cookie().is_some());
    assert_eq!(app.zoho.ledger(&format!("kind=refresh_token&person={SAM}")).await.len(), 1);
    assert_eq!(row(&app, &id).await, before);
    let other_product = sam.begin("/login?product=crm").await;
    assert_eq!(parameter(&other_product, "prompt").as_deref(), Some("consent"), "something new is asked for");
}

#[tokio::test]
async fn a_known_browser_with_another_person_asks_that_person_for_consent() {
    let app = App::start().await;
    let browser = app.visitor();
    browser.sign_in_as(SAM).await;
    let consent = browser.begin("/login").await;
    let landing = browser.land(&browser.go_to_zoho(&consent, BEA).await).await;
    assert!(landing.location().starts_with("/login?product=assist"), "{}", landing.location());
    let again = browser.begin(landing.location()).await;
    assert_eq!(parameter(&again, "prompt").as_deref(), Some("consent"));
    assert_eq!(browser.land(&browser.go_to_zoho(&again, BEA).await).await.location(), "/connections");
    assert!(browser.get("/connections").await.has("Novak Group"));
}

#[tokio::test]
async fn product_none_only_signs_in() {
    let app = App::start().await;
    let sam = app.visitor();
    let consent = sam.begin("/login?product=none").await;
    assert_eq!(parameter(&consent, "scope").as_deref(), Some("AaaServer.profile.READ"));
    assert_eq!(parameter(&consent, "access_type").as_deref(), Some("online"));
    assert_eq!(parameter(&consent, "prompt"), None);
    assert_eq!(sam.land(&sam.go_to_zoho(&consent, SAM).await).await.location(), "/connections");
    assert!(sam.is_signed_in().await);
    assert!(sam.connection_ids().await.is_empty());
    assert!(live(&app, SAM).await.is_empty());
}

#[tokio::test]
async fn a_refresh_token_that_nobody_asked_for_is_revoked() {
    let app = App::start().await;
    let sam = app.visitor();
    // Zoho grants offline although online was asked for.
    let consent = with_parameter(&sam.begin("/login?product=none").await, "access_type", Some("offline"));
    assert_eq!(sam.land(&sam.go_to_zoho(&consent, SAM).await).await.location(), "/connections");
    assert!(sam.is_signed_in().await);
    wait_for_live(&app, SAM, 0).await;
}

#[tokio::test]
async fn reconnecting_keeps_the_id_and_replaces_the_token() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let (before, old) = (row(&app, &id).await, live(&app, SAM).await);
    let consent = reconnect(&sam, &id).await;
    assert_eq!(parameter(&consent, "prompt").as_deref(), Some("consent"));
    let session = sam.session();
    let landing = sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    assert_eq!(landing.location(), format!("/connections/{id}"));
    assert_eq!(landing.session_cookie(), None, "who was signed in stays so");
    assert_eq!(sam.session(), session);
    assert_ne!(row(&app, &id).await, before);
    app.advance(Duration::from_secs(301)).await;
    assert_ne!(wait_for_live(&app, SAM, 1).await, old);
    assert!(sam.get(&format!("/connections/{id}")).await.has("econnected"));
}

#[tokio::test]
async fn a_reconnect_with_another_organization_leaves_the_connection_as_it_was() {
    let app = App::start().await;
    let ann = app.visitor();
    ann.connect("assist", ANN, "77000000").await;
    let id = ann.only_connection().await;
    let (before, old) = (row(&app, &id).await, live(&app, ANN).await);
    let consent = reconnect(&ann, &id).await;
    let landing = ann.land(&ann.go_to_zoho_for(&consent, ANN, "77000001").await).await;
    assert_eq!(landing.location(), "/problems/organization-mismatch");
    assert_eq!(row(&app, &id).await, before);
    assert_eq!(wait_for_live(&app, ANN, 1).await, old, "the new token is revoked, the old one lives");
    ann.get("/problems/organization-mismatch").await.assert_status(200);
    assert_eq!(app.database.count("organization").await, 1);
}

#[tokio::test]
async fn a_reconnect_by_another_person_connects_nothing() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let before = row(&app, &id).await;
    let consent = reconnect(&sam, &id).await;
    let landing = sam.land(&sam.go_to_zoho(&consent, BEA).await).await;
    assert_eq!(landing.location(), "/problems/wrong-person");
    assert_eq!(row(&app, &id).await, before);
    wait_for_live(&app, BEA, 0).await;
    assert_eq!(live(&app, SAM).await.len(), 1);
}

#[tokio::test]
async fn two_organizations_of_one_product_are_two_connections() {
    let app = App::start().await;
    let ann = app.visitor();
    for organization in ["77000000", "77000002"] {
        let browser = app.visitor();
        assert_eq!(browser.connect("assist", ANN, organization).await.location(), "/connections");
    }
    ann.go("/login?product=none", ANN).await;
    assert_eq!(ann.connection_ids().await.len(), 2);
    assert_eq!(live(&app, ANN).await.len(), 2);
}

#[tokio::test]
async fn reconnecting_what_never_had_an_organization_takes_the_only_one() {
    let app = App::start().await;
    // Assist may not tell, so that the person is asked; they end it instead.
    let act = json!({"json": {"set": {"/scope": "AaaServer.profile.READ"}}});
    app.zoho.fault(json!({"path": "/oauth/v2/token", "count": 1, "act": act})).await;
    let sam = app.visitor();
    let landing = sam.sign_in_as(SAM).await;
    let page = landing.location().to_owned();
    let id = page.rsplit('/').next().unwrap().to_owned();
    assert!(sam.get(&page).await.has("Which organization"));
    sam.submit(&page, &format!("{page}/disconnect"), &[]).await.assert_status(303);
    let consent = reconnect(&sam, &id).await;
    assert_eq!(sam.land(&sam.go_to_zoho(&consent, SAM).await).await.location(), page);
    assert!(row(&app, &id).await.starts_with("active assist"));
    assert!(sam.get(&page).await.has("Rivera Supplies"));
    assert_eq!(sam.only_connection().await, id);
}

#[tokio::test]
async fn the_only_organization_is_asked_about_where_another_connection_has_it() {
    let app = App::start().await;
    let sam = app.visitor();
    let act = json!({"json": {"set": {"/scope": "AaaServer.profile.READ"}}});
    app.zoho.fault(json!({"path": "/oauth/v2/token", "count": 1, "act": act})).await;
    let unfinished = sam.sign_in_as(SAM).await.location().to_owned();
    sam.submit(&unfinished, &format!("{unfinished}/disconnect"), &[]).await.assert_status(303);
    assert_eq!(sam.sign_in_as(SAM).await.location(), "/connections");
    let consent = reconnect(&sam, unfinished.rsplit('/').next().unwrap()).await;
    let landing = sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    assert!(landing.location().starts_with(&unfinished));
    let page = sam.get(&unfinished).await;
    assert!(page.has("Which organization") && page.values("organization").len() == 1);
}
