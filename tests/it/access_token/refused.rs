use super::*;

#[tokio::test]
async fn s59_a_choice_that_is_not_made_yields_no_token() {
    let app = App::start().await;
    let bea = app.visitor();
    bea.go("/login?product=salesiq", BEA).await;
    let id = bea.only_connection().await;
    let back_end = app.backend(TOKENS).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "409 choosing-organization");
}

#[tokio::test]
async fn s47_a_token_of_another_row_is_not_handed_out_and_nothing_is_overwritten() {
    let connected = Connected::start().await;
    let sam = connected.app.visitor();
    sam.connect("crm", SAM, "all").await;
    let other = sam.connection_ids().await.into_iter().find(|id| *id != connected.id).unwrap();
    let sealed = |id: &str| format!("select access_token_sealed from connection where connection_id = '{id}'");
    let [own, foreign] =
        [connected.app.database.text(&sealed(&connected.id)).await, connected.app.database.text(&sealed(&other)).await];
    let put = |value: &str| {
        format!("update connection set access_token_sealed = '{value}' where connection_id = '{}'", connected.id)
    };
    connected.app.database.execute(&put(&foreign)).await;
    connected.app.zoho.forget_journal().await;
    assert_eq!(connected.token("").await.problem(), "503 unavailable");
    let health = format!("select health from connection where connection_id = '{}'", connected.id);
    wait_for("the connection is unreadable", || async {
        (connected.app.database.text(&health).await == "unreadable").then_some(())
    })
    .await;
    assert_eq!(connected.app.database.text(&sealed(&connected.id)).await, foreign, "not overwritten");
    assert_eq!(connected.refreshes().await, 0, "nothing is sent");
    connected.app.database.execute(&put(&own)).await;
    // What was read is remembered for half a second.
    wait_for("the token is handed out", || async { (connected.token("").await.status == 200).then_some(()) }).await;
    wait_for("the connection is well", || async { (connected.app.database.text(&health).await == "ok").then_some(()) })
        .await;
}

#[tokio::test]
async fn s57_nobody_fails_while_a_usable_token_exists() {
    for (fault, warning, problem) in [
        (json!({"status": 503}), "zoho_unavailable", "503 zoho-unavailable"),
        (json!({"html": "<h1>Sorry</h1>"}), "zoho_unavailable", "502 zoho-misbehaved"),
        (json!({"status": 429}), "zoho_throttled", "503 zoho-throttled"),
        (json!({"body": r#"{"error":"Access Denied","status":"failure"}"#}), "zoho_throttled", "503 zoho-throttled"),
        (json!({"body": r#"{"error":"invalid_client_secret"}"#}), "zoho_misconfigured", "503 zoho-misconfigured"),
        (json!({"body": r#"{"error":"invalid_client"}"#}), "zoho_misconfigured", "503 zoho-misconfigured"),
        (json!({"body": r#"{"error":"general_error"}"#}), "zoho_unavailable", "502 zoho-misbehaved"),
        (json!({"body": r#"{"error":"invalid_code"}"#}), "zoho_unavailable", "503 zoho-unavailable"),
        (json!({"reset": true}), "zoho_unavailable", "503 zoho-unavailable"),
    ] {
        let connected = Connected::start().await;
        connected.app.zoho.fault(json!({"path": "/oauth/v2/token", "act": fault})).await;
        connected.advance_minutes(59).await;
        let told = connected.token("").await;
        assert_eq!(told.member("warnings"), format!("[\"{warning}\"]"), "{fault}");
        assert!(connected.works(&told.member("access_token")).await);
        connected.app.advance(Duration::from_secs(61)).await;
        let refused = connected.token("").await;
        // Who is told that Zoho makes no sense is the one who asked it; who comes next is told that it is not to be had.
        let expected = if refused.status == 503 {
            problem.replace("502 zoho-misbehaved", "503 zoho-unavailable")
        } else {
            problem.to_owned()
        };
        assert_eq!(refused.problem(), expected, "{fault}");
        if refused.status == 503 {
            assert!(refused.retry_after() >= 1);
        }
        let status = connected.app.database.text("select status from connection").await;
        assert_eq!(status, "active", "{fault}");
    }
}
