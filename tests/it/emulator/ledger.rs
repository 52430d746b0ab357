//! E-9: the ledger.

use super::*;

#[tokio::test]
async fn e9_everything_issued_is_listed_with_its_owner_state_and_cause_of_death() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(ANN, &[("emulator_organization", "77000001")]).await;
    zoho.revoke("eu", &tokens.refresh).await;
    let entries = zoho.ledger(&format!("person={ANN}")).await;
    let short: Vec<(&str, &str, &str)> = entries
        .iter()
        .map(|entry| {
            (entry["kind"].as_str().unwrap(), entry["state"].as_str().unwrap(), entry["cause"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        short,
        [
            ("code", "used", "exchanged"),
            ("refresh_token", "revoked", "revoked by its client"),
            ("access_token", "revoked", "its refresh token: revoked by its client"),
        ]
    );
    for entry in &entries {
        assert_eq!((&entry["data_centre"], &entry["organization"]), (&json!("eu"), &json!("77000001")));
        assert_eq!(entry["client_id"], zoho.client.client_id);
        assert!(entry["created"].is_string() && entry["ended"].is_string());
    }
    assert_eq!(entries[0]["produced"], json!([tokens.refresh, tokens.access]));
    assert_eq!(zoho.ledger("kind=client_secret&state=live").await.len(), 11);
}

#[tokio::test]
async fn e9_expiry_and_reuse_are_told_apart() {
    let zoho = Zoho::start().await;
    let lost = zoho.code(SAM, &[]).await;
    zoho.advance(121).await;
    let code = zoho.code(SAM, &[]).await;
    zoho.exchange("us", &code).await;
    zoho.exchange("us", &code).await;
    assert_eq!(zoho.ledger(&format!("value={lost}")).await[0]["state"], "expired");
    assert_eq!(zoho.ledger(&format!("value={code}")).await[0]["presented"], 2);
    assert_eq!(zoho.ledger("kind=refresh_token").await[0]["cause"], "its code was presented again");
}

#[tokio::test]
async fn e9_replaced_client_secrets_are_remembered() {
    let zoho = Zoho::start().await;
    let old = zoho.secret("eu").to_owned();
    let path = format!("/control/clients/{}", zoho.client.client_id);
    zoho.control(Method::PATCH, &path, json!({"secrets": {"eu": "a new one"}})).await;
    assert_eq!(zoho.ledger(&format!("value={old}")).await[0]["state"], "revoked");
    assert_eq!(error(zoho.refresh("eu", "1000.no.token").await), said(200, "invalid_client_secret"));
}

#[tokio::test]
async fn e9_a_person_takes_a_grant_back_for_one_organization() {
    let zoho = Zoho::start().await;
    let one = zoho.connect(ANN, &[("emulator_organization", "77000000")]).await;
    let other = zoho.connect(ANN, &[("emulator_organization", "77000001")]).await;
    let which = json!({"person": "ann@example.com", "organization": "77000000"});
    assert_eq!(zoho.control(Method::POST, "/control/grants/revoke", which).await, json!({"revoked": 1}));
    assert_eq!(error(zoho.refresh("eu", &one.refresh).await), said(200, "invalid_code"));
    assert!(zoho.works("eu", &other.access).await);
    assert_eq!(
        zoho.control(Method::POST, "/control/grants/revoke", json!({"person": ANN})).await,
        json!({"revoked": 1})
    );
    assert!(!zoho.works("eu", &other.access).await);
    let asked_again = zoho.authorize("eu", &[("emulator_person", ANN), ("prompt", "")]).await;
    assert_eq!(asked_again.status(), 200, "the consent is gone too");
}

#[tokio::test]
async fn e9_the_summary_counts() {
    let zoho = Zoho::start().await;
    zoho.connect(SAM, &[]).await;
    let summary = zoho.control(Method::GET, "/control/ledger/summary", json!({})).await;
    assert_eq!(
        summary,
        json!({"access_token": {"live": 1}, "client_secret": {"live": 11}, "code": {"used": 1}, "refresh_token": {"live": 1}})
    );
}
