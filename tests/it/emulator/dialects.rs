//! E-6: everything Zoho's servers have been seen to say in more than one way.

use super::*;

#[tokio::test]
async fn e6_all_forms_of_expires_in() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    for (form, expires_in, expires_in_sec) in [
        ("seconds", json!(3600), Value::Null),
        ("milliseconds_and_seconds", json!(3_600_000), json!(3600)),
        ("milliseconds", json!(3_600_000), Value::Null),
        ("seconds_under_the_old_name", Value::Null, json!(3600)),
        ("text", json!("3600"), Value::Null),
        ("absent", Value::Null, Value::Null),
    ] {
        zoho.settings(json!({"token": {"expires_in": form}})).await;
        let (_, answer) = zoho.refresh("us", &tokens.refresh).await;
        assert_eq!((&answer["expires_in"], &answer["expires_in_sec"]), (&expires_in, &expires_in_sec), "{form}");
    }
}

#[tokio::test]
async fn e6_api_domain_present_absent_or_out_of_an_old_sample() {
    let zoho = Zoho::start().await;
    let own = json!(zoho.emulator.api_url("us"));
    for (form, at_exchange, on_refresh) in [
        ("present", &own, &own),
        ("absent_on_refresh", &own, &Value::Null),
        ("absent", &Value::Null, &Value::Null),
        ("as_in_old_samples", &json!("https://api.zoho.com"), &json!("https://api.zoho.com")),
    ] {
        zoho.settings(json!({"token": {"api_domain": form}})).await;
        let tokens = zoho.connect(SAM, &[]).await;
        assert_eq!(&tokens.answer["api_domain"], at_exchange, "{form}");
        assert_eq!(&zoho.refresh("us", &tokens.refresh).await.1["api_domain"], on_refresh, "{form}");
    }
}

#[tokio::test]
async fn e6_scopes_are_answered_blank_separated_in_zohos_spelling_or_otherwise() {
    let zoho = Zoho::start().await;
    for (form, scope) in [
        ("normalized", json!("ZohoCRM.modules.ALL AaaServer.profile.READ")),
        ("commas", json!("ZohoCRM.modules.ALL,AaaServer.profile.READ")),
        ("lower_case", json!("zohocrm.modules.all aaaserver.profile.read")),
        (
            "expanded",
            json!(
                "ZohoCRM.modules.CREATE ZohoCRM.modules.READ ZohoCRM.modules.UPDATE ZohoCRM.modules.DELETE AaaServer.profile.READ"
            ),
        ),
        ("absent", Value::Null),
    ] {
        zoho.settings(json!({"token": {"scope": form}})).await;
        let tokens = zoho.connect(SAM, &[("scope", "zohocrm.MODULES.all, aaaserver.profile.READ")]).await;
        assert_eq!(tokens.answer["scope"], scope, "{form}");
    }
}

#[tokio::test]
async fn e6_callbacks_in_every_dialect() {
    let zoho = Zoho::start().await;
    let names = |url: &str| {
        url.split_once('?')
            .unwrap()
            .1
            .split('&')
            .map(|pair| pair.split('=').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&zoho.callback(SAM, &[]).await), ["code", "state", "location", "accounts-server"]);
    zoho.settings(json!({"callback": {"order": "state_first"}})).await;
    assert_eq!(names(&zoho.callback(SAM, &[]).await), ["state", "code", "location", "accounts-server"]);
    zoho.settings(json!({"callback": {"trailing_ampersand": true}})).await;
    assert!(zoho.callback(SAM, &[]).await.ends_with('&'));
    zoho.settings(json!({"callback": {"trailing_ampersand": false, "location": false, "accounts_server": false}}))
        .await;
    assert_eq!(names(&zoho.callback(SAM, &[]).await), ["state", "code"]);
    assert_eq!(names(&zoho.callback(SAM, &[("state", "")]).await), ["code"]);
}

#[tokio::test]
async fn e6_refusals_in_every_dialect() {
    let zoho = Zoho::start().await;
    let refusal =
        || async { location(&zoho.authorize("us", &[("emulator_person", ANN), ("emulator_answer", "reject")]).await) };
    zoho.settings(json!({"refusal": {"state": false}})).await;
    assert_eq!(refusal().await, format!("{REDIRECT}?error=access_denied"));
    zoho.settings(json!({"refusal": {"state": true, "location": true, "accounts_server": true}})).await;
    let full = refusal().await;
    assert_eq!(parameter(&full, "location").as_deref(), Some("eu"));
    assert_eq!(parameter(&full, "accounts-server"), Some(zoho.emulator.accounts_url("eu")));
}

#[tokio::test]
async fn e6_a_query_in_the_redirect_uri_is_kept() {
    let zoho = Zoho::start().await;
    let uri = "http://localhost:8080/oauth/callback?tenant=a%20b";
    let path = format!("/control/clients/{}", zoho.client.client_id);
    zoho.control(Method::PATCH, &path, json!({"redirect_uris": [uri]})).await;
    assert!(zoho.callback(SAM, &[("redirect_uri", uri)]).await.starts_with(&format!("{uri}&code=1000.")));
}

#[tokio::test]
async fn e6_errors_with_another_status_and_throttling_in_another_language() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({
        "token": {"error_status": 400},
        "throttle": {"status": 200, "error": "access_denied", "text": "Sie haben zu viele Anfragen gestellt.", "retry_after": "600"},
        "limits": {"refreshes_per_window": 1},
    }))
    .await;
    assert_eq!(error(zoho.refresh("us", "1000.no.token").await), said(400, "invalid_code"));
    let tokens = zoho.connect(SAM, &[]).await;
    zoho.refresh("us", &tokens.refresh).await;
    let (status, answer) = zoho.refresh("us", &tokens.refresh).await;
    assert_eq!((status, &answer["error"]), (200, &json!("access_denied")));
    assert_eq!(answer["error_description"], "Sie haben zu viele Anfragen gestellt.");
}
