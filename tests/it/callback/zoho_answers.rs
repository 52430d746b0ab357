//! What Zoho may answer, and what becomes of it: errors with status 200, redirects, foreign hosts, missing members.

use serde_json::{Value, json};

use super::*;

/// A sign-in while the next call of `path` is answered so.
async fn sign_in_with(app: &App, person: &str, path: &str, act: Value) -> (Visitor, String) {
    app.zoho.clear_faults().await;
    app.zoho.fault(json!({"path": path, "act": act})).await;
    let visitor = app.visitor();
    let landing = visitor.sign_in_as(person).await;
    app.zoho.clear_faults().await;
    let location = landing.location().to_owned();
    (visitor, location)
}

const TOKEN: &str = "/oauth/v2/token";
const PROFILE: &str = "/oauth/user/info";

#[tokio::test]
async fn errors_are_read_by_their_body_and_each_has_its_page() {
    let app = App::start().await;
    let throttled = json!({"error": "Access Denied", "status": "failure",
        "error_description": "You have made too many requests continuously. Please try again after some time."});
    for (status, body, page) in [
        (200, json!({"error": "invalid_code"}), "code-expired"),
        (400, json!({"error": "invalid_code"}), "code-expired"),
        (200, json!({"error": "invalid_grant"}), "code-expired"),
        (200, json!({"error": "invalid_client"}), "zoho-misconfigured"),
        (200, json!({"error": "invalid_client_secret"}), "zoho-misconfigured"),
        (200, json!({"error": "invalid_redirect_uri"}), "zoho-misconfigured"),
        (200, throttled.clone(), "zoho-throttled"),
        (400, throttled, "zoho-throttled"),
        (200, json!({"error": "access_denied"}), "zoho-throttled"),
        (429, json!({}), "zoho-throttled"),
        (
            200,
            json!({"error": "invalid_code", "access_token": "1000.a.b", "refresh_token": "1000.c.d"}),
            "code-expired",
        ),
    ] {
        let (visitor, location) = sign_in_with(
            &app,
            SAM,
            TOKEN,
            json!({"status": status, "body": body.to_string(), "content_type": "application/json"}),
        )
        .await;
        assert_eq!(location, format!("/problems/{page}"), "{status} {body}");
        let explained = visitor.get(&location).await;
        assert!(explained.has("/login") || explained.links().iter().any(|link| link == "/"), "a way on: {location}");
        assert!(!visitor.is_signed_in().await);
    }
    assert_eq!(app.database.count("connection").await, 0);
    assert_eq!(app.database.count("person").await, 0);
}

#[tokio::test]
async fn s22_answers_that_make_no_sense_are_never_a_connection_and_never_fatal() {
    let app = App::start().await;
    let deep = format!("{}1{}", "{\"access_token\":".repeat(500), "}".repeat(500));
    for act in [
        json!({"html": "<html><body>Zoho is being maintained</body></html>"}),
        json!({"body": "", "content_type": "application/json"}),
        json!({"body": "[]", "content_type": "application/json"}),
        json!({"body": "null", "content_type": "application/json"}),
        json!({"body": "{\"access_token\": 5}", "content_type": "application/json"}),
        json!({"body": "{\"access_token\": \"\"}", "content_type": "application/json"}),
        json!({"body": "{\"access_token\": null, \"error\": null}", "content_type": "application/json"}),
        json!({"body": deep, "content_type": "application/json"}),
        json!({"body": format!("{{\"access_token\": \"{}\"}}", "a".repeat(70_000)), "content_type": "application/json"}),
        json!({"truncate": 20}),
        json!({"status": 500, "html": "<h1>500</h1>"}),
    ] {
        let (visitor, location) = sign_in_with(&app, SAM, TOKEN, act.clone()).await;
        let is_told = ["/problems/zoho-misbehaved", "/problems/zoho-unavailable"].contains(&location.as_str());
        assert!(is_told, "{location} after {act:.200}");
        assert!(!visitor.is_signed_in().await);
    }
    assert_eq!(app.database.count("connection").await, 0);
    assert_eq!(app.visitor().sign_in_as(SAM).await.location(), "/connections");
}

#[tokio::test]
async fn s22_without_a_zuid_nothing_is_connected_and_the_token_dies() {
    let app = App::start().await;
    for edit in [
        json!({"remove": ["/ZUID"]}),
        json!({"set": {"/ZUID": 0}}),
        json!({"set": {"/ZUID": "0"}}),
        json!({"set": {"/ZUID": ""}}),
        json!({"set": {"/ZUID": null}}),
        json!({"set": {"/ZUID": 1.5}}),
        json!({"set": {"/ZUID": [7]}}),
    ] {
        let (visitor, location) = sign_in_with(&app, SAM, PROFILE, json!({"json": edit})).await;
        assert_eq!(location, "/problems/profile-unreadable", "{edit}");
        assert!(!visitor.is_signed_in().await);
        wait_for("the new token is revoked", || async {
            app.zoho.refresh_tokens(SAM, "live").await.is_empty().then_some(())
        })
        .await;
    }
    assert_eq!(app.database.count("connection").await, 0);
}

