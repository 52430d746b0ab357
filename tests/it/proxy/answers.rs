//! S-62: what a back end gets of a product's answer.

use serde_json::{Value, json};

use super::*;

const ORG: &str = "/crm/v8/org";

async fn faulty(app: &App, act: Value) {
    app.zoho.clear_faults().await;
    app.zoho.fault(json!({"listener": "api", "path": "/crm/", "act": act})).await;
}

#[tokio::test]
async fn s62_headers_that_set_or_redirect_or_govern_are_dropped() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    let headers = json!({
        "Set-Cookie": "session=1", "Keep-Alive": "timeout=5", "Proxy-Authenticate": "Basic",
        "Location": "http://elsewhere/", "Refresh": "0;url=http://elsewhere/", "Access-Control-Allow-Origin": "*",
        "Strict-Transport-Security": "max-age=1", "Clear-Site-Data": "\"*\"", "Content-Security-Policy": "default-src *",
        "Cache-Control": "public, max-age=86400", "WWW-Authenticate": "Basic", "Server": "ZGS", "Cross-Origin-Opener-Policy": "unsafe-none",
        "X-Login-With-Zoho-Connection": "another", "Server-Timing": "db;dur=1", "ETag": "\"v1\"", "X-RateLimit-Remaining": "9", "X-Zoho": "kept",
    });
    faulty(&app, json!({"headers": headers, "status": 201})).await;
    let told = crm.get(ORG).await;
    assert_eq!(told.status, 201);
    for name in [
        "set-cookie",
        "keep-alive",
        "proxy-authenticate",
        "location",
        "refresh",
        "access-control-allow-origin",
        "strict-transport-security",
        "clear-site-data",
        "www-authenticate",
        "server",
    ] {
        assert!(!told.headers.contains_key(name), "{name}: {:?}", told.headers);
    }
    assert_eq!(told.header("etag"), "\"v1\"");
    assert_eq!((told.header("x-ratelimit-remaining"), told.header("x-zoho")), ("9", "kept"));
    assert_eq!(told.header("cache-control"), "no-store");
    assert_eq!(told.header("cross-origin-opener-policy"), "same-origin");
    assert!(told.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(told.header("x-login-with-zoho-connection"), crm.id);
    let timing = told.header("server-timing");
    assert!(timing.starts_with("token;dur=") && timing.contains(", zoho;dur=") && !timing.contains("db"), "{timing}");
    assert_eq!(told.json()["org"][0]["company_name"], "Rivera Supplies");
}

#[tokio::test]
async fn s62_what_is_not_json_is_no_page_of_ours() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    faulty(&app, json!({"html": "<script>alert(1)</script>", "status": 404})).await;
    let told = crm.get(ORG).await;
    assert_eq!((told.status, told.text.as_str()), (404, "<script>alert(1)</script>"));
    assert!(told.header("content-security-policy").contains("sandbox"));
    assert_eq!(told.header("x-content-type-options"), "nosniff");
    assert_eq!(told.header("content-disposition"), "attachment");
    faulty(&app, json!({"body": "%PDF", "content_type": "application/pdf", "headers": {"Content-Disposition": "attachment; filename=\"i.pdf\""}})).await;
    assert_eq!(crm.get(ORG).await.header("content-disposition"), "attachment; filename=\"i.pdf\"");
    faulty(
        &app,
        json!({"body": "%PDF", "content_type": "application/pdf", "headers": {"Content-Disposition": "inline"}}),
    )
    .await;
    assert_eq!(crm.get(ORG).await.header("content-disposition"), "attachment");
    // Of several types, a browser takes another than we would.
    let raw = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<h1>x";
    faulty(&app, json!({"raw": raw})).await;
    let told = crm.get(ORG).await;
    let types: Vec<_> = told.headers.get_all("content-type").iter().map(|kind| kind.to_str().unwrap()).collect();
    assert_eq!((told.status, types), (200, vec!["application/octet-stream"]));
    assert_eq!(told.header("content-disposition"), "attachment");
    assert!(told.header("content-security-policy").contains("sandbox"));
    app.zoho.clear_faults().await;
    let told = crm.get(ORG).await;
    assert!(
        !told.headers.contains_key("content-disposition")
            && !told.header("content-security-policy").contains("sandbox")
    );
}

