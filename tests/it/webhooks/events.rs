use super::*;

#[tokio::test]
async fn a_connection_is_told_as_the_api_tells_it_and_so_is_its_end() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let endpoint = listen_to(&back_end, &receiver.url("/zoho?key=1"), &[]).await;
    assert!(endpoint["secret"].as_str().unwrap().starts_with("whsec_"));
    let id = connect(&app, SAM).await;
    let got = receiver.until(2).await;
    let connection = back_end.get(&format!("/api/v1/connections/{id}")).await.json();
    let told = got.iter().find(|received| received.kind() == "connection.connected").unwrap();
    assert_eq!(told.path, "/zoho?key=1");
    assert_eq!(told.header("content-type"), "application/json");
    assert!(told.body.starts_with(r#"{"type":"connection.connected","timestamp":"2026-11-21T10:00:00.000Z","data":{"#));
    assert_eq!(told.json()["data"], connection);
    let tenant = got.iter().find(|received| received.kind() == "tenant.created").unwrap();
    assert_eq!(tenant.json()["data"]["tenant"], connection["tenant"]);
    let ended = send(&back_end, Method::DELETE, &format!("/connections/{id}"), None).await;
    assert_eq!(ended.status, 200);
    let got = receiver.until(3).await;
    assert_eq!(got[2].kind(), "connection.disconnected");
    assert_eq!(got[2].json()["data"]["status"], "disconnected");
    assert_eq!(got[2].json()["data"]["id"], id.as_str());
}

#[tokio::test]
async fn a_tenants_endpoint_is_told_of_that_tenant_and_what_it_wants() {
    let app = start().await;
    let id = connect(&app, SAM).await;
    let own = app.backend_of(&id, GRANTS).await;
    let receiver = Receiver::listen().await;
    let endpoint = listen_to(&own, &receiver.url("/"), &["connection.disconnected", "connection.connected"]).await;
    assert_eq!(endpoint["events"], json!(["connection.connected", "connection.disconnected"]));
    assert_eq!(endpoint["tenant"]["id"], own.get(&format!("/api/v1/connections/{id}")).await.json()["tenant"]["id"]);
    connect(&app, BEA).await;
    app.visitor().sign_in_as(SAM).await;
    let got = receiver.until(1).await;
    assert_eq!(got[0].json()["data"]["id"], id.as_str(), "Sam's, who connected once more");
    assert_eq!(app.database.count("webhook_delivery").await, 1);
}

#[tokio::test]
async fn a_reconnect_that_is_needed_is_told_with_its_reason_and_so_is_its_end() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    listen_to(&back_end, &receiver.url("/"), &["connection.needs_reconnect", "connection.recovered"]).await;
    for token in app.zoho.refresh_tokens(SAM, "live").await {
        app.zoho.revoke(&app.accounts("us"), &token).await;
    }
    app.advance(Duration::from_secs(61 * 60)).await;
    back_end.token(&id, "").await;
    app.advance(Duration::from_secs(130)).await;
    let got = receiver.until(1).await;
    assert_eq!(got[0].kind(), "connection.needs_reconnect");
    let data = &got[0].json()["data"];
    assert_eq!((&data["reason"], &data["status"]), (&json!("revoked"), &json!("needs_reconnect")));
    assert_eq!(data["status_reason"], "revoked");
    app.visitor().sign_in_as(SAM).await;
    let got = receiver.until(2).await;
    assert_eq!((got[1].kind().as_str(), &got[1].json()["data"]["id"]), ("connection.recovered", &json!(id)));
    assert_eq!(got[1].json()["data"]["status"], "active");
}

#[tokio::test]
async fn refreshes_are_told_to_who_asks_for_them_and_an_end_of_trouble_to_all() {
    let app = start().await;
    let back_end = app.backend(GRANTS).await;
    let id = connect(&app, SAM).await;
    let (curious, other) = (Receiver::listen().await, Receiver::listen().await);
    listen_to(&back_end, &curious.url("/"), &["connection.refreshed"]).await;
    listen_to(&back_end, &other.url("/"), &[]).await;
    app.advance(Duration::from_secs(61 * 60)).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    let got = curious.until(1).await;
    assert_eq!(got[0].kind(), "connection.refreshed");
    assert_eq!(got[0].json()["data"]["last_refreshed_at"], "2026-11-21T11:01:00Z");
    app.zoho.fault(json!({"path": "/oauth/v2/token", "count": 1, "act": {"status": 503}})).await;
    app.advance(Duration::from_secs(61 * 60)).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "503 zoho-unavailable");
    app.advance(Duration::from_secs(60)).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    assert_eq!(other.until(1).await[0].kind(), "connection.recovered");
    assert_eq!(curious.kinds(), ["connection.refreshed"]);
}

#[tokio::test]
async fn a_budget_that_runs_out_is_told() {
    let app = App::builder()
        .config(|config| {
            config.webhooks_to_loopback = true;
            config.refresh_tokens_per_person = 4;
        })
        .start()
        .await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    listen_to(&back_end, &receiver.url("/"), &["budget.warning"]).await;
    let sam = app.visitor();
    for product in ["crm", "desk", "books"] {
        sam.go(&format!("/login?product={product}"), SAM).await;
    }
    let got = receiver.until(1).await;
    assert_eq!(got[0].json()["data"]["refresh_tokens"], json!({"used": 3, "limit": 4}));
    assert_eq!(got[0].json()["data"]["product"], "books");
}

#[tokio::test]
async fn s72_no_webhook_holds_a_secret() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let events: Vec<_> =
        ["connection.connected", "connection.refreshed", "connection.disconnected", "tenant.created"].into();
    let secret = listen_to(&back_end, &receiver.url("/"), &events).await["secret"].as_str().unwrap().to_owned();
    let id = connect(&app, SAM).await;
    app.advance(Duration::from_secs(61 * 60)).await;
    back_end.token(&id, "").await;
    send(&back_end, Method::DELETE, &format!("/connections/{id}"), None).await;
    let got = receiver.until(4).await;
    let all = format!("{got:?}");
    let ledger = app.zoho.ledger("").await;
    assert!(ledger.len() >= 4);
    for entry in ledger {
        let value = entry["value"].as_str().unwrap();
        assert!(!all.contains(value), "{}", entry["kind"]);
    }
    assert!(!all.contains(&secret[6..]));
    let stored = app.database.column("select row_to_json(e) from webhook_endpoint e").await.concat();
    assert!(!stored.contains(&secret[6..]), "the secret is stored sealed");
}