#[tokio::test]
async fn s22_ids_beyond_two_to_the_53_are_kept_digit_by_digit() {
    let app = App::start().await;
    for ids in ["number", "text"] {
        app.zoho.settings(json!({"token": {"zuid": ids}, "products": {"ids": ids}})).await;
        assert_eq!(app.visitor().sign_in_as(YUKI).await.location(), "/connections");
    }
    assert_eq!(app.database.column("select zuid from person").await, ["9223372036854775807"]);
    assert_eq!(app.database.column("select zoho_id from organization").await, ["9007199254740993017"]);
}

#[tokio::test]
async fn s18_no_call_to_zoho_follows_a_redirect() {
    let app = App::start().await;
    let outside = Outside::listen().await;
    let redirect = |status: u16| json!({"redirect": format!("{}/oauth/v2/token", outside.url()), "status": status});
    let calls = [(TOKEN, 302), (TOKEN, 307), (TOKEN, 308), (PROFILE, 302), ("/api/v2/user", 307)];
    for (path, status) in calls {
        let act = redirect(status);
        let (visitor, location) = sign_in_with(&app, SAM, path, act).await;
        assert_eq!(location, "/problems/zoho-misbehaved", "{path} {status}");
        assert!(!visitor.is_signed_in().await);
    }
    assert_eq!(app.database.count("connection").await, 0);
    outside.assert_untouched().await;
}

#[tokio::test]
async fn s19_a_foreign_api_domain_is_ignored() {
    let app = App::start().await;
    let outside = Outside::listen().await;
    let act = json!({"json": {"set": {"/api_domain": outside.url()}}});
    app.zoho.fault(json!({"path": TOKEN, "act": act})).await;
    let sam = app.visitor();
    assert_eq!(sam.go("/login?product=crm", SAM).await.location(), "/connections");
    assert_eq!(app.zoho.requests("/crm/").await, ["api:us GET /crm/v8/org"]);
    assert_eq!(app.database.column("select environment from organization").await, ["production"]);
    outside.assert_untouched().await;
}

#[tokio::test]
async fn s13_a_missing_refresh_token_is_said_at_once_and_the_stored_one_stays() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let stored = "select md5(refresh_token_sealed) || status from connection";
    let before = app.database.text(stored).await;
    for edit in [
        json!({"remove": ["/refresh_token"]}),
        json!({"set": {"/refresh_token": null}}),
        json!({"set": {"/refresh_token": ""}}),
    ] {
        let (_, location) = sign_in_with(&app, SAM, TOKEN, json!({"json": edit})).await;
        assert_eq!(location, "/problems/no-refresh-token", "{edit}");
        assert_eq!(app.database.text(stored).await, before);
    }
    let page = sam.get("/problems/no-refresh-token").await;
    page.assert_status(200);
}

#[tokio::test]
async fn s13_fewer_scopes_than_asked_are_stored_and_warned_of() {
    let app = App::start().await;
    let act = json!({"json": {"set": {"/scope": "AaaServer.profile.READ ZohoCRM.org.READ"}}});
    app.zoho.fault(json!({"path": TOKEN, "act": act})).await;
    let sam = app.visitor();
    assert_eq!(sam.go("/login?product=crm", SAM).await.location(), "/connections");
    assert_eq!(app.database.column("select status from connection").await, ["active"]);
    assert!(sam.get("/connections").await.has("ZohoCRM.modules.READ"), "the missing scope is named");
}

#[tokio::test]
async fn s21_a_person_is_a_zuid_in_a_data_centre_whatever_the_address() {
    let app = App::start().await;
    let (american, european) = (app.visitor(), app.visitor());
    american.sign_in_as(SAM).await;
    european.sign_in_as(SAM_OF_EUROPE).await;
    assert_eq!(app.database.column("select data_centre from person order by 1").await, ["eu", "us"]);
    assert_eq!(app.database.column("select email from person").await, ["sam@example.com", "sam@example.com"]);
    assert_ne!(american.only_connection().await, european.only_connection().await);
    let forged = json!({"json": {"set": {"/Email": "samuel@example.org"}}});
    let (again, _) = sign_in_with(&app, SAM, PROFILE, forged).await;
    assert_eq!(again.only_connection().await, american.only_connection().await);
    assert_eq!(app.database.count("person").await, 2);
}

#[tokio::test]
async fn s21_an_id_token_is_ignored() {
    let app = App::start().await;
    // {"alg":"none"} . {"sub":"795000001","email":"bea@example.com"}
    let forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3OTUwMDAwMDEiLCJlbWFpbCI6ImJlYUBleGFtcGxlLmNvbSJ9.";
    let (_, location) = sign_in_with(&app, SAM, TOKEN, json!({"json": {"set": {"/id_token": forged}}})).await;
    assert_eq!(location, "/connections");
    assert_eq!(app.database.column("select data_centre || ':' || zuid from person").await, [SAM]);
}
