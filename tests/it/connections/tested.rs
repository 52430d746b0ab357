//! The test call of a connection's page, and what the page tells of a connection's life.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

/// Asks for a test; tells the page afterwards.
async fn test(visitor: &Visitor, id: &str) -> Page {
    let page = format!("/connections/{id}");
    assert_eq!(visitor.submit(&page, &format!("{page}/test"), &[]).await.location(), page);
    visitor.get(&page).await
}

async fn outcomes(app: &App) -> Vec<String> {
    app.database.column("select outcome from audit_event where action = 'tested' order by at").await
}

#[tokio::test]
async fn every_product_answers_a_harmless_call() {
    let app = App::start().await;
    let sam = app.visitor();
    for (product, path) in [
        ("assist", "/api/v2/user"),
        ("salesiq", "/api/v2/portals"),
        ("connect", "/pulse/api/allScopes"),
        ("crm", "/crm/v8/org"),
        ("desk", "/api/v1/organizations"),
        ("books", "/books/v3/organizations"),
    ] {
        sam.go(&format!("/login?product={product}"), SAM).await;
        app.advance(Duration::from_secs(10)).await;
        let id = app.database.text(&format!("select connection_id from connection where product = '{product}'")).await;
        app.zoho.forget_journal().await;
        let page = test(&sam, &id).await;
        assert!(page.has("It works") && page.has("Tested: it works"), "{product}");
        assert_eq!(app.zoho.requests(path).await.len(), 1, "{product}");
        assert!(app.zoho.token_calls().await.is_empty(), "{product}: the token at hand is good");
    }
}

#[tokio::test]
async fn zia_agents_is_tested_by_the_profile() {
    let app = App::start().await;
    let sam = app.visitor();
    let landing = sam.go("/login?product=zia_agents", SAM).await;
    let page = landing.location().to_owned();
    let form = [("organization", "60000001"), ("environment", "production")];
    sam.submit(&page, &format!("{page}/organization"), &form).await.assert_status(303);
    app.zoho.forget_journal().await;
    assert!(test(&sam, page.rsplit('/').next().unwrap()).await.has("It works"));
    assert_eq!(app.zoho.requests("/oauth/user/info").await.len(), 1);
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_words_and_changes_nothing() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let before = row(&app, &id).await;
    let status = |status: u16, body: Value| json!({"status": status, "body": body.to_string()});
    for (act, words, outcome) in [
        (
            status(401, json!({"error": {"code": 1, "message": "Invalid AuthToken"}})),
            "only just given",
            "token_refused",
        ),
        (status(403, json!({"code": "OAUTH_SCOPE_MISMATCH"})), "A right is missing", "scope_missing"),
        (status(429, json!({})), "Zoho limits us", "throttled"),
        (status(503, json!({})), "Zoho does not answer", "unreachable"),
        (json!({"reset": true}), "Zoho does not answer", "unreachable"),
        (
            json!({"json": {"set": {"/representation/org_details/zsoid": 77_000_099}}}),
            "not for this organization",
            "another_organization",
        ),
    ] {
        app.advance(Duration::from_secs(10)).await;
        app.zoho.fault(json!({"path": "/api/v2/user", "act": act})).await;
        let page = test(&sam, &id).await;
        assert!(page.has(words), "{act}: {:?}", outcomes(&app).await.last());
        assert_eq!(outcomes(&app).await.last().map(String::as_str), Some(outcome), "{act}");
        assert_eq!(row(&app, &id).await, before);
        app.zoho.clear_faults().await;
    }
    app.advance(Duration::from_secs(130)).await;
    let page = sam.get(&format!("/connections/{id}")).await;
    assert!(!page.has("role=\"status\""), "after a while the history alone tells");
    assert!(page.has("Tested: Zoho limited us"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_before_anything_is_said() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    app.advance(Duration::from_secs(10)).await;
    app.zoho.forget_journal().await;
    let act = json!({"status": 401, "body": "{\"error\":{\"code\":1,\"message\":\"Invalid AuthToken\"}}"});
    app.zoho.fault(json!({"path": "/api/v2/user", "count": 1, "act": act})).await;
    assert!(test(&sam, &id).await.has("It works"));
    assert_eq!(app.zoho.token_calls().await.len(), 1);
    assert_eq!(app.zoho.requests("/api/v2/user").await.len(), 2);
}

#[tokio::test]
async fn taps_in_a_row_are_one_call_and_others_may_not_tap() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let id = sam.only_connection().await;
    test(&sam, &id).await;
    test(&sam, &id).await;
    assert_eq!(outcomes(&app).await, ["works"]);
    let csrf = bea.get("/connections").await.csrf();
    bea.post_form(&format!("/connections/{id}/test"), &[("csrf", &csrf)]).await.assert_status(404);
    sam.submit(&format!("/connections/{id}"), &format!("/connections/{id}/disconnect"), &[]).await.assert_status(303);
    app.advance(Duration::from_secs(10)).await;
    assert!(!test(&sam, &id).await.has("Test the connection"));
    assert_eq!(outcomes(&app).await, ["works"]);
}

/// Tests until Zoho has said twice, a minute apart, that the access has ended.
async fn until_it_needs_a_reconnect(app: &App, visitor: &Visitor, id: &str) -> Page {
    wait_for("it needs a reconnect", || async {
        app.advance(Duration::from_secs(130)).await;
        let page = test(visitor, id).await;
        page.has("Needs a reconnect").then_some(page)
    })
    .await
}

async fn withdraw_at_zoho(app: &App, token: &str) {
    let revoke = format!("{}/oauth/v2/token/revoke", app.accounts("us"));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(revoke).form(&[("token", token)]).send().await.unwrap();
    assert!(answer.status().is_success());
}

#[tokio::test]
async fn what_was_withdrawn_at_zoho_says_so_and_a_reconnect_heals_it() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    withdraw_at_zoho(&app, &live(&app, SAM).await[0]).await;
    app.advance(Duration::from_secs(3601)).await;
    sam.go("/login?product=none", SAM).await;
    let page = until_it_needs_a_reconnect(&app, &sam, &id).await;
    assert!(page.has("Access was withdrawn at Zoho: by you"));
    assert!(page.has("Access was withdrawn at Zoho; a reconnect is needed"), "the history");
    assert!(!page.has("Test the connection"));
    let list = sam.get("/connections").await;
    assert!(list.has("needs a reconnect") && list.has("Access was withdrawn at Zoho, so nothing gets through"));
    let consent = reconnect(&sam, &id).await;
    sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    app.advance(Duration::from_secs(10)).await;
    assert!(test(&sam, &id).await.has("It works"));
}

