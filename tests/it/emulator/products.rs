//! E-5: tokens are bound to organization, environment, data centre and scope; products say so in their own words.

use super::*;

const EVERYTHING: &str = "AaaServer.profile.READ,ZohoAssist.userapi.READ,SalesIQ.portals.READ,SalesIQ.conversations.READ,\
    zohopulse.networklist.READ,zohopulse.tasks.READ,ZohoCRM.org.READ,ZohoCRM.modules.READ,Desk.basic.READ,Desk.tickets.READ,\
    ZohoBooks.settings.READ,ZiaAgents.agents.TRIGGER";

const CALLS: [&str; 9] = [
    "/api/v2/user",
    "/api/v2/portals",
    "/pulse/api/allScopes",
    "/crm/v8/org",
    "/crm/v8/Leads",
    "/api/v1/organizations",
    "/api/v1/tickets",
    "/books/v3/organizations",
    "/api/v2/portal60000001/conversations",
];

#[tokio::test]
async fn every_product_answers_with_its_organization() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[("scope", EVERYTHING)]).await;
    let mut answers = Vec::new();
    for path in CALLS {
        let (status, answer) = zoho.get(&zoho.api("us", path), &tokens.access).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answers.push(answer);
    }
    assert_eq!(
        answers[0]["representation"]["org_details"],
        json!({"zsoid": 60_000_001, "org_name": "Rivera Supplies"})
    );
    assert_eq!(answers[1]["data"][0]["screenname"], "portal60000001");
    assert_eq!(answers[2]["allScopes"]["scopes"][0]["soid"], "60000001");
    assert_eq!(answers[2]["allScopes"]["scopes"][0]["isDefault"], "true");
    assert_eq!(answers[3]["org"][0]["zgid"], "60000001");
    assert_eq!(answers[5]["data"][0]["id"], 60_000_001);
    assert_eq!(answers[7]["organizations"][0]["organization_id"], "60000001");
}

#[tokio::test]
async fn e5_a_token_shows_only_the_organization_it_is_bound_to() {
    let zoho = Zoho::start().await;
    let scope = ("scope", "SalesIQ.portals.READ,SalesIQ.conversations.READ,zohopulse.networklist.READ");
    let tokens = zoho.connect(ANN, &[scope, ("emulator_organization", "77000001")]).await;
    let (_, portals) = zoho.get(&zoho.api("eu", "/api/v2/portals"), &tokens.access).await;
    assert_eq!(portals["data"].as_array().unwrap().len(), 1);
    assert_eq!(portals["data"][0]["name"], "Zylker Labs");
    let (_, foreign) = zoho.get(&zoho.api("eu", "/api/v2/portal77000000/conversations"), &tokens.access).await;
    assert_eq!(foreign["error"]["code"], 1005);
}

#[tokio::test]
async fn e5_one_organization_may_have_several_portals_and_networks() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect("eu:795000001", &[("scope", EVERYTHING)]).await;
    let (_, portals) = zoho.get(&zoho.api("eu", "/api/v2/portals"), &tokens.access).await;
    let (_, networks) = zoho.get(&zoho.api("eu", "/pulse/api/allScopes"), &tokens.access).await;
    assert_eq!(portals["data"].as_array().unwrap().len(), 3);
    assert_eq!(networks["allScopes"]["scopes"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn where_products_are_to_ask_discovery_lists_all_organizations() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"organization_choice": "product"})).await;
    let tokens = zoho.connect(ANN, &[("scope", "SalesIQ.portals.READ")]).await;
    let (_, portals) = zoho.get(&zoho.api("eu", "/api/v2/portals"), &tokens.access).await;
    assert_eq!(portals["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn e5_bad_tokens_are_refused_in_each_products_own_words() {
    let zoho = Zoho::start().await;
    let expected = [
        (401, "/api/v2/user", json!({"error": {"code": 1001, "message": "Invalid AuthToken"}})),
        (200, "/api/v2/portals", json!({"error": {"code": 1008, "message": "Invalid OAuthToken."}})),
        (
            401,
            "/pulse/api/allScopes",
            json!({"errorCode": "INVALID_OAUTHTOKEN", "message": "Invalid OAuth access token."}),
        ),
        (
            401,
            "/crm/v8/org",
            json!({"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}),
        ),
        (
            401,
            "/api/v1/organizations",
            json!({"errorCode": "INVALID_OAUTH", "message": "The OAuth Token you provided is invalid."}),
        ),
        (
            401,
            "/books/v3/organizations",
            json!({"code": 57, "message": "You are not authorized to perform this operation"}),
        ),
    ];
    let tokens = zoho.connect(SAM, &[("scope", EVERYTHING)]).await;
    for (status, path, body) in expected {
        assert_eq!(zoho.get(&zoho.api("us", path), "1000.no.token").await, (status, body.clone()), "{path}");
        assert_eq!(
            zoho.get(&zoho.api("eu", path), &tokens.access).await,
            (status, body),
            "{path} of another data centre"
        );
    }
    zoho.settings(json!({"products": {"salesiq_error_status": 400}})).await;
    assert_eq!(zoho.get(&zoho.api("us", "/api/v2/portals"), "1000.no.token").await.0, 400);
}

#[tokio::test]
async fn e5_missing_scopes_are_told_from_bad_tokens() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[("scope", PROFILE)]).await;
    let expected = [
        ("/api/v2/portals", "/error/code", json!(1009)),
        ("/crm/v8/org", "/code", json!("OAUTH_SCOPE_MISMATCH")),
        ("/api/v1/organizations", "/errorCode", json!("SCOPE_MISMATCH")),
    ];
    for (path, pointer, word) in expected {
        let (_, answer) = zoho.get(&zoho.api("us", path), &tokens.access).await;
        assert_eq!(answer.pointer(pointer), Some(&word), "{path}");
    }
}

#[tokio::test]
async fn e5_an_environment_has_its_own_api_domain_and_is_refused_elsewhere() {
    let zoho = Zoho::start().await;
    let hosts: toml::Table = zoho.emulator.servers_toml().parse().unwrap();
    for (organization, host) in [("50000001", "api"), ("50000002", "api_sandbox"), ("50000003", "api_developer")] {
        let tokens =
            zoho.connect(ISHA, &[("scope", "ZohoCRM.org.READ"), ("emulator_organization", organization)]).await;
        let own = hosts["in"][host].as_str().unwrap();
        assert_eq!(tokens.answer["api_domain"], own);
        for other in ["api", "api_sandbox", "api_developer"] {
            let url = format!("{}/crm/v8/org", hosts["in"][other].as_str().unwrap());
            let (status, answer) = zoho.get(&url, &tokens.access).await;
            assert_eq!(status == 200, other == host, "{organization} at {other}: {answer}");
        }
    }
}

#[tokio::test]
async fn e5_desk_compares_the_organization_header() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[("scope", "Desk.tickets.READ")]).await;
    for (id, status) in [("60000001", 200), ("77000000", 403)] {
        let request = zoho.http.get(zoho.api("us", "/api/v1/tickets")).bearer_auth(&tokens.access).header("orgId", id);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["errorCode"] == "OAUTH_ORG_MISMATCH", status == 403, "{body}");
    }
}