#[tokio::test]
async fn s62_redirects_are_neither_followed_nor_passed_on() {
    let app = App::start().await;
    let outside = Outside::listen().await;
    let crm = connected(&app, "crm", SAM).await;
    for status in [301, 302, 303, 307, 308, 300] {
        faulty(&app, json!({"redirect": format!("{}/crm/v8/org", outside.url()), "status": status})).await;
        let told = crm.get(ORG).await;
        assert_eq!(told.problem(), "502 zoho-misbehaved", "{status}");
        assert!(!told.headers.contains_key("location") && !told.text.contains(&outside.authority()));
    }
    faulty(&app, json!({"status": 304, "body": "", "headers": {"ETag": "\"v1\""}})).await;
    let told = crm.get(ORG).await;
    assert_eq!((told.status, told.header("etag")), (304, "\"v1\""));
    outside.assert_untouched().await;
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    faulty(&app, json!({"status": 204, "body": "", "content_type": "text/plain"})).await;
    for method in [Method::GET, Method::DELETE, Method::HEAD] {
        let told = Told::read(crm.request(method, ORG).send().await.unwrap()).await;
        assert_eq!((told.status, told.text.as_str()), (204, ""));
        assert!(!told.headers.contains_key("content-disposition") && !told.headers.contains_key("transfer-encoding"));
    }
    faulty(&app, json!({"endless": "body"})).await;
    let told = Told::read(crm.request(Method::HEAD, ORG).send().await.unwrap()).await;
    assert_eq!((told.status, told.text.as_str()), (200, ""));
    assert!(!told.headers.contains_key("content-length"), "nobody knows: {:?}", told.headers);
}

#[tokio::test]
async fn a_products_own_errors_are_passed_on_untouched() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    for status in [400, 403, 404, 405, 409, 415, 422, 500, 503] {
        let body = format!("{{\"code\":\"NOT_OURS\",\"status\":{status}}}");
        faulty(&app, json!({"status": status, "body": body, "content_type": "application/json"})).await;
        let told = crm.get(ORG).await;
        assert_eq!((told.status, told.text.as_str()), (status, body.as_str()));
        assert_eq!(told.header("content-type"), "application/json");
    }
    assert_eq!(crm.get("/crm/v8/nothing/here/at/all").await.json()["code"], "NOT_OURS");
}

#[tokio::test]
async fn throttling_is_passed_on_with_the_time_to_wait() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    let body = r#"{"code":"TOO_MANY_REQUESTS"}"#;
    faulty(&app, json!({"status": 429, "body": body, "content_type": "application/json"})).await;
    let told = crm.get(ORG).await;
    assert_eq!((told.status, told.text.as_str(), told.header("retry-after")), (429, body, "60"));
    faulty(
        &app,
        json!({"status": 429, "body": body, "content_type": "application/json", "headers": {"Retry-After": "7"}}),
    )
    .await;
    assert_eq!(crm.get(ORG).await.header("retry-after"), "7");
    faulty(
        &app,
        json!({"status": 400, "body": r#"{"code":"request_limit_exceeded"}"#, "content_type": "application/json"}),
    )
    .await;
    let told = crm.get(ORG).await;
    assert_eq!((told.status, told.header("retry-after")), (400, "60"));
    let salesiq = connected(&app, "salesiq", SAM).await;
    app.zoho.fault(json!({"path": "/api/v2/", "act": {"body": r#"{"error":{"code":1023,"message":"Throttled"}}"#, "content_type": "application/json"}})).await;
    let told = salesiq.get("/api/v2/portals").await;
    assert_eq!((told.status, &told.json()["error"]["code"], told.header("retry-after")), (200, &json!(1023), "60"));
    assert_eq!(refreshes(&app).await, 0);
}

#[tokio::test]
async fn r15_an_answer_that_breaks_off_is_never_taken_for_a_whole_one() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    faulty(&app, json!({"truncate": 10, "content_type": "text/csv"})).await;
    let answer = crm.request(Method::GET, ORG).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.is_err(), "cut off, and seen to be");
    faulty(&app, json!({"truncate": 10})).await;
    assert_eq!(crm.get(ORG).await.problem(), "503 zoho-unavailable", "nothing of it was passed on yet");
    faulty(&app, json!({"reset": true})).await;
    let told = crm.get(ORG).await;
    assert_eq!(told.problem(), "503 zoho-unavailable");
    assert!(told.retry_after() > 0);
    faulty(&app, json!({"raw": "SSH-2.0-OpenSSH_9.9\r\n"})).await;
    assert_eq!(crm.get(ORG).await.problem(), "503 zoho-unavailable");
}