#[tokio::test]
async fn what_was_evicted_says_so_and_not_that_somebody_withdrew_it() {
    let app = App::builder().config(|config| config.refresh_tokens_per_person = 4).start().await;
    app.zoho.settings(json!({"limits": {"refresh_tokens_per_person": 4}})).await;
    let sam = app.visitor();
    for product in ["assist", "crm", "desk", "books"] {
        sam.go(&format!("/login?product={product}"), SAM).await;
        app.advance(Duration::from_secs(10)).await;
    }
    let id = app.database.text("select connection_id from connection where product = 'assist'").await;
    let tenant = sam.get("/connections").await.field("tenant").unwrap();
    let begun = sam.submit("/connections", "/connections", &[("product", "connect"), ("tenant", &tenant)]).await;
    sam.land(&sam.go_to_zoho(begun.location(), SAM).await).await;
    app.advance(Duration::from_secs(3601)).await;
    sam.go("/login?product=none", SAM).await;
    let page = until_it_needs_a_reconnect(&app, &sam, &id).await;
    assert!(page.has("Zoho keeps 4 sign-ins per person and application, and dropped this one for newer ones"));
    assert!(!page.has("withdrawn at Zoho: by you"));
    // It is dead and takes no place; its reconnect costs the next in line.
    assert!(page.has("4 of 4 refresh tokens") && page.has("<strong>Zoho CRM for"));
    let status = "select concat_ws(' ', status, status_reason) from connection";
    assert_eq!(app.database.text(&format!("{status} where connection_id = '{id}'")).await, "needs_reconnect evicted");
}

#[tokio::test]
async fn refreshes_in_a_row_are_one_line_and_throttling_tells_until_when() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    for _ in 0..3 {
        app.advance(Duration::from_secs(3601)).await;
        sam.go("/login?product=none", SAM).await;
        test(&sam, &id).await;
    }
    let page = sam.get(&format!("/connections/{id}")).await;
    assert_eq!(page.text.matches("Access renewed").count(), 3, "something happened in between");
    app.database.execute("alter table audit_event disable trigger all").await;
    app.database.execute("delete from audit_event where action = 'tested'").await;
    let page = sam.get(&format!("/connections/{id}")).await;
    assert!(page.has("Access renewed 3 times"));
    let throttled = json!({"status": 400, "body": "{\"error\":\"Access Denied\",\"status\":\"failure\"}"});
    app.zoho.fault(json!({"path": "/oauth/v2/token", "act": throttled})).await;
    app.advance(Duration::from_secs(1500)).await;
    sam.get("/connections").await.assert_status(200);
    app.advance(Duration::from_secs(1500)).await;
    sam.get("/connections").await.assert_status(200);
    app.advance(Duration::from_secs(700)).await;
    let page = test(&sam, &id).await;
    assert!(page.has("Waiting: Zoho limits us until <time") && page.has("Zoho limited us; access was not renewed"));
    assert!(sam.get("/connections").await.has("Zoho limits us until <time"));
}
