//! One call of each product and more: the right host, the organization named as the product wants it.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn assist_tells_user_and_organization() {
    let app = App::start().await;
    let assist = connected(&app, "assist", SAM).await;
    let user = assist.json("/api/v2/user").await;
    assert_eq!(user["representation"]["org_details"], json!({"zsoid": 60_000_001, "org_name": "Rivera Supplies"}));
}

#[tokio::test]
async fn salesiq_tells_portals_and_conversations() {
    let app = App::start().await;
    let salesiq = connected(&app, "salesiq", SAM).await;
    let portals = salesiq.json("/api/v2/portals").await;
    assert_eq!(portals["data"][0]["screenname"], "portal60000001");
    let conversations = salesiq.json("/api/v2/portal60000001/conversations").await;
    assert_eq!(conversations["data"].as_array().unwrap().len(), 3);
    let foreign = salesiq.get("/api/v2/elsewhere/conversations").await;
    assert_eq!((foreign.status, &foreign.json()["error"]["code"]), (200, &json!(1005)), "the product's own words");
}

#[tokio::test]
async fn connect_lists_tasks_of_its_network() {
    let app = App::start().await;
    let connect = connected(&app, "connect", SAM).await;
    let network = app.database.text("select zoho_id from organization").await;
    let tasks = connect.json("/pulse/api/tasks").await;
    assert_eq!(tasks["userTasks"]["scopeID"], network);
    assert_eq!(tasks["userTasks"]["tasks"].as_array().unwrap().len(), 3);
    connect.json(&format!("/pulse/api/tasks?limit=5&scopeID={network}")).await;
    let foreign = connect.get("/pulse/api/tasks?scopeID=929000000015101").await;
    assert_eq!(foreign.problem(), "400 invalid-request");
    assert_eq!(foreign.json()["errors"][0]["member"], "scopeID");
    let networks = connect.json("/pulse/api/allScopes").await;
    assert_eq!(networks["allScopes"]["scopes"][0]["id"], network);
    let queries: Vec<_> = upstream(&app).await.iter().map(|call| call["query"].clone()).collect();
    let added = format!("scopeID={network}");
    assert_eq!(queries[queries.len() - 3..], [json!(added), json!(format!("limit=5&{added}")), json!("")]);
}

#[tokio::test]
async fn crm_desk_and_books_are_told_the_organization_where_they_want_it() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    assert_eq!(crm.json("/crm/v8/Leads?fields=Last_Name").await["data"].as_array().unwrap().len(), 3);
    let desk = connected(&app, "desk", SAM).await;
    assert_eq!(desk.json("/api/v1/tickets").await["data"][0]["subject"], "Ticket 1 of Rivera Supplies");
    let books = connected(&app, "books", SAM).await;
    let contacts = books.json("/books/v3/contacts").await;
    assert_eq!(contacts["contacts"][0]["contact_name"], "Contact 1 of Rivera Supplies");
    assert_eq!(books.get("/books/v3/contacts?organization_id=1").await.problem(), "400 invalid-request");
    let told = |call: &Value| {
        let header = |name: &str| {
            let headers = call["headers"].as_array().unwrap();
            headers.iter().find(|header| header[0] == name).map(|header| header[1].as_str().unwrap().to_owned())
        };
        (call["query"].as_str().unwrap().to_owned(), header("x-crm-org"), header("orgid"))
    };
    let of = |calls: &[Value], path: &str| told(calls.iter().find(|call| call["path"] == path).unwrap());
    let calls = upstream(&app).await;
    let id = || Some("60000001".to_owned());
    assert_eq!(of(&calls, "/crm/v8/Leads"), ("fields=Last_Name".to_owned(), id(), None));
    assert_eq!(of(&calls, "/api/v1/tickets"), (String::new(), None, id()));
    assert_eq!(of(&calls, "/books/v3/contacts"), ("organization_id=60000001".to_owned(), None, None));
}

#[tokio::test]
async fn crm_is_called_in_its_own_environment() {
    let app = App::start().await;
    let isha = app.visitor();
    isha.connect("crm", ISHA, "50000002").await;
    let id = app.database.text("select connection_id from connection").await;
    let crm = Connected { backend: app.backend_of(&id, &["proxy"]).await, id };
    app.zoho.forget_journal().await;
    crm.json("/crm/v8/org").await;
    assert_eq!(app.zoho.requests("/crm/").await, ["sandbox:in GET /crm/v8/org"]);
}

