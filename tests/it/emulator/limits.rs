//! E-3: limits, on a clock that can be moved.

use super::*;

#[tokio::test]
async fn e3_the_twenty_first_refresh_token_kills_the_oldest_with_its_access_tokens() {
    let zoho = Zoho::start().await;
    let first = zoho.connect(SAM, &[]).await;
    let second = zoho.connect(SAM, &[]).await;
    for _ in 0..18 {
        zoho.connect(SAM, &[]).await;
    }
    assert!(zoho.works("us", &first.access).await);
    zoho.connect(SAM, &[]).await;
    assert!(!zoho.works("us", &first.access).await);
    assert_eq!(error(zoho.refresh("us", &first.refresh).await), said(200, "invalid_code"));
    assert_eq!(error(zoho.refresh("us", &second.refresh).await), said(200, "none"));
    let entry = &zoho.ledger(&format!("value={}", first.refresh)).await[0];
    assert_eq!(entry["state"], "evicted");
}

#[tokio::test]
async fn e3_refresh_tokens_are_counted_per_person_and_client() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"limits": {"refresh_tokens_per_person": 2}})).await;
    let ann = zoho.connect(ANN, &[]).await;
    for _ in 0..3 {
        zoho.connect(SAM, &[]).await;
    }
    assert_eq!(error(zoho.refresh("eu", &ann.refresh).await), said(200, "none"));
}

#[tokio::test]
async fn e3_the_surplus_refresh_token_can_be_denied_instead() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"limits": {"refresh_tokens_per_person": 1, "refresh_tokens_beyond": "deny"}})).await;
    let first = zoho.connect(SAM, &[]).await;
    let code = zoho.code(SAM, &[]).await;
    assert_eq!(error(zoho.exchange("us", &code).await), said(400, "Access Denied"));
    assert_eq!(error(zoho.refresh("us", &first.refresh).await), said(200, "none"));
}

#[tokio::test]
async fn e3_a_revoked_refresh_token_makes_room() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"limits": {"refresh_tokens_per_person": 2}})).await;
    let first = zoho.connect(SAM, &[]).await;
    let second = zoho.connect(SAM, &[]).await;
    assert_eq!(zoho.revoke("us", &second.refresh).await, 200);
    zoho.connect(SAM, &[]).await;
    assert_eq!(error(zoho.refresh("us", &first.refresh).await), said(200, "none"));
}

#[tokio::test]
async fn e3_the_eleventh_live_access_token_kills_the_first() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"limits": {"refreshes_per_window": null}})).await;
    let tokens = zoho.connect(SAM, &[]).await;
    let mut made = vec![tokens.access.clone()];
    for _ in 0..9 {
        made.push(zoho.refresh("us", &tokens.refresh).await.1["access_token"].as_str().unwrap().to_owned());
    }
    assert!(zoho.works("us", &made[0]).await);
    zoho.refresh("us", &tokens.refresh).await;
    assert!(!zoho.works("us", &made[0]).await);
    assert!(zoho.works("us", &made[1]).await);
}

#[tokio::test]
async fn e3_the_eleventh_refresh_within_ten_minutes_is_throttled_for_the_rest_of_the_window() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    let other = zoho.connect(SAM, &[]).await;
    for _ in 0..10 {
        assert_eq!(error(zoho.refresh("us", &tokens.refresh).await), said(200, "none"));
    }
    let (status, answer) = zoho.refresh("us", &tokens.refresh).await;
    assert_eq!((status, &answer["error"], &answer["status"]), (400, &json!("Access Denied"), &json!("failure")));
    assert!(answer["error_description"].as_str().unwrap().starts_with("You have made too many requests continuously"));
    assert_eq!(error(zoho.refresh("us", &other.refresh).await), said(200, "none"));

    zoho.advance(590).await;
    assert_eq!(zoho.refresh("us", &tokens.refresh).await.0, 400);
    zoho.advance(11).await;
    assert_eq!(error(zoho.refresh("us", &tokens.refresh).await), said(200, "none"));
}

#[tokio::test]
async fn e3_an_access_token_dies_after_an_hour() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    zoho.advance(3590).await;
    assert!(zoho.works("us", &tokens.access).await);
    zoho.advance(11).await;
    assert!(!zoho.works("us", &tokens.access).await);
}

#[tokio::test]
async fn e3_uses_of_a_refresh_token_are_unlimited_unless_set() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"limits": {"uses_per_refresh_token": 2}})).await;
    let tokens = zoho.connect(SAM, &[]).await;
    for word in ["none", "none", "invalid_code"] {
        assert_eq!(error(zoho.refresh("us", &tokens.refresh).await), said(200, word));
    }
    zoho.settings(json!({"limits": {"uses_per_refresh_token": null}})).await;
    assert_eq!(error(zoho.refresh("us", &tokens.refresh).await), said(200, "none"));
}

#[tokio::test]
async fn e3_creation_rates_are_off_unless_set() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"limits": {"refresh_tokens_per_minute": 1, "codes_per_10_minutes": 2}})).await;
    zoho.connect(SAM, &[]).await;
    let code = zoho.code(SAM, &[]).await;
    assert_eq!(zoho.exchange("us", &code).await.0, 400);
    let third = zoho.authorize("us", &[("emulator_person", SAM), ("emulator_answer", "accept")]).await;
    assert_eq!(third.status(), 400);
    zoho.advance(61).await;
    assert_eq!(error(zoho.exchange("us", &code).await), said(200, "none"));
    zoho.advance(601).await;
    zoho.code(SAM, &[]).await;
}
