//! S-61: of a request's headers those on the list reach the product, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

async fn echoed(agents: &Connected, headers: &[(&str, &str)]) -> Value {
    let mut request = agents.request(Method::POST, "/ziaagents/api/v1/emulator/echo").body("{}");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let told = Told::read(request.send().await.unwrap()).await;
    assert_eq!(told.status, 200, "{}", told.text);
    told.json()["headers"].clone()
}

#[tokio::test]
async fn s61_headers_pass_by_a_list() {
    let app = App::start().await;
    let agents = connected(&app, "zia_agents", SAM).await;
    let passed = [
        ("accept", "application/json"),
        ("accept-language", "de"),
        ("content-type", "application/json"),
        ("if-none-match", "\"a\""),
        ("if-modified-since", "Sat, 21 Nov 2026 10:00:00 GMT"),
        ("x-ziaagents-agent-id", "7"),
        ("x-ziaagents-agent-version-id", "3"),
        ("x-ziaagents-agent-session-id", "12"),
    ];
    let dropped = [
        ("cookie", "lwz_session=x"),
        ("proxy-authorization", "Basic eDp5"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-host", "elsewhere"),
        ("forwarded", "for=10.0.0.1"),
        ("via", "1.1 elsewhere"),
        ("referer", "http://elsewhere/"),
        ("origin", "http://elsewhere"),
        ("te", "trailers"),
        ("keep-alive", "timeout=5"),
        ("expect", ""),
        ("x-ziaagents-org", "77000000"),
        ("orgid", "77000000"),
        ("x-crm-org", "77000000"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/oauth/v2/token"),
        ("range", "bytes=0-1"),
        ("accept-encoding", "gzip, br"),
        ("x-mine", "yes"),
        ("user-agent", "mine"),
    ];
    let headers = echoed(&agents, &[&passed[..], &dropped[..]].concat()).await;
    let names: BTreeSet<&str> = headers.as_object().unwrap().keys().map(String::as_str).collect();
    let ours = ["accept-encoding", "authorization", "content-length", "host", "user-agent", "x-ziaagents-org"];
    let expected: BTreeSet<&str> = passed.iter().map(|(name, _)| *name).chain(ours).collect();
    assert_eq!(names, expected);
    for (name, value) in passed {
        assert_eq!(headers[name], value);
    }
    assert!(headers["authorization"].as_str().unwrap().starts_with("Zoho-oauthtoken 1000."));
    assert_eq!(headers["x-ziaagents-org"], "60000001", "the connection's, whatever the caller says");
    assert_eq!(headers["accept-encoding"], "identity");
    assert_eq!(headers["user-agent"], "login-with-zoho");
    assert!(app.api("us").ends_with(headers["host"].as_str().unwrap()));
}

#[tokio::test]
async fn s61_what_connection_names_ends_here() {
    let app = App::start().await;
    let agents = connected(&app, "zia_agents", SAM).await;
    let headers = echoed(
        &agents,
        &[
            ("connection", "X-ZIAAGENTS-AGENT-ID, close"),
            ("connection", "accept-language"),
            ("x-ziaagents-agent-id", "7"),
            ("x-ziaagents-agent-version-id", "3"),
            ("accept-language", "de"),
        ],
    )
    .await;
    assert_eq!(headers["x-ziaagents-agent-version-id"], "3");
    assert!(headers.get("x-ziaagents-agent-id").is_none() && headers.get("accept-language").is_none(), "{headers}");
    assert!(headers.get("connection").is_none());
}

#[tokio::test]
async fn lists_in_several_lines_stay_lists() {
    let app = App::start().await;
    let agents = connected(&app, "zia_agents", SAM).await;
    let headers = echoed(&agents, &[("accept", "text/html"), ("accept", "application/json")]).await;
    assert_eq!(headers["accept"], json!("text/html, application/json"));
}
