use super::*;

#[tokio::test]
async fn r7_five_hundred_callers_on_three_replicas_share_one_call() {
    let app = App::builder().replicas(3).start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.forget_journal().await;
    app.zoho.fault(json!({"path": TOKEN, "act": {"delay_ms": 3000}})).await;
    minutes(&app, 61).await;
    let calls = (0..500).map(|index| {
        let (back_end, id) = (back_end.via(index), id.clone());
        async move { back_end.token(&id, "").await.member("access_token") }
    });
    let tokens = futures_util::future::join_all(calls).await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(refreshes(&app).await, 1);
}

#[tokio::test]
async fn connections_do_not_wait_for_each_other() {
    let app = App::start().await;
    let (slow, quick) = (connect(&app, BEA).await, connect(&app, SAM).await);
    let back_end = app.backend(TOKENS).await;
    app.zoho.fault(json!({"path": TOKEN, "listener": "accounts:eu", "act": {"delay_ms": 4000}})).await;
    minutes(&app, 61).await;
    let slow = {
        let back_end = back_end.clone();
        tokio::spawn(async move { back_end.token(&slow, "").await.status })
    };
    wait_for("the slow call is under way", || async { (refreshes(&app).await == 1).then_some(()) }).await;
    assert_eq!(back_end.token(&quick, "").await.status, 200);
    assert!(!slow.is_finished(), "the quick one did not wait");
    assert_eq!(slow.await.unwrap(), 200);
}

#[tokio::test]
async fn s19_a_foreign_api_domain_on_refresh_is_compared_and_ignored() {
    let outside = Outside::listen().await;
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.fault(json!({"path": TOKEN, "act": {"json": {"set": {"/api_domain": outside.url()}}}})).await;
    minutes(&app, 61).await;
    let told = back_end.token(&id, "").await;
    assert_eq!(told.member("api_domain"), app.api("us"));
    outside.assert_untouched().await;
}

#[tokio::test]
async fn a_refresh_token_in_the_answer_is_kept() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    let sealed = column(&app, "refresh_token_sealed").await;
    let living = app.zoho.refresh_tokens(SAM, "live").await.remove(0);
    app.zoho.fault(json!({"path": TOKEN, "count": 1, "act": {"json": {"set": {"/refresh_token": living}}}})).await;
    minutes(&app, 61).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    assert_ne!(column(&app, "refresh_token_sealed").await, sealed);
    minutes(&app, 61).await;
    assert_eq!(back_end.token(&id, "").await.status, 200, "it works");
}
