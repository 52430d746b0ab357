//! S-60: whatever stands in the path, the token goes to the product's own host and under its own prefixes.

use super::*;
use crate::harness::raw;

#[tokio::test]
async fn s60_no_path_leads_elsewhere() {
    let app = App::start().await;
    let outside = Outside::listen().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho.forget_journal().await;
    let elsewhere = outside.authority();
    for path in [
        format!("/{elsewhere}/crm/v8/org"),
        format!("//{elsewhere}/crm/v8/org"),
        format!("/{}/crm/v8/org", outside.url()),
        format!("/{}", outside.url().replace("://", "%3A%2F%2F")),
        format!("/@{elsewhere}/crm/v8/org"),
        format!("/%40{elsewhere}/crm/v8/org"),
        format!("/crm@{elsewhere}/v8/org"),
        format!("/\\{elsewhere}/crm/v8/org"),
        format!("/%5C%5C{elsewhere}/crm/v8/org"),
        format!("/%2F%2F{elsewhere}/crm/v8/org"),
        format!("/%2F{elsewhere}/crm/v8/org"),
        format!(".{elsewhere}/crm/v8/org"),
        format!(":80@{elsewhere}/crm/v8/org"),
        "/".to_owned(),
        "/crm".to_owned(),
        "/crm/".to_owned(),
        "/crm/v8/org/".to_owned(),
        "/crm//v8/org".to_owned(),
        "/oauth/v2/token".to_owned(),
        "/books/v3/organizations".to_owned(),
        "/CRM/v8/org".to_owned(),
        "/crm/../oauth/v2/token".to_owned(),
        "/crm/%2e%2e/oauth/v2/token".to_owned(),
        "/crm/.%2e/oauth/v2/token".to_owned(),
        "/crm/%252e%252e/oauth/v2/token".to_owned(),
        "/crm/..%2foauth%2fv2%2ftoken".to_owned(),
        "/crm/..%5coauth".to_owned(),
        "/crm/..;/oauth/v2/token".to_owned(),
        "/crm/./v8/org".to_owned(),
        "/crm/v8%00/org".to_owned(),
        "/crm/v8%0d%0aHost:%20x/org".to_owned(),
        "/crm/v8%0a/org".to_owned(),
        "/crm/%c0%ae%c0%ae/org".to_owned(),
        "/crm/%EF%BC%8E%EF%BC%8E/org".to_owned(),
        "/crm/v8%EF%BC%8Forg".to_owned(),
        "/crm/v8/%ff".to_owned(),
        "/crm/v8/%".to_owned(),
        "/crm/v8/%zz".to_owned(),
        "/crm/v8/org?a=%0d%0ab".to_owned(),
        "/crm/v8/org?a=%00".to_owned(),
        format!("/crm/v8/{}", "a".repeat(5000)),
    ] {
        let answer = raw_get(&app, &crm, &crm.path(&path)).await;
        assert!(matches!(raw::status(&answer), 400 | 404), "{path}: {answer}");
    }
    assert_eq!(app.zoho.requests("/").await, Vec::<String>::new(), "nothing reached Zoho");
    outside.assert_untouched().await;
}

/// With the right key, the target spelled exactly so.
async fn raw_get(app: &App, connected: &Connected, target: &str) -> String {
    send(app, connected, &format!("GET {target} HTTP/1.1"), "").await
}

async fn send(app: &App, connected: &Connected, line: &str, headers: &str) -> String {
    let (host, key) = (app.public_url().origin().split_once("://").unwrap().1, &connected.backend.key);
    let head = format!("{line}\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n{headers}\r\n");
    raw::exchange(app.address(0), head.as_bytes()).await
}

#[tokio::test]
async fn s61_absolute_targets_upgrades_and_broken_lines_are_refused() {
    let app = App::start().await;
    let outside = Outside::listen().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho.forget_journal().await;
    let path = crm.path("/crm/v8/org");
    for (line, headers) in [
        (format!("GET {}{path} HTTP/1.1", outside.url()), String::new()),
        (
            format!("GET http://{}{path} HTTP/1.1", app.public_url().origin().split_once("://").unwrap().1),
            String::new(),
        ),
        (format!("GET {path} HTTP/1.1"), "Upgrade: websocket\r\n".to_owned()),
        (format!("GET {path} HTTP/1.1"), "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n".to_owned()),
        (format!("GET {path} HTTP/1.1"), "Accept: a\0b\r\n".to_owned()),
        (format!("GET {path} HTTP/1.1"), "Accept: a\rb\r\n".to_owned()),
        (format!("GET {path} HTTP/1.1"), "Accept-Language: caf\u{e9}\r\n".to_owned()),
        (format!("GET {path} HTTP/1.1"), "Content-Type: a/b\r\nContent-Type: c/d\r\n".to_owned()),
        (format!("GET {path} HTTP/1.1"), "X-ZIAAGENTS-AGENT-ID: 1\r\nX-ZIAAGENTS-AGENT-ID: 2\r\n".to_owned()),
        (format!("GET {path}\0 HTTP/1.1"), String::new()),
        (format!("GET {path}\u{ff0e} HTTP/1.1"), String::new()),
    ] {
        let answer = send(&app, &crm, &line, &headers).await;
        assert_eq!(raw::status(&answer), 400, "{line} {headers}: {answer}");
    }
    assert_eq!(app.zoho.requests("/").await, Vec::<String>::new(), "nothing reached Zoho");
    outside.assert_untouched().await;
}

#[tokio::test]
async fn s60_a_path_reaches_zoho_in_its_one_spelling() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho.forget_journal().await;
    for path in ["/crm/v8/emulator/echo/%41nn@example.com;a=1", "/crm/v8/emulator/echo/Ann%40example.com%3Ba%3D1"] {
        let answer = raw_get(&app, &crm, &crm.path(&format!("{path}?fields=a,b&q=x%2Fy"))).await;
        assert_eq!(raw::status(&answer), 200, "{answer}");
    }
    let targets: Vec<_> = upstream(&app).await.iter().map(|call| call["target"].clone()).collect();
    assert_eq!(targets, ["/crm/v8/emulator/echo/Ann%40example.com%3Ba%3D1?fields=a,b&q=x%2Fy"; 2]);
    assert!(upstream(&app).await.iter().all(|call| call["secret_in_request_line"] == false));
}
