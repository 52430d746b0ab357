//! The query: by name, in any order; what is malformed never gets as far as the cookies.

use reqwest::Method;

use super::*;
use crate::harness::raw;

#[tokio::test]
async fn parameters_come_in_any_order_with_a_trailing_ampersand_and_absent_places() {
    let app = App::start().await;
    for dialect in [
        serde_json::json!({"order": "state_first", "trailing_ampersand": true}),
        serde_json::json!({"order": "code_first", "trailing_ampersand": false, "location": false}),
        serde_json::json!({"location": true, "accounts_server": false}),
    ] {
        app.zoho.settings(serde_json::json!({"callback": dialect})).await;
        let bea = app.visitor();
        assert_eq!(bea.sign_in_as(BEA).await.location(), "/connections", "{dialect}");
    }
    app.zoho.settings(serde_json::json!({"callback": {"location": false, "accounts_server": false}})).await;
    assert_eq!(app.visitor().sign_in_as(SAM).await.location(), "/connections", "neither means home");
}

#[tokio::test]
async fn s9_a_refusal_is_explained_spent_and_audited() {
    let app = App::start().await;
    let sam = app.visitor();
    let consent = sam.begin("/login").await;
    let refusal = sam.refuse_at_zoho(&consent, SAM).await;
    let landing = sam.come_back(&refusal).await;
    assert_eq!(landing.location(), "/problems/access-denied");
    assert_eq!(landing.session_cookie(), None);
    let page = sam.get("/problems/access-denied").await;
    page.assert_status(200);
    assert!(page.has("/login") || page.links().iter().any(|link| link == "/"), "a way on:\n{}", page.text);
    assert_eq!(sam.come_back(&refusal).await.location(), "/problems/access-denied", "a duplicate shows the same");
    let granted = sam.go_to_zoho(&consent, SAM).await;
    assert_refused(&sam.come_back(&granted).await);
    assert_eq!(exchanges(&app).await, 0);
    let audited = app.database.column("select concat_ws(' ', action, detail, outcome) from audit_event").await;
    assert_eq!(audited, ["sign_in_failed access-denied failed"]);
}

#[tokio::test]
async fn s9_a_code_with_an_error_or_neither_is_refused_and_spent() {
    let app = App::start().await;
    for senseless in ["both", "neither"] {
        let sam = app.visitor();
        let good = callback(&sam, SAM).await;
        let bad = match senseless {
            "both" => with_parameter(&good, "error", Some("access_denied")),
            _ => with_parameter(&good, "code", None),
        };
        assert_refused(&sam.come_back(&bad).await);
        assert_refused(&sam.come_back(&good).await);
    }
    assert_eq!(exchanges(&app).await, 0);
}

#[tokio::test]
async fn s10_what_stands_twice_is_too_long_or_malformed_is_refused_before_anything_else() {
    let app = App::start().await;
    let sam = app.visitor();
    let good = callback(&sam, SAM).await;
    let target = good.strip_prefix(app.public_url().origin()).unwrap();
    let (host, cookies) = (sam.host(), sam.cookie_header());
    let before = app.database.row_counts().await;
    let mut targets: Vec<String> = ["state", "code", "location", "accounts-server"]
        .iter()
        .map(|name| format!("{target}&{name}={}", parameter(&good, name).unwrap()))
        .collect();
    for end in ["%00", "%0d%0aSet-Cookie:%20marker=1", "%ff", "%c3%28", "%7f", "%e2%80%ae"] {
        for name in ["state", "code", "location", "accounts-server"] {
            let value = format!("{}marker", parameter(&good, name).unwrap());
            targets.push(format!("{}{end}", with_parameter(target, name, Some(&value))));
        }
    }
    for (name, length) in [("code", 2049), ("location", 513), ("accounts-server", 513), ("error", 513), ("state", 44)] {
        targets.push(with_parameter(target, name, Some(&"m".repeat(length))));
    }
    targets.push(with_parameter(target, "code", Some(&"m".repeat(100_000))));
    targets.push(format!("{target}&code\u{0}=1"));
    for target in &targets {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n");
        let answer = raw::exchange(app.address(0), request.as_bytes()).await;
        let shown: String = target.chars().take(300).collect();
        assert!([400, 414, 431].contains(&raw::status(&answer)), "{shown}\n{answer}");
        assert!(!answer.contains("marker") && !answer.contains("mmmmmmmm"), "{shown}\n{answer}");
    }
    assert_eq!(app.database.row_counts().await, before);
    assert_eq!(sam.come_back(&good).await.location(), "/connections", "nothing was spent");
}

#[tokio::test]
async fn s11_other_methods_and_prefetches_touch_nothing() {
    let app = App::start().await;
    let sam = app.visitor();
    let url = callback(&sam, SAM).await;
    for method in [Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        for same_origin in [true, false] {
            let request = sam.request(method.clone(), &url);
            let page = if same_origin { request.same_origin() } else { request }.send().await;
            assert_eq!((page.status, page.header("allow")), (405, "GET"), "{method}");
        }
    }
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-purpose", "preview"),
        ("x-moz", "prefetch"),
    ] {
        let page = sam.request(Method::GET, &url).header(name, value).send().await;
        assert_eq!((page.status, page.header("cache-control")), (204, "no-store"), "{name}: {value}");
        assert!(page.set_cookies().is_empty() && page.text.is_empty());
    }
    assert_eq!(app.database.count("login_attempt").await, 0);
    assert_eq!(exchanges(&app).await, 0);
    assert_eq!(sam.come_back(&url).await.location(), "/connections");
}
