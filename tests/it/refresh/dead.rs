use super::*;

/// Revokes the person's grant at Zoho, as they would in their account.
async fn revoke_at_zoho(app: &App, person: &str) {
    for token in app.zoho.refresh_tokens(person, "live").await {
        app.zoho.revoke(&app.accounts("us"), &token).await;
    }
}

#[tokio::test]
async fn r12_a_dead_token_is_believed_when_it_is_said_again_a_minute_later() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    revoke_at_zoho(&app, SAM).await;
    app.zoho.forget_journal().await;
    minutes(&app, 61).await;
    let told = back_end.token(&id, "").await;
    assert_eq!(told.problem(), "503 zoho-unavailable");
    assert!((60..=120).contains(&told.retry_after()), "{}", told.retry_after());
    app.advance(Duration::from_secs(59)).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "503 zoho-unavailable");
    assert_eq!((refreshes(&app).await, column(&app, "status").await), (1, "active".to_owned()));
    // Nobody needs to ask: the worker confirms.
    app.advance(Duration::from_secs(61)).await;
    wait_for_column(&app, "status", "needs_reconnect").await;
    let refused = back_end.token(&id, "").await;
    assert_eq!(refused.problem(), "409 needs-reconnect");
    let document = refused.json();
    assert_eq!(document["reason"], "revoked");
    assert_eq!(document["reconnect_url"], format!("{}/connections/{id}", app.public_url().origin()));
    minutes(&app, 120).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "409 needs-reconnect");
    assert_eq!(refreshes(&app).await, 2, "and nobody asks again");
    let events = "select count(*) from audit_event where action = 'needs_reconnect'";
    assert_eq!(app.database.text(events).await, "1");
}

#[tokio::test]
async fn r12_reconnecting_heals_the_same_connection() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let back_end = app.backend(TOKENS).await;
    revoke_at_zoho(&app, SAM).await;
    minutes(&app, 61).await;
    back_end.token(&id, "").await;
    minutes(&app, 3).await;
    wait_for_column(&app, "status", "needs_reconnect").await;
    let page = app.visitor();
    page.go("/login?product=none", SAM).await;
    let began = page.submit("/connections", &format!("/connections/{id}/reconnect"), &[]).await;
    let callback = page.go_to_zoho(began.location(), SAM).await;
    page.land(&callback).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    assert_eq!(column(&app, "status").await, "active");
}

#[tokio::test]
async fn r12_what_zoho_takes_back_is_forgotten() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.fault(json!({"path": TOKEN, "count": 1, "act": {"body": r#"{"error":"invalid_code"}"#}})).await;
    minutes(&app, 61).await;
    assert_eq!(back_end.token(&id, "").await.status, 503);
    minutes(&app, 3).await;
    wait_for_column(&app, "status || ' ' || health || ' ' || (dead_since is null)", "active ok true").await;
    // Months later one word is again no more than a suspicion.
    app.zoho.fault(json!({"path": TOKEN, "count": 1, "act": {"body": r#"{"error":"invalid_code"}"#}})).await;
    minutes(&app, 61).await;
    assert_eq!(back_end.token(&id, "").await.status, 503);
    assert_eq!(column(&app, "status").await, "active");
}

#[tokio::test]
async fn r12_a_dead_token_is_kept_for_thirty_days() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    revoke_at_zoho(&app, SAM).await;
    minutes(&app, 61).await;
    back_end.token(&id, "").await;
    minutes(&app, 3).await;
    wait_for_column(&app, "status", "needs_reconnect").await;
    assert_eq!(column(&app, "refresh_token_sealed is not null").await, "true");
    app.advance(Duration::from_secs(29 * 86_400)).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "409 needs-reconnect");
    assert_eq!(column(&app, "refresh_token_sealed is not null").await, "true");
    app.advance(Duration::from_secs(2 * 86_400)).await;
    wait_for_column(&app, "refresh_token_sealed is null", "true").await;
    assert_eq!(column(&app, "status").await, "needs_reconnect");
}

#[tokio::test]
async fn d9_an_evicted_token_is_told_apart_from_a_revoked_one() {
    let app = App::builder().config(|config| config.refresh_tokens_per_person = 20).start().await;
    app.zoho.settings(json!({"limits": {"refresh_tokens_per_person": 2}})).await;
    let sam = app.visitor();
    sam.connect("assist", SAM, "all").await;
    let id = sam.only_connection().await;
    app.advance(Duration::from_secs(1)).await;
    // Two later ones, by another installation that we know nothing of, would be a revocation to us;
    // two of ours, where two are all that Zoho keeps, are not.
    for product in ["crm", "desk"] {
        sam.connect(product, SAM, "all").await;
        app.advance(Duration::from_secs(1)).await;
    }
    let back_end = app.backend(TOKENS).await;
    minutes(&app, 61).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "503 zoho-unavailable");
    minutes(&app, 3).await;
    let refused = wait_for("the token is dead", || async {
        Some(back_end.token(&id, "").await).filter(|told| told.status == 409)
    })
    .await;
    assert_eq!(refused.json()["reason"], "revoked", "we know of two later ones and Zoho is said to keep twenty");
}

#[tokio::test]
async fn d9_the_oldest_of_too_many_was_evicted() {
    let app = App::builder().config(|config| config.refresh_tokens_per_person = 2).start().await;
    app.zoho.settings(json!({"limits": {"refresh_tokens_per_person": 2}})).await;
    let sam = app.visitor();
    sam.connect("assist", SAM, "all").await;
    let id = sam.only_connection().await;
    for product in ["crm", "desk"] {
        app.advance(Duration::from_secs(1)).await;
        // From a browser where nobody knows whom to warn of it.
        app.visitor().connect(product, SAM, "all").await;
    }
    let back_end = app.backend(TOKENS).await;
    minutes(&app, 61).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "503 zoho-unavailable");
    minutes(&app, 3).await;
    let refused = wait_for("the token is dead", || async {
        Some(back_end.token(&id, "").await).filter(|told| told.status == 409)
    })
    .await;
    assert_eq!(refused.json()["reason"], "evicted");
}