#[tokio::test]
async fn an_agent_is_triggered_and_asked_however_long_it_thinks() {
    let app = App::start().await;
    let agents = connected(&app, "zia_agents", SAM).await;
    app.zoho.settings(json!({"products": {"zia_agents_delay_ms": 400}})).await;
    let body = json!({"query": "What is due?", "systemArgs": {}, "reasoning": false, "attachments": []});
    let asked = Instant::now();
    let request = agents.request(Method::POST, "/ziaagents/api/v1/agents/7/trigger");
    let told = Told::read(request.header("X-ZIAAGENTS-AGENT-SESSION-ID", "12").json(&body).send().await.unwrap()).await;
    assert!(asked.elapsed() >= Duration::from_millis(400));
    let answer = told.json();
    assert_eq!((&answer["data"]["response"], &answer["sessionId"]), (&json!("You asked: What is due?"), &json!("12")));
    let request = agents.request(Method::POST, "/ziaagents/api/v1/agents/query");
    let request = request.header("X-ZIAAGENTS-AGENT-ID", "7").header("X-ZIAAGENTS-AGENT-VERSION-ID", "3");
    let told = Told::read(request.json(&body).send().await.unwrap()).await;
    assert_eq!(told.json()["data"]["response"], "You asked: What is due?");
    // The product's own no is passed on as it is.
    let request = agents.request(Method::POST, "/ziaagents/api/v1/agents/7/trigger");
    let told =
        Told::read(request.header("X-ZIAAGENTS-AGENT-SESSION-ID", "abc").json(&body).send().await.unwrap()).await;
    assert_eq!((told.status, &told.json()["error"]["code"]), (400, &json!("INVALID_SESSION_ID")));
}

#[tokio::test]
async fn every_method_passes_with_its_body() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    let echo = "/crm/v8/emulator/echo";
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let request = crm.request(method.parse().unwrap(), echo).header("content-type", "application/json");
        let told = Told::read(request.body(r#"{"a":1}"#).send().await.unwrap()).await.json();
        assert_eq!((&told["method"], &told["body"]), (&json!(method), &json!(r#"{"a":1}"#)));
        let told = Told::read(crm.request(method.parse().unwrap(), echo).send().await.unwrap()).await.json();
        assert_eq!((&told["method"], &told["body"]), (&json!(method), &json!("")));
    }
    let length = crm.get(echo).await.text.len().to_string();
    let head = Told::read(crm.request(Method::HEAD, echo).send().await.unwrap()).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    // The echo tells its method, which is one letter longer.
    assert_eq!(head.header("content-length").parse::<usize>().unwrap(), length.parse::<usize>().unwrap() + 1);
    for method in ["OPTIONS", "TRACE", "PROPFIND"] {
        let told = Told::read(crm.request(method.parse().unwrap(), echo).send().await.unwrap()).await;
        assert_eq!((told.status, told.header("allow")), (405, "GET, HEAD, POST, PUT, PATCH, DELETE"), "{method}");
    }
}

#[tokio::test]
async fn s53_the_grant_the_tenant_and_the_status_decide() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    let path = crm.path("/crm/v8/org");
    assert_eq!(app.backend_of(&crm.id, &["tokens:read"]).await.get(&path).await.problem(), "403 forbidden");
    let bea = connected(&app, "crm", CHLOE).await;
    assert_ne!(bea.id, "");
    let invented = crm.path("/crm/v8/org").replace(&crm.id, "01930000-0000-7000-8000-000000000001");
    let other =
        app.database.text(&format!("select connection_id from connection where connection_id <> '{}'", crm.id)).await;
    app.zoho.forget_journal().await;
    for foreign in
        [invented, path.replace(&crm.id, &other), path.replace(&crm.id, "x"), path.replace("/proxy/", "/pro%78y/")]
    {
        assert_eq!(crm.backend.get(&foreign).await.problem(), "404 not-found", "{foreign}");
    }
    let mut anonymous = crm.backend.clone();
    anonymous.key = "lwz_aaaaaaaa_bbb".to_owned();
    assert_eq!(anonymous.get(&path).await.problem(), "401 unauthenticated");
    app.database.execute("update connection set status = 'disconnected', refresh_token_sealed = null, access_token_sealed = null, access_token_expires_at = null, disconnected_at = now()").await;
    app.advance(Duration::from_secs(2)).await;
    let told = wait_for("the disconnection is noticed", || async {
        Some(crm.get("/crm/v8/org").await).filter(|told| told.status == 409)
    })
    .await;
    assert_eq!(told.problem(), "409 disconnected");
    assert!(upstream(&app).await.iter().all(|call| call["path"] == "/crm/v8/org"));
}

#[tokio::test]
async fn s55_a_proxied_call_is_counted_once_for_its_key() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    for _ in 0..3 {
        crm.json("/crm/v8/org").await;
    }
    let counted = wait_for("the count is written", || async {
        let rows = app.database.column("select concat_ws(' ', outcome, vends, api_key_id) from token_vend").await;
        Some(rows).filter(|rows| !rows.is_empty() && rows[0].contains(" 3 "))
    })
    .await;
    assert_eq!(counted, [format!("proxied 3 {}", &crm.backend.key[4..12])]);
}
