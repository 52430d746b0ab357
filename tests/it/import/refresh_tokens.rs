//! A refresh token from elsewhere: proved by one refresh, and never revoked by mistake.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_refresh_token_is_proved_by_one_refresh() {
    let office = Office::open().await;
    let token = office.refresh_token(ANN, ASSIST, json!({"organization": "77000002"})).await;
    office.app.zoho.forget_journal().await;
    let (status, connection) = office.import(json!({"refresh_token": token})).await;
    assert_eq!((status, &connection["organization"]["name"]), (201, &json!("Zillum")), "{connection}");
    assert_eq!(connection["person"]["display_name"], "Ann");
    assert_eq!(office.app.zoho.requests("/oauth/v2/token").await, ["accounts:eu POST /oauth/v2/token"]);
    assert_eq!(office.live(ANN).await, [token]);
    let calls = "select cardinality(token_calls)::text from connection";
    assert_eq!(office.app.database.text(calls).await, "1", "the refresh counts against the budget");
}

#[tokio::test]
async fn the_same_token_again_is_never_revoked() {
    let office = Office::open().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let (first, one) = office.import(json!({"refresh_token": token})).await;
    office.app.advance(Duration::from_secs(60)).await;
    let (second, other) = office.import(json!({"refresh_token": token})).await;
    assert_eq!((first, second, &one["id"]), (201, 200, &other["id"]));
    assert_eq!(office.app.database.count("revocation").await, 0);
    let calls = "select cardinality(token_calls)::text from connection";
    assert_eq!(office.app.database.text(calls).await, "2");
    office.app.advance(Duration::from_secs(601)).await;
    assert_eq!(office.live(ANN).await, [token]);
}

#[tokio::test]
async fn another_token_supersedes_and_the_first_one_again_is_taken_back_from_its_end() {
    let office = Office::open().await;
    let first = office.refresh_token(ANN, ASSIST, json!({})).await;
    let second = office.refresh_token(ANN, ASSIST, json!({})).await;
    assert_eq!(office.import(json!({"refresh_token": first})).await.0, 201);
    assert_eq!(office.import(json!({"refresh_token": second})).await.0, 200);
    assert_eq!(office.app.database.column("select reason from revocation where done_at is null").await, ["superseded"]);
    // Before its five minutes are over, the first one is what the connection holds again.
    assert_eq!(office.import(json!({"refresh_token": first})).await.0, 200);
    office.app.advance(Duration::from_secs(301)).await;
    office.wait_for_live(ANN, 1).await;
    assert_eq!(office.live(ANN).await, [first]);
}

#[tokio::test]
async fn a_dead_token_is_an_invalid_request_and_one_of_another_place_too() {
    let office = Office::open().await;
    let refused = office.import(json!({"refresh_token": "1000.never.was"})).await;
    assert_eq!(members(&refused), ["refresh_token"]);
    let token = office.refresh_token(SAM, ASSIST, json!({})).await;
    let refused = office.import(json!({"refresh_token": token})).await;
    assert_eq!(members(&refused), ["refresh_token"], "it is of the United States");
    assert_eq!(office.live(SAM).await.len(), 1);
}

#[tokio::test]
async fn candidates_are_named_and_the_token_lives_on() {
    let office = Office::open().await;
    let token = office.refresh_token(BEA, SALESIQ, json!({})).await;
    let scopes: Vec<&str> = SALESIQ.split(',').collect();
    let mut wanted = json!({"product": "salesiq", "scopes": scopes, "refresh_token": token});
    let refused = office.import(wanted.clone()).await;
    assert_eq!(members(&refused), ["organization"]);
    let named = detail(&refused).split(": ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    wanted["organization"] = json!({"id": named});
    let (status, connection) = office.import(wanted.clone()).await;
    assert_eq!((status, &connection["organization"]["id"]), (201, &json!(named)), "{connection}");
    wanted["organization"] = json!({"id": "nowhere"});
    assert_eq!(members(&office.import(wanted).await), ["organization"]);
    assert_eq!(office.live(BEA).await.len(), 1, "it is never ours to revoke");
}

#[tokio::test]
async fn what_does_not_tell_its_scopes_has_those_that_were_said() {
    let office = Office::open().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    office.app.zoho.settings(json!({"token": {"scope": "absent", "api_domain": "absent"}})).await;
    let (status, connection) = office.import(json!({"refresh_token": token})).await;
    assert_eq!((status, &connection["scopes_granted"]), (201, &connection["scopes_requested"]), "{connection}");
    assert_eq!(connection["person"]["zuid"], "795000000");
}

#[tokio::test]
async fn the_environment_is_what_api_domain_says() {
    let office = Office::open().await;
    let scope = "AaaServer.profile.READ,ZohoCRM.org.READ";
    let token = office.refresh_token(ISHA, scope, json!({"organization": "50000002"})).await;
    let scopes: Vec<&str> = scope.split(',').collect();
    let (status, connection) =
        office.import(json!({"product": "crm", "data_centre": "in", "scopes": scopes, "refresh_token": token})).await;
    assert_eq!((status, &connection["organization"]["environment"]), (201, &json!("sandbox")), "{connection}");
}

#[tokio::test]
async fn zia_agents_needs_its_organization_said() {
    let office = Office::open().await;
    let scope = "ZiaAgents.agents.TRIGGER";
    let token = office.refresh_token(SAM, scope, json!({})).await;
    let mut wanted = json!({"product": "zia_agents", "data_centre": "us", "scopes": [scope], "refresh_token": token});
    office.app.zoho.forget_journal().await;
    assert_eq!(members(&office.import(wanted.clone()).await), ["organization"]);
    assert!(office.app.zoho.token_calls().await.is_empty(), "seen without asking Zoho");
    wanted["organization"] = json!({"id": "60000001", "name": "Rivera", "environment": "developer"});
    let (status, connection) = office.import(wanted).await;
    assert_eq!(status, 201, "{connection}");
    assert_eq!(connection["organization"], json!({"id": "60000001", "name": "Rivera", "environment": "developer"}));
}

#[tokio::test]
async fn zohos_troubles_are_told_apart() {
    let office = Office::open().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let throttled = json!({"status": 200, "body": r#"{"error":"Access Denied","status":"failure"}"#});
    for (act, status, problem) in [
        (throttled, 503, "/problems/zoho-throttled"),
        (json!({"status": 503, "html": "down"}), 503, "/problems/zoho-unavailable"),
        (json!({"status": 200, "html": "<html>"}), 502, "/problems/zoho-misbehaved"),
    ] {
        office.app.zoho.fault(json!({"path": "/oauth/v2/token", "act": act})).await;
        let (told, body) = office.import(json!({"refresh_token": token})).await;
        assert_eq!((told, &body["type"]), (status, &json!(problem)), "{body}");
        office.app.zoho.clear_faults().await;
    }
    assert_eq!(office.import(json!({"refresh_token": token})).await.0, 201);
}
