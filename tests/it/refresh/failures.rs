use super::*;

#[tokio::test]
async fn r9_ten_minutes_of_outage_change_no_status_and_pass_without_a_herd() {
    let app = App::start().await;
    let (down, up) = (connect(&app, SAM).await, connect(&app, BEA).await);
    let back_end = app.backend(TOKENS).await;
    app.zoho.forget_journal().await;
    minutes(&app, 49).await;
    app.zoho.fault(json!({"path": TOKEN, "listener": "accounts:us", "act": {"status": 503}})).await;
    for _ in 0..10 {
        assert_eq!(back_end.token(&down, "?minimum_seconds=3000").await.status, 200, "life is left");
        assert_eq!(back_end.token(&up, "?minimum_seconds=3000").await.member("warnings"), "[]", "another data centre");
        minutes(&app, 1).await;
    }
    app.advance(Duration::from_secs(61)).await;
    for _ in 0..20 {
        assert_eq!(back_end.token(&down, "").await.problem(), "503 zoho-unavailable");
    }
    let asked = app.zoho.journal("path=/oauth/v2/token&listener=accounts:us").await.len();
    assert!(asked <= 40, "{asked} calls while Zoho was down");
    app.zoho.clear_faults().await;
    app.advance(Duration::from_secs(30)).await;
    let told = back_end.token(&down, "").await;
    assert_eq!(told.member("warnings"), "[]", "well within half a minute");
    let bad = app.database.column("select status from connection where status <> 'active' or health <> 'ok'").await;
    assert!(bad.is_empty(), "{bad:?}");
}

#[tokio::test]
async fn r10_a_throttled_connection_waits_ten_minutes_or_as_long_as_zoho_says() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.forget_journal().await;
    app.zoho
        .fault(json!({"path": TOKEN, "count": 1, "act": {"status": 429, "headers": {"Retry-After": "1800"}}}))
        .await;
    minutes(&app, 61).await;
    let told = back_end.token(&id, "").await;
    assert_eq!(told.problem(), "503 zoho-throttled");
    assert!((1800..=2100).contains(&told.retry_after()), "{}", told.retry_after());
    assert_eq!(column(&app, "health").await, "throttled");
    for _ in 0..5 {
        minutes(&app, 5).await;
        assert_eq!(back_end.token(&id, "").await.problem(), "503 zoho-throttled");
    }
    assert_eq!(refreshes(&app).await, 1, "nobody asks meanwhile");
    minutes(&app, 11).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    wait_for_column(&app, "health", "ok").await;
    assert_eq!(column(&app, "status").await, "active");
}

#[tokio::test]
async fn r11_a_wrong_secret_on_one_replica_changes_no_connection_and_heals_by_itself() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.fault(json!({"path": TOKEN, "act": {"body": r#"{"error":"invalid_client_secret"}"#}})).await;
    minutes(&app, 61).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "503 zoho-misconfigured");
    for _ in 0..10 {
        assert_eq!(back_end.token(&id, "").await.problem(), "503 zoho-misconfigured");
    }
    assert!(refreshes(&app).await <= 2, "a secret that was refused is not shown again and again");
    assert_eq!(column(&app, "status || ' ' || health").await, "active misconfigured");
    app.zoho.clear_faults().await;
    app.advance(Duration::from_secs(31)).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    assert_eq!(column(&app, "status || ' ' || health").await, "active ok");
}

#[tokio::test]
async fn r14_a_zoho_that_never_answers_is_given_up() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.fault(json!({"path": TOKEN, "act": {"hang": true}})).await;
    minutes(&app, 61).await;
    let told = back_end.token(&id, "").await;
    assert_eq!(told.status, 503, "{}", told.text);
    assert_eq!(column(&app, "status").await, "active");
}

#[tokio::test]
async fn trouble_and_recovery_are_told_once_in_the_history() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.fault(json!({"path": TOKEN, "act": {"status": 503}})).await;
    minutes(&app, 61).await;
    for _ in 0..3 {
        assert_eq!(back_end.token(&id, "").await.status, 503);
        app.advance(Duration::from_secs(9)).await;
    }
    app.zoho.clear_faults().await;
    app.advance(Duration::from_secs(15)).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    minutes(&app, 56).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    let events =
        "select action || ' ' || outcome from audit_event where actor_kind = 'engine' order by at, audit_event_id";
    assert_eq!(app.database.column(events).await, ["refresh_failed unavailable", "recovered done", "refreshed done"]);
}
