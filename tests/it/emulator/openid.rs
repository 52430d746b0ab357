//! Who somebody is, and the documents around it.

use super::*;

#[tokio::test]
async fn user_info_has_a_numeric_zuid_and_an_empty_last_name() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(ANN, &[("scope", PROFILE)]).await;
    let (status, user) = zoho.get(&zoho.accounts("eu", "/oauth/user/info"), &tokens.access).await;
    let expected = json!({"First_Name": "Ann", "Email": "ann@example.com", "Last_Name": "", "Display_Name": "Ann", "ZUID": 795_000_000});
    assert_eq!((status, user), (200, expected));
    zoho.settings(json!({"token": {"zuid": "text"}})).await;
    assert_eq!(zoho.get(&zoho.accounts("eu", "/oauth/user/info"), &tokens.access).await.1["ZUID"], "795000000");
}

#[tokio::test]
async fn user_info_refuses_with_a_cause() {
    let zoho = Zoho::start().await;
    let no_profile = zoho.connect(ANN, &[("scope", "ZohoAssist.userapi.READ")]).await;
    let mixed = zoho.connect(ANN, &[("scope", "AaaServer.profile.READ,profile")]).await;
    let good = zoho.connect(ANN, &[]).await;
    for (place, token, cause) in [
        ("eu", no_profile.access.as_str(), "INVALID_OAUTHSCOPE"),
        ("eu", &mixed.access, "INVALID_OAUTHSCOPE"),
        ("us", &good.access, "INVALID_OAUTHTOKEN"),
        ("eu", "1000.no.token", "INVALID_OAUTHTOKEN"),
    ] {
        let answer = zoho.get(&zoho.accounts(place, "/oauth/user/info"), token).await;
        assert_eq!(answer, (401, json!({"response": "error", "cause": cause})));
    }
}

#[tokio::test]
async fn bearer_works_in_place_of_zoho_oauthtoken() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(ANN, &[]).await;
    let url = zoho.accounts("eu", "/oauth/user/info");
    assert_eq!(zoho.http.get(url).bearer_auth(&tokens.access).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn nineteen_digits_survive() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect("jp:9223372036854775807", &[]).await;
    let (_, user) = zoho.get(&zoho.accounts("jp", "/oauth/user/info"), &tokens.access).await;
    assert_eq!(user["ZUID"].to_string(), "9223372036854775807");
    let (_, assist) = zoho.get(&zoho.api("jp", "/api/v2/user"), &tokens.access).await;
    assert_eq!(assist["representation"]["org_details"]["zsoid"].to_string(), "9007199254740993017");
}

#[tokio::test]
async fn an_id_token_comes_only_with_openid_scopes() {
    let zoho = Zoho::start().await;
    let open = zoho.connect(ANN, &[("scope", "openid,email,profile")]).await;
    assert_eq!(open.answer["id_token"].as_str().unwrap().split('.').count(), 3);
    assert!(zoho.connect(ANN, &[]).await.answer.get("id_token").is_none());
    let (_, claims) = zoho.get(&zoho.accounts("eu", "/oauth/v2/userinfo"), &open.access).await;
    assert_eq!((&claims["sub"], &claims["email"]), (&json!("795000000"), &json!("ann@example.com")));
}

#[tokio::test]
async fn the_list_of_servers_leaves_china_out() {
    let zoho = Zoho::start().await;
    let (_, info) = zoho.get(&zoho.accounts("us", "/oauth/serverinfo"), "none").await;
    assert_eq!(info["result"], "success");
    assert_eq!(info["locations"]["ca"], zoho.emulator.accounts_url("ca"));
    assert_eq!((info["locations"].as_object().unwrap().len(), info["locations"].get("cn")), (10, None));
    let (_, discovery) = zoho.get(&zoho.accounts("eu", "/.well-known/openid-configuration"), "none").await;
    assert_eq!(discovery["issuer"], zoho.emulator.accounts_url("eu"));
}

#[tokio::test]
async fn introspection_tells_a_clients_own_live_tokens() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(ANN, &[]).await;
    let url = zoho.accounts("eu", "/oauth/v2/introspect");
    for (token, active) in [(tokens.access.as_str(), true), ("1000.no.token", false)] {
        let form =
            [("client_id", zoho.client.client_id.as_str()), ("client_secret", zoho.secret("eu")), ("token", token)];
        let answer: Value = zoho.http.post(&url).form(&form).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["active"], active);
    }
}
