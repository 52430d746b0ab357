//! A self client's code: exchanged once, and nothing of it is lost.

use super::*;

#[tokio::test]
async fn a_code_becomes_a_connection_that_tells_whose_it_is() {
    let office = Office::open().await;
    let code = office.code(ANN, ASSIST, json!({"organization": "77000001"})).await;
    let (status, connection) = office.import(json!({"self_client_code": code})).await;
    assert_eq!(status, 201, "{connection}");
    assert_eq!(connection["status"], "active");
    assert_eq!(connection["tenant"]["external_id"], "acme");
    assert_eq!(connection["person"]["zuid"], "795000000");
    assert_eq!(
        connection["organization"],
        json!({"id": "77000001", "name": "Zylker Labs", "environment": "production"})
    );
    assert_eq!(connection["scopes_granted"], json!(["AaaServer.profile.READ", "ZohoAssist.userapi.READ"]));
    assert_eq!(office.live(ANN).await.len(), 1);
    let calls = office.app.zoho.token_calls().await;
    let form = &calls[0].form;
    assert!(!form.contains_key("redirect_uri") && calls[0].query.is_empty());
    assert_eq!(office.audited().await, ["api_key tenant_created done", "api_key imported done"]);
    assert_eq!(office.app.database.count("membership").await, 0, "whoever is imported belongs to no tenant by it");
    assert_eq!(office.app.database.count("revocation").await, 0);
    assert_eq!(office.app.database.rows_with_secrets().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_code_for_the_same_again_updates_the_connection_and_supersedes_its_token() {
    let office = Office::open().await;
    let mut ids = Vec::new();
    for expected in [201, 200] {
        let code = office.code(ANN, ASSIST, json!({"organization": "77000000"})).await;
        let (status, connection) = office.import(json!({"self_client_code": code})).await;
        assert_eq!(status, expected, "{connection}");
        ids.push(connection["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(office.live(ANN).await.len(), 2);
    office.app.advance(std::time::Duration::from_secs(301)).await;
    office.wait_for_live(ANN, 1).await;
}

#[tokio::test]
async fn a_dead_code_is_an_invalid_request() {
    let office = Office::open().await;
    let refused = office.import(json!({"self_client_code": "1000.never.was"})).await;
    assert_eq!(members(&refused), ["self_client_code"]);
    let code = office.code(ANN, ASSIST, json!({"life_seconds": 60})).await;
    office.app.advance(std::time::Duration::from_secs(61)).await;
    let refused = office.import(json!({"self_client_code": code})).await;
    assert_eq!(members(&refused), ["self_client_code"]);
    assert_eq!(office.app.database.count("connection").await, 0);
    assert_eq!(office.audited().await[1], "api_key import_failed failed dead_code");
}

#[tokio::test]
async fn d3_a_code_is_presented_once_however_often_it_is_imported() {
    let office = Office::open().await;
    let presented = async || {
        let calls = office.app.zoho.token_calls().await;
        calls
            .iter()
            .filter(|call| call.form.get("grant_type").is_some_and(|grant| grant == "authorization_code"))
            .count()
    };
    let code = office.code(ANN, ASSIST, json!({"organization": "77000000"})).await;
    let again = json!({"self_client_code": code});
    let (status, connection) = office.import(again.clone()).await;
    assert_eq!(status, 201, "{connection}");
    assert_eq!(members(&office.import(again).await), ["self_client_code"]);
    assert_eq!((presented().await, office.live(ANN).await.len()), (1, 1), "what came of it lives on");
    // Also by many at once.
    let code = office.code(ANN, ASSIST, json!({"organization": "77000001"})).await;
    let import = || office.import(json!({"self_client_code": code}));
    let answers = futures_util::future::join_all((0..5).map(|_| import())).await;
    let made = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!((made, presented().await, office.live(ANN).await.len()), (1, 2, 2));
}

#[tokio::test]
async fn d3_the_code_of_a_sign_in_is_not_presented_by_an_import() {
    let office = Office::open().await;
    let sam = office.app.visitor();
    let callback = sam.go_to_zoho(&sam.begin("/login").await, SAM).await;
    sam.come_back(&callback).await.assert_status(303);
    let code = parameter(&callback, "code").expect("a code");
    let calls = office.app.zoho.token_calls().await.len();
    let refused = office.import(json!({"self_client_code": code, "data_centre": "us"})).await;
    assert_eq!(members(&refused), ["self_client_code"]);
    assert_eq!(office.app.zoho.token_calls().await.len(), calls);
    assert_eq!(office.live(SAM).await.len(), 1);
}

#[tokio::test]
async fn s14_dead_codes_and_tokens_are_limited_per_peer() {
    for member in ["self_client_code", "refresh_token"] {
        let app = App::builder().config(|config| config.failed_exchanges_per_minute = 2).start().await;
        let office = Office::of(app).await;
        for _ in 0..2 {
            assert_eq!(office.import(json!({member: "1000.never.was"})).await.0, 400);
        }
        let (status, problem) = office.import(json!({member: "1000.never.was"})).await;
        assert_eq!((status, &problem["type"]), (429, &json!("/problems/too-many-requests")), "{member}");
    }
}

#[tokio::test]
async fn without_the_profile_scope_nobody_is_named_and_the_same_again_is_the_same() {
    let office = Office::open().await;
    let scope = "ZohoAssist.userapi.READ";
    let mut ids = Vec::new();
    for expected in [201, 200] {
        let code = office.code(ANN, scope, json!({"organization": "77000000"})).await;
        let (status, connection) = office.import(json!({"self_client_code": code, "scopes": [scope]})).await;
        assert_eq!((status, &connection["person"]), (expected, &Value::Null), "{connection}");
        assert_eq!(connection["organization"]["id"], "77000000");
        ids.push(connection["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(office.app.database.count("person").await, 0);
}

#[tokio::test]
async fn of_several_organizations_none_is_picked() {
    let office = Office::open().await;
    let code = office.code(BEA, SALESIQ, json!({})).await;
    let salesiq = json!({"product": "salesiq", "scopes": SALESIQ.split(',').collect::<Vec<_>>()});
    let mut wanted = salesiq.clone();
    wanted["self_client_code"] = code.into();
    let (status, connection) = office.import(wanted).await;
    assert_eq!((status, &connection["status"], &connection["organization"]), (201, &json!("choosing"), &Value::Null));

    // Nobody is known who could choose: the token, which nobody else has, is revoked.
    let scope = "SalesIQ.portals.READ";
    let code = office.code(BEA, scope, json!({})).await;
    let refused = office.import(json!({"product": "salesiq", "scopes": [scope], "self_client_code": code})).await;
    assert_eq!(members(&refused), ["organization"]);
    assert_eq!(detail(&refused).matches(" (").count(), 3, "{}", detail(&refused));
    office.wait_for_live(BEA, 1).await;
}

#[tokio::test]
async fn another_organization_than_said_is_refused_and_the_new_token_revoked() {
    let office = Office::open().await;
    let code = office.code(ANN, ASSIST, json!({"organization": "77000000"})).await;
    let refused = office.import(json!({"self_client_code": code, "organization": {"id": "77000001"}})).await;
    assert_eq!(members(&refused), ["organization"]);
    assert!(detail(&refused).contains("77000000 (Zylker)"), "{}", detail(&refused));
    office.wait_for_live(ANN, 0).await;
    wait_for("the receipt", || async {
        let receipts = office.app.database.column("select reason || ' ' || outcome from revocation").await;
        (receipts == ["not_connected yes"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn s13_a_code_without_a_refresh_token_is_said_at_once() {
    let office = Office::open().await;
    let code = office.code(ANN, ASSIST, json!({"access_type": "online"})).await;
    let refused = office.import(json!({"self_client_code": code})).await;
    assert_eq!(members(&refused), ["self_client_code"]);
}

#[tokio::test]
async fn what_zoho_cannot_tell_now_is_unavailable_and_leaves_no_token_behind() {
    let office = Office::open().await;
    office.app.zoho.fault(json!({"path": "/api/v2/user", "act": {"status": 503, "html": "down"}})).await;
    let code = office.code(ANN, ASSIST, json!({"organization": "77000000"})).await;
    let (status, problem) = office.import(json!({"self_client_code": code})).await;
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/zoho-unavailable")));
    office.wait_for_live(ANN, 0).await;
    assert_eq!(office.app.database.count("connection").await, 0);
}

#[tokio::test]
async fn the_person_who_hangs_up_loses_nothing() {
    let office = Office::open().await;
    office.app.zoho.fault(json!({"path": "/oauth/v2/token", "act": {"delay_ms": 1500}})).await;
    let code = office.code(ANN, ASSIST, json!({"organization": "77000000"})).await;
    let hung_up =
        tokio::time::timeout(std::time::Duration::from_millis(500), office.import(json!({"self_client_code": code})));
    assert!(hung_up.await.is_err());
    wait_for("the connection", || async { (office.app.database.count("connection").await == 1).then_some(()) }).await;
    assert_eq!(office.live(ANN).await.len(), 1);
}
