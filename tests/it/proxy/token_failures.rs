//! S-63: a token that a product refuses is renewed once, by whoever notices, and the call is tried once more.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::*;

#[tokio::test]
async fn s63_every_product_says_so_in_its_own_words_and_is_asked_again_once() {
    let app = App::start().await;
    for (product, path) in [
        ("assist", "/api/v2/user"),
        ("salesiq", "/api/v2/portals"),
        ("connect", "/pulse/api/tasks"),
        ("crm", "/crm/v8/org"),
        ("desk", "/api/v1/tickets"),
        ("books", "/books/v3/contacts"),
        ("zia_agents", "/ziaagents/api/v1/emulator/echo"),
    ] {
        let connected = connected(&app, product, SAM).await;
        connected.json(path).await;
        kill_access_tokens(&app).await;
        app.zoho.forget_journal().await;
        let told = connected.get(path).await;
        assert_eq!(told.status, 200, "{product}: {}", told.text);
        assert!(told.header("server-timing").ends_with("tries;desc=\"2\""), "{:?}", told.headers);
        assert!(told.json().get("error").is_none(), "{product}: {}", told.text);
        assert_eq!((upstream(&app).await.len(), refreshes(&app).await), (2, 1), "{product}");
        connected.json(path).await;
        assert_eq!((upstream(&app).await.len(), refreshes(&app).await), (3, 1), "{product}");
    }
}

/// Zoho lets the oldest access token of a grant die when there are too many: here the second makes the first die.
async fn kill_access_tokens(app: &App) {
    app.zoho.settings(json!({"limits": {"refreshes_per_window": null, "live_access_tokens": 1}})).await;
    let (client, http) = (crate::harness::app::client(), reqwest::Client::builder().no_proxy().build().unwrap());
    for token in app.zoho.refresh_tokens(SAM, "live").await {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &client.client_id),
            ("client_secret", &client.secrets["us"]),
            ("refresh_token", &token),
        ];
        http.post(format!("{}/oauth/v2/token", app.accounts("us"))).form(&form).send().await.unwrap();
    }
}

#[tokio::test]
async fn s63_salesiq_says_it_with_status_200_or_400() {
    let app = App::start().await;
    let salesiq = connected(&app, "salesiq", SAM).await;
    for setting in [
        json!({"products": {"salesiq_error_status": 200}}),
        json!({"products": {"salesiq_error_status": 400}}),
        json!({"products": {"salesiq_error_status": 200, "salesiq_expired_is_1001": true}}),
    ] {
        app.zoho.settings(setting).await;
        kill_access_tokens(&app).await;
        app.zoho.forget_journal().await;
        assert_eq!(salesiq.json("/api/v2/portals").await["data"][0]["screenname"], "portal60000001");
        assert_eq!((upstream(&app).await.len(), refreshes(&app).await), (2, 1));
    }
}

#[tokio::test]
async fn s63_hundreds_of_failures_at_once_are_one_refresh() {
    let app = App::builder().replicas(3).start().await;
    let salesiq = connected(&app, "salesiq", SAM).await;
    salesiq.json("/api/v2/portals").await;
    kill_access_tokens(&app).await;
    app.zoho.forget_journal().await;
    let call = |caller: usize| {
        let backend = salesiq.backend.via(caller);
        let path = salesiq.path("/api/v2/portals");
        async move { backend.get(&path).await }
    };
    let told = futures_util::future::join_all((0..300).map(call)).await;
    let statuses: BTreeSet<_> = told.iter().map(|told| (told.status, told.text.contains("portal60000001"))).collect();
    assert_eq!(statuses, [(200, true)].into(), "{:?}", told.iter().find(|told| told.status != 200));
    assert_eq!(refreshes(&app).await, 1);
    assert!(upstream(&app).await.len() <= 600);
}

#[tokio::test]
async fn s63_a_body_is_sent_again_with_the_new_token() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    kill_access_tokens(&app).await;
    app.zoho.forget_journal().await;
    let body = "x".repeat(1024 * 1024);
    let request = crm.request(Method::POST, "/crm/v8/emulator/echo").header("content-type", "text/plain");
    let told = Told::read(request.body(body.clone()).send().await.unwrap()).await;
    assert_eq!((told.status, told.json()["body"].as_str().unwrap().len()), (200, body.len()));
    let calls = upstream(&app).await;
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call["body"] == body.as_str()));
    let tokens: BTreeSet<_> = calls.iter().map(authorization).collect();
    assert_eq!(tokens.len(), 2);
}

fn authorization(call: &serde_json::Value) -> String {
    let headers = call["headers"].as_array().unwrap();
    headers.iter().find(|header| header[0] == "authorization").unwrap()[1].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn s63_after_two_refusals_the_products_own_answer_is_passed_on_and_no_budget_is_spent_on_more() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    let body = r#"{"code":"INVALID_TOKEN","details":{},"message":"invalid oauth token","status":"error"}"#;
    app.zoho.fault(json!({"path": "/crm/v8/Secrets", "act": {"status": 401, "body": body, "content_type": "application/json"}})).await;
    app.zoho.forget_journal().await;
    let told = crm.get("/crm/v8/Secrets").await;
    assert_eq!((told.status, told.text.as_str()), (401, body));
    assert_eq!((upstream(&app).await.len(), refreshes(&app).await), (2, 1), "never more than two");
    for _ in 0..15 {
        assert_eq!(crm.get("/crm/v8/Secrets").await.status, 401);
        crm.json("/crm/v8/org").await;
    }
    assert_eq!((upstream(&app).await.len(), refreshes(&app).await), (32, 1), "a new token is not renewed again");
    app.advance(Duration::from_secs(301)).await;
    assert_eq!(crm.get("/crm/v8/Secrets").await.status, 401);
    assert_eq!(refreshes(&app).await, 2, "after a while it might be the token, after all");
}

#[tokio::test]
async fn a_missing_scope_or_right_costs_no_refresh() {
    let app = App::start().await;
    let desk = connected(&app, "desk", SAM).await;
    for (status, body) in [
        (401, r#"{"code":"OAUTH_SCOPE_MISMATCH"}"#),
        (403, r#"{"errorCode":"SCOPE_MISMATCH"}"#),
        (403, r#"{"errorCode":"OAUTH_ORG_MISMATCH"}"#),
        (403, r#"{"errorCode":"FORBIDDEN"}"#),
        (404, r#"{"errorCode":"INVALID_OAUTH"}"#),
        (200, r#"{"id":"1","code":"UNAUTHORIZED"}"#),
        (200, r#"[{"code":"INVALID_TOKEN"}]"#),
    ] {
        app.zoho.clear_faults().await;
        app.zoho.forget_journal().await;
        app.zoho.fault(json!({"path": "/api/v1/", "act": {"status": status, "body": body, "content_type": "application/json"}})).await;
        let told = desk.get("/api/v1/tickets").await;
        assert_eq!((told.status, told.text.as_str()), (status, body));
        assert_eq!((upstream(&app).await.len(), refreshes(&app).await), (1, 0), "{body}");
    }
}

#[tokio::test]
async fn a_grant_that_ended_is_told_as_such() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho.call(Method::POST, "/control/grants/revoke", json!({"person": SAM})).await;
    // Zoho refuses both tokens; one such word is not believed yet (security.md §4.3).
    let told = crm.get("/crm/v8/org").await;
    assert_eq!(told.problem(), "503 zoho-unavailable");
    assert!(told.retry_after() > 0);
}