#[tokio::test]
async fn connect_wants_the_network_it_is_asked_about() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[("scope", EVERYTHING)]).await;
    let (_, networks) = zoho.get(&zoho.api("us", "/pulse/api/allScopes"), &tokens.access).await;
    let id = networks["allScopes"]["scopes"][0]["id"].as_str().unwrap();
    assert_eq!(zoho.get(&zoho.api("us", &format!("/pulse/api/tasks?scopeID={id}")), &tokens.access).await.0, 200);
    assert_eq!(zoho.get(&zoho.api("us", "/pulse/api/tasks"), &tokens.access).await.0, 403);
}

#[tokio::test]
async fn zia_agents_compare_organization_and_session() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[("scope", "ZiaAgents.agents.TRIGGER")]).await;
    let ask = |path: &str, organization: &'static str, session: &'static str| {
        let request =
            zoho.http.post(zoho.api("us", path)).bearer_auth(&tokens.access).header("X-ZIAAGENTS-ORG", organization);
        let request = request.header("X-ZIAAGENTS-AGENT-ID", "7").header("X-ZIAAGENTS-AGENT-SESSION-ID", session);
        let request =
            request.json(&json!({"query": "Hello?", "systemArgs": {}, "reasoning": false, "attachments": []}));
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let (status, answer) = ask("/ziaagents/api/v1/agents/query", "60000001", "12").await;
    assert_eq!((status, &answer["data"]["response"]), (200, &json!("You asked: Hello?")));
    let (_, answer) = ask("/ziaagents/api/v1/agents/7/trigger", "60000001", "12").await;
    assert_eq!(answer["sessionId"], "12");
    let (status, answer) = ask("/ziaagents/api/v1/agents/7/trigger", "60000001", "abc").await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("INVALID_SESSION_ID")));
    assert_eq!(ask("/ziaagents/api/v1/agents/query", "77000000", "12").await.0, 403);
    assert_eq!(ask("/ziaagents/api/agents/query", "60000001", "12").await.0, 404);
}

#[tokio::test]
async fn an_echo_under_each_prefix_tells_what_arrived() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[("scope", EVERYTHING)]).await;
    for (path, product) in [
        ("/api/v2/emulator/echo", "assist"),
        ("/api/v2/portal60000001/emulator/echo", "salesiq"),
        ("/pulse/emulator/echo", "connect"),
        ("/nativeapi/emulator/echo", "connect"),
        ("/ziaagents/api/v1/emulator/echo", "zia_agents"),
        ("/ziaagents/api/emulator/echo", "zia_agents"),
        ("/crm/v8/emulator/echo", "crm"),
        ("/api/v1/emulator/echo", "desk"),
        ("/books/v3/emulator/echo", "books"),
    ] {
        let request = zoho
            .http
            .put(zoho.api("us", &format!("{path}?a=1")))
            .bearer_auth(&tokens.access)
            .header("x-mine", "yes")
            .body("hello");
        let echo: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(
            (&echo["product"], &echo["method"], &echo["body"]),
            (&json!(product), &json!("PUT"), &json!("hello")),
            "{echo}"
        );
        assert_eq!((&echo["query"], &echo["headers"]["x-mine"]), (&json!("a=1"), &json!("yes")));
        assert!(
            zoho.http
                .get(zoho.api("us", path))
                .send()
                .await
                .unwrap()
                .json::<Value>()
                .await
                .unwrap()
                .get("headers")
                .is_none()
        );
    }
}

#[tokio::test]
async fn a_person_without_organizations_gets_empty_lists() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect("us:780000002", &[("scope", EVERYTHING)]).await;
    assert_eq!(zoho.get(&zoho.api("us", "/api/v2/portals"), &tokens.access).await.1["data"], json!([]));
    let (_, user) = zoho.get(&zoho.api("us", "/api/v2/user"), &tokens.access).await;
    assert!(user["representation"].get("org_details").is_none());
}
