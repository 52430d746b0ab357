//! The control port.

use super::*;

#[tokio::test]
async fn people_and_organizations_are_added_and_removed() {
    let zoho = Zoho::start().await;
    let person = json!({
        "data_centre": "au", "zuid": "5", "email": "new@example.com", "first_name": "New",
        "organizations": [{"id": "51", "name": "One", "products": {"assist": [{"id": "51", "name": "One"}]}}],
    });
    let added = zoho.control(Method::POST, "/control/people", person).await;
    assert_eq!(added["people"][0]["display_name"], "New");
    let second = json!({"id": "52", "name": "Two", "environment": "production", "products": {"assist": [{"id": "52", "name": "Two"}]}});
    zoho.control(Method::POST, "/control/people/au:5/organizations", second).await;
    let page = zoho.authorize("au", &[("emulator_person", "new@example.com")]).await.text().await.unwrap();
    assert_eq!(page.matches("type=\"radio\"").count(), 2);
    zoho.control(Method::DELETE, "/control/people/au:5/organizations/51", json!({})).await;
    zoho.control(Method::DELETE, "/control/people/au:5", json!({})).await;
    let (status, answer) = zoho.try_control(Method::DELETE, "/control/people/au:5", &json!({})).await;
    assert_eq!((status, answer["do"].is_string()), (404, true));
}

#[tokio::test]
async fn people_come_by_the_thousand() {
    let zoho = Zoho::start().await;
    let person = |number: u32| json!({"data_centre": "us", "zuid": number.to_string(), "email": format!("p{number}@example.com")});
    let people: Vec<Value> = (1..=1000).map(person).collect();
    zoho.control(Method::POST, "/control/people", json!(people)).await;
    zoho.control(Method::DELETE, "/control/people/us:500", json!({})).await;
    assert!(!zoho.connect("us:1000", &[("scope", PROFILE)]).await.access.is_empty());
}

#[tokio::test]
async fn a_removed_persons_tokens_are_dead() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    zoho.control(Method::DELETE, &format!("/control/people/{SAM}"), json!({})).await;
    assert!(!zoho.works("us", &tokens.access).await);
}

#[tokio::test]
async fn codes_are_made_without_a_browser() {
    let zoho = Zoho::start().await;
    let asked =
        json!({"person": ANN, "organization": "77000002", "scope": ASSIST, "redirect_uri": REDIRECT, "state": "s"});
    let made = zoho.control(Method::POST, "/control/approve", asked).await;
    assert_eq!(parameter(made["callback"].as_str().unwrap(), "state").as_deref(), Some("s"));
    let (_, tokens) = zoho.exchange("eu", made["code"].as_str().unwrap()).await;
    assert!(tokens["refresh_token"].is_string());
    let china = json!({"person": "li@example.com", "scope": ASSIST, "redirect_uri": REDIRECT});
    assert_eq!(zoho.control(Method::POST, "/control/approve", china).await["data_centre"], "cn");
    for bad in [
        json!({"person": "x", "scope": ASSIST}),
        json!({"person": ANN, "scope": "x"}),
        json!({"person": ANN, "scope": ASSIST, "organization": "1"}),
    ] {
        let (status, answer) = zoho.try_control(Method::POST, "/control/approve", &bad).await;
        assert!(status >= 400 && answer["do"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn the_clock_is_set_advanced_and_made_real_again() {
    let zoho = Zoho::start().await;
    let clock = zoho.control(Method::POST, "/control/clock", json!({"set": "2031-05-01T00:00:00Z"})).await;
    assert!(clock["now"].as_str().unwrap().starts_with("2031-05-01T00:00:0"));
    let later = zoho.control(Method::POST, "/control/clock", json!({"advance_seconds": 86400})).await;
    assert!(later["now"].as_str().unwrap().starts_with("2031-05-02T00:00:0"));
    assert_eq!(zoho.control(Method::POST, "/control/clock", json!({"set": "real"})).await["offset_ms"], 0);
    assert_eq!(zoho.try_control(Method::POST, "/control/clock", &json!({"set": "tomorrow"})).await.0, 400);
}

#[tokio::test]
async fn unknown_settings_and_people_are_refused_and_nothing_changes() {
    let zoho = Zoho::start().await;
    let before = zoho.control(Method::GET, "/control/settings", json!({})).await;
    for change in [
        json!({"speed": 1}),
        json!({"limits": {"codes": 1}}),
        json!({"token": {"expires_in": "years"}}),
        json!({"current_person": "nobody@example.com"}),
        json!({"throttle": {"status": 9}}),
        json!([]),
    ] {
        assert_eq!(zoho.try_control(Method::PATCH, "/control/settings", &change).await.0, 400, "{change}");
    }
    assert_eq!(zoho.control(Method::GET, "/control/settings", json!({})).await, before);
}

#[tokio::test]
async fn reset_returns_to_the_beginning() {
    let zoho = Zoho::start().await;
    zoho.connect(SAM, &[]).await;
    zoho.settings(json!({"auto_approve": true})).await;
    zoho.fault(json!({"act": {"status": 500}})).await;
    zoho.advance(1000).await;
    zoho.control(Method::DELETE, &format!("/control/people/{ANN}"), json!({})).await;
    zoho.control(Method::POST, "/control/reset", json!({})).await;
    assert_eq!(zoho.ledger("kind=code").await.len(), 0);
    assert_eq!(zoho.control(Method::GET, "/control/settings", json!({})).await["auto_approve"], false);
    assert_eq!(zoho.control(Method::GET, "/control/clock", json!({})).await["offset_ms"], 0);
    zoho.connect(ANN, &[]).await;
}

#[tokio::test]
async fn the_control_port_lists_its_routes_and_explains_unknown_ones() {
    let zoho = Zoho::start().await;
    let index = zoho.control(Method::GET, "/control", json!({})).await;
    assert!(index["routes"].as_array().unwrap().len() > 20);
    let (status, answer) = zoho.try_control(Method::GET, "/control/nothing", &json!({})).await;
    assert_eq!((status, &answer["do"]), (404, &json!("GET /control lists all routes")));
}

#[tokio::test]
async fn the_overview_and_the_console_show_what_there_is() {
    let zoho = Zoho::start().await;
    let page = |path: &str| {
        let request = zoho.http.get(format!("{}{path}", zoho.emulator.control_url()));
        async move { request.send().await.unwrap().text().await.unwrap() }
    };
    let home = page("/").await;
    assert!(home.contains(&zoho.emulator.accounts_url("ca")) && home.contains("ann@example.com"));
    let console = page("/console").await;
    assert!(console.contains(zoho.secret("eu")) && console.contains(&zoho.client.client_id));
}

#[tokio::test]
async fn the_hosts_are_given_as_toml_with_every_data_centre_and_product() {
    let zoho = Zoho::start().await;
    let hosts: toml::Table = zoho.emulator.servers_toml().parse().unwrap();
    assert_eq!(hosts.len(), 11);
    for (key, table) in &hosts {
        assert_eq!(table["accounts"].as_str(), Some(zoho.emulator.accounts_url(key).as_str()));
        for host in ["api", "assist", "salesiq", "connect", "zia_agents", "desk", "crm", "books"] {
            assert_eq!(table[host].as_str(), Some(zoho.emulator.api_url(key).as_str()), "{key} {host}");
        }
        assert_ne!(table["api_sandbox"], table["api_developer"]);
    }
}
