use super::*;

#[tokio::test]
async fn s56_less_life_than_asked_for_means_a_refresh_first() {
    let connected = Connected::start().await;
    let first = connected.token("").await.member("token_id");
    connected.advance_minutes(10).await;
    assert_eq!(connected.token("?minimum_seconds=3000").await.member("token_id"), first, "exactly enough");
    connected.advance_minutes(1).await;
    let second = connected.token("?minimum_seconds=3000").await;
    assert_ne!(second.member("token_id"), first);
    assert_eq!(second.member("expires_in"), "3600");
    assert!(connected.works(&second.member("access_token")).await);
    assert_eq!(connected.refreshes().await, 1);
}

#[tokio::test]
async fn s56_a_new_token_shorter_than_asked_is_handed_out_as_it_is() {
    let connected = Connected::start().await;
    connected.app.zoho.settings(json!({"limits": {"access_token_seconds": 120}})).await;
    connected.advance_minutes(56).await;
    for _ in 0..3 {
        assert_eq!(connected.token("?minimum_seconds=3000").await.member("expires_in"), "120");
    }
    assert_eq!(connected.refreshes().await, 1, "another would be as short");
}

#[tokio::test]
async fn s56_a_minimum_is_a_number_up_to_3000() {
    let connected = Connected::start().await;
    for bad in ["3001", "-1", "soon", "1.5", "%2B5", "99999999999999999999"] {
        let told = connected.token(&format!("?minimum_seconds={bad}")).await;
        assert_eq!(told.problem(), "400 invalid-request", "{bad}");
        assert_eq!(told.json()["errors"][0]["member"], "minimum_seconds");
    }
    for odd in ["?minimum=5", "?minimum_seconds=5&minimum_seconds=6", "?rejected=a%20b"] {
        assert_eq!(connected.token(odd).await.problem(), "400 invalid-request", "{odd}");
    }
    assert_eq!(connected.token("?minimum_seconds=0").await.status, 200);
}

#[tokio::test]
async fn r16_whatever_the_unit_a_dead_token_is_not_handed_out() {
    let connected = Connected::start().await;
    connected.app.zoho.settings(json!({"token": {"expires_in": "milliseconds"}})).await;
    connected.advance_minutes(61).await;
    let token = connected.token("").await;
    assert_eq!(token.member("expires_in"), "3600");
    connected.advance_minutes(61).await;
    let next = connected.token("?minimum_seconds=0").await;
    assert_ne!(next.member("access_token"), token.member("access_token"));
    assert!(connected.works(&next.member("access_token")).await);
}

#[tokio::test]
async fn s58_all_who_name_the_rejected_token_share_one_refresh() {
    let connected = Connected::start_with(App::builder().replicas(2)).await;
    let old = connected.token("").await.member("token_id");
    connected.app.zoho.fault(json!({"path": "/oauth/v2/token", "act": {"delay_ms": 300}})).await;
    let query = format!("?rejected={old}");
    let calls = (0..40).map(|index| {
        let back_end = connected.back_end.via(index);
        let (id, query) = (connected.id.clone(), query.clone());
        async move { back_end.token(&id, &query).await.member("token_id") }
    });
    let ids = futures_util::future::join_all(calls).await;
    assert!(ids.iter().all(|id| *id == ids[0] && *id != old), "{ids:?}");
    assert_eq!(connected.refreshes().await, 1);
    // Who names an older one, or one that never was, gets the current token.
    for older in [old.as_str(), "v0", "anything"] {
        assert_eq!(connected.token(&format!("?rejected={older}")).await.member("token_id"), ids[0]);
    }
    assert_eq!(connected.refreshes().await, 1);
}

#[tokio::test]
async fn d9_the_budget_is_kept_here_and_not_discovered_at_zoho() {
    let connected = Connected::start_with(App::builder().replicas(2)).await;
    let mut current = connected.token("").await.member("token_id");
    for call in 0..10 {
        let told = connected.back_end.via(call).token(&connected.id, &format!("?rejected={current}")).await;
        current = told.member("token_id");
        connected.app.advance(Duration::from_secs(20)).await;
    }
    let spent = connected.token(&format!("?rejected={current}")).await;
    assert_eq!(spent.problem(), "503 zoho-throttled");
    assert!((380..=400).contains(&spent.retry_after()), "until the first call is ten minutes old: {spent:?}");
    assert_eq!(connected.token("").await.member("token_id"), current, "a token that nobody rejected is served");
    assert_eq!(connected.refreshes().await, 10);
    connected.app.advance(Duration::from_secs(401)).await;
    assert_ne!(connected.token(&format!("?rejected={current}")).await.member("token_id"), current);
    assert_eq!(connected.refreshes().await, 11);
}
