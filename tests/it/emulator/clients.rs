//! E-2: clients, secrets, switches, and what counts as a token call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

#[tokio::test]
async fn e2_each_data_centre_has_its_own_secret() {
    let zoho = Zoho::start().await;
    let code = zoho.code(ANN, &[]).await;
    let form = |secret| {
        [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("client_secret", secret),
        ]
    };
    assert_eq!(error(zoho.token("eu", &form(zoho.secret("us"))).await), said(200, "invalid_client_secret"));
    assert_eq!(error(zoho.token("eu", &form("")).await), said(200, "invalid_client_secret"));
    assert_eq!(error(zoho.token("eu", &form(zoho.secret("eu"))).await), said(200, "none"));
}

#[tokio::test]
async fn e2_one_secret_for_all_data_centres_is_possible() {
    let mut same = client();
    same.secrets = [(String::new(), "the one secret".to_owned())].into();
    let zoho = Zoho::start_with(Options { clients: vec![same], ..Options::default() }).await;
    let code = zoho.code(ANN, &[]).await;
    let url = zoho.accounts("eu", "/oauth/v2/token");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("client_id", &zoho.client.client_id),
        ("client_secret", "the one secret"),
    ];
    let answer: Value = zoho.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    assert!(answer["access_token"].is_string(), "{answer}");
}

#[tokio::test]
async fn e2_a_switched_off_data_centre_shows_itself_after_sign_in_and_at_the_token_endpoint() {
    let zoho = Zoho::start().await;
    let path = format!("/control/clients/{}", zoho.client.client_id);
    zoho.control(Method::PATCH, &path, json!({"data_centres": ["us"]})).await;

    let signed_in = zoho.authorize("eu", &[("emulator_person", ANN)]).await;
    assert_eq!(signed_in.status(), 400);
    let page = signed_in.text().await.unwrap();
    assert!(page.contains("ERROR_invalid_client") && page.contains("not switched on"), "{page}");
    assert_eq!(error(zoho.refresh("eu", "1000.any.any").await), said(200, "invalid_client"));
}

#[tokio::test]
async fn e2_unknown_clients_grant_types_and_json_bodies_are_invalid_clients() {
    let zoho = Zoho::start().await;
    for form in
        [[("grant_type", "refresh_token"), ("client_id", "1000.NOBODY")], [("grant_type", "password"), ("code", "x")]]
    {
        assert_eq!(error(zoho.token("us", &form).await), said(200, "invalid_client"));
    }
    let body =
        json!({"grant_type": "refresh_token", "client_id": zoho.client.client_id, "client_secret": zoho.secret("us")});
    let answer = zoho.http.post(zoho.accounts("us", "/oauth/v2/token")).json(&body).send().await.unwrap();
    assert_eq!(error((answer.status().as_u16(), answer.json().await.unwrap())), said(200, "invalid_client"));
}

#[tokio::test]
async fn e2_form_multipart_query_and_basic_are_understood() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    let url = zoho.accounts("us", "/oauth/v2/token");
    let (id, secret) = (zoho.client.client_id.as_str(), zoho.secret("us"));
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", id),
        ("client_secret", secret),
    ];

    let by_query = zoho.http.post(&url).query(&fields);
    let part = |(name, value)| format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let parts = fields.map(part).concat();
    let by_multipart = zoho
        .http
        .post(&url)
        .header("content-type", "multipart/form-data; boundary=cut")
        .body(format!("{parts}--cut--\r\n"));
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    let by_basic = zoho.http.post(&url).header(AUTHORIZATION, format!("Basic {basic}")).form(&fields[..2]);
    for request in [by_query, by_multipart, by_basic] {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer["access_token"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn e2_a_token_call_by_get_or_without_grant_type_is_answered_by_a_page() {
    let zoho = Zoho::start().await;
    let url = zoho.accounts("us", "/oauth/v2/token");
    let form = [("client_id", "x")];
    for (request, status) in [(zoho.http.get(&url), 405), (zoho.http.post(&url).form(&form), 400)] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    }
}

#[tokio::test]
async fn self_client_codes_need_no_redirect_uri_and_live_as_long_as_the_console_says() {
    let zoho = Zoho::start().await;
    let form = [
        ("client_id", zoho.client.client_id.as_str()),
        ("person", ANN),
        ("scope", ASSIST),
        ("minutes", "10"),
        ("organization", "77000001"),
    ];
    let url = format!("{}/console/code", zoho.emulator.control_url());
    let made = location(&zoho.http.post(&url).form(&form).send().await.unwrap());
    let made = format!("{}{made}", zoho.emulator.control_url());
    let page = zoho.http.get(made).send().await.unwrap().text().await.unwrap();
    let code = page.split("<code id=\"code\">").nth(1).unwrap().split('<').next().unwrap().to_owned();

    zoho.advance(590).await;
    let (_, answer) = zoho.token("eu", &[("grant_type", "authorization_code"), ("code", &code)]).await;
    assert!(answer["refresh_token"].is_string(), "{answer}");
    let (_, user) = zoho.get(&zoho.api("eu", "/api/v2/user"), answer["access_token"].as_str().unwrap()).await;
    assert_eq!(user["representation"]["org_details"]["zsoid"], 77_000_001);
}

#[tokio::test]
async fn the_console_checks_scope_minutes_and_organization() {
    let zoho = Zoho::start().await;
    let url = format!("{}/console/code", zoho.emulator.control_url());
    for (scope, minutes, organization) in
        [("Nonsense", "3", "77000000"), (ASSIST, "11", "77000000"), (ASSIST, "0", "77000000"), (ASSIST, "3", "")]
    {
        let form = [
            ("client_id", zoho.client.client_id.as_str()),
            ("person", ANN),
            ("scope", scope),
            ("minutes", minutes),
            ("organization", organization),
        ];
        assert_eq!(
            zoho.http.post(&url).form(&form).send().await.unwrap().status(),
            400,
            "{scope} {minutes} {organization}"
        );
    }
}

#[tokio::test]
async fn client_credentials_name_their_organization_and_bring_no_refresh_token() {
    let zoho = Zoho::start().await;
    let scope = ("scope", "ZohoCRM.org.READ");
    let grant = ("grant_type", "client_credentials");
    let (_, answer) = zoho.token("us", &[grant, scope, ("soid", "ZohoCRM.60000001")]).await;
    assert!(answer["access_token"].is_string() && answer.get("refresh_token").is_none(), "{answer}");
    let (_, org) = zoho.get(&zoho.api("us", "/crm/v8/org"), answer["access_token"].as_str().unwrap()).await;
    assert_eq!(org["org"][0]["zgid"], "60000001");
    assert_eq!(error(zoho.token("us", &[grant, scope]).await), said(200, "missing_org_info"));
    assert_eq!(error(zoho.token("us", &[grant, scope, ("soid", "ZohoCRM.1")]).await), said(200, "invalid_soid"));
}
