//! What stands on every answer, and what no answer believes.

use reqwest::Method;

use crate::harness::raw;
use crate::harness::*;

const EVERYWHERE: [&str; 6] = [
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "permissions-policy",
    "cache-control",
];

/// Paths as people and scanners spell them.
const SPELLINGS: [&str; 25] = [
    "/",
    "/login",
    "/connections",
    "/oauth/callback",
    "/oauth/callback/",
    "/problems",
    "/problems/access-denied",
    "/problems/nothing",
    "/nowhere",
    "//",
    "//nowhere",
    "/login/",
    "/./login",
    "/../etc/passwd",
    "/%2e%2e/%2e%2e/etc",
    "/login%00",
    "/%",
    "/%zz",
    "/connections/x.css",
    "/connections/019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41",
    "/static/",
    "/static/nothing.css",
    "/livez",
    "/readyz",
    "/login?product=nonsense",
];

#[tokio::test]
async fn s32_every_answer_carries_the_security_headers_however_its_path_is_spelled() {
    let app = App::start().await;
    let host = app.visitor().host().to_owned();
    for target in SPELLINGS {
        for method in ["GET", "HEAD", "POST", "DELETE", "TRACE", "NONSENSE"] {
            let request =
                format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            let answer = raw::exchange(app.address(0), request.as_bytes()).await;
            assert!((200..500).contains(&raw::status(&answer)), "{method} {target}\n{answer}");
            if raw::status(&answer) == 400 && raw::header(&answer, "content-length") == Some("0") {
                continue; // Refused by the HTTP parser, before there is a request.
            }
            for name in EVERYWHERE {
                assert!(raw::header(&answer, name).is_some(), "{name} on {method} {target}\n{answer}");
            }
            for name in ["server", "x-powered-by", "access-control-allow-origin"] {
                assert_eq!(raw::header(&answer, name), None, "{method} {target}");
            }
        }
    }
}

#[tokio::test]
async fn s32_the_policy_names_the_accounts_servers_and_nothing_else() {
    let app = App::start().await;
    let page = app.visitor().get("/").await;
    let accounts: Vec<String> =
        app.config.zoho.servers.data_centres().map(|(_, hosts)| hosts.accounts.clone()).collect();
    assert_eq!(accounts.len(), 11);
    let expected = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        accounts.join(" ")
    );
    assert_eq!(page.header("content-security-policy"), expected);
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("strict-transport-security"), "", "plain http promises nothing");
    for inline in ["<style", " style=\"", " onclick", " onload", "javascript:"] {
        assert!(!page.has(inline), "{inline}");
    }
    let scripts = page::tags(&page.text, "script");
    assert!(scripts.iter().all(|script| page::attribute(script, "src").is_some()), "{scripts:?}");
}

#[tokio::test]
async fn s32_under_https_the_browser_is_told_to_stay_there() {
    let app = App::builder().https().start().await;
    for path in ["/", "/nowhere", "/static/app.css", "/oauth/callback"] {
        let page = app.visitor().get(path).await;
        let promise = page.header("strict-transport-security");
        let seconds = promise.split(';').find_map(|part| part.trim().strip_prefix("max-age=")).unwrap_or("0");
        assert!(seconds.parse::<u64>().unwrap() >= 31_536_000, "{path}: {promise}");
    }
}

#[tokio::test]
async fn s33_no_page_leaves_code_and_state_in_the_address_bar() {
    let app = App::start().await;
    let sam = app.visitor();
    let url = sam.go_to_zoho(&sam.begin("/login").await, SAM).await;
    let refused = app.visitor().come_back(&url).await;
    refused.assert_status(400);
    assert_eq!(refused.header("referrer-policy"), "no-referrer");
    for tag in ["link", "script", "img", "a"] {
        for element in page::tags(&refused.text, tag) {
            let target =
                page::attribute(element, "href").or_else(|| page::attribute(element, "src")).unwrap_or_default();
            assert!(target.starts_with('/') || target.starts_with('#'), "{element}");
            assert!(!target.contains("code=") && !target.contains("state="), "{element}");
        }
    }
    let landing = sam.come_back(&url).await;
    assert_eq!(landing.header("referrer-policy"), "no-referrer");
    for secret in ["code", "state"] {
        let value = parameter(&url, secret).unwrap();
        assert!(!refused.text.contains(&value) && !landing.location().contains(&value), "{secret}");
    }
}

#[tokio::test]
async fn s34_personal_answers_are_never_stored_and_assets_are_immutable_and_cookie_free() {
    let app = App::start().await;
    let sam = app.visitor();
    let begun = sam.get("/login").await;
    assert_eq!(begun.header("cache-control"), "no-store");
    let landing = sam.land(&sam.go_to_zoho(begun.location(), SAM).await).await;
    assert_eq!(landing.header("cache-control"), "no-store");
    let id = sam.only_connection().await;
    let home = sam.get("/connections").await;
    for path in [
        "/connections".to_owned(),
        format!("/connections/{id}"),
        format!("/connections/{id}/disconnect"),
        "/".to_owned(),
    ] {
        assert_eq!(sam.get(&path).await.header("cache-control"), "no-store", "{path}");
    }
    for path in [
        "/connections/x.css".to_owned(),
        "/connections.css".to_owned(),
        "/connections/app.js".to_owned(),
        format!("/connections/{id}.css"),
        format!("/connections/{id}/x.css"),
    ] {
        assert_eq!(sam.get(&path).await.status, 404, "{path}");
    }
    let linked = page::tags(&home.text, "link").into_iter().chain(page::tags(&home.text, "script"));
    let assets = linked.filter_map(|tag| page::attribute(tag, "href").or_else(|| page::attribute(tag, "src")));
    for asset in assets.filter(|asset| asset.starts_with("/static/")) {
        let answer = sam.get(&asset).await;
        answer.assert_status(200);
        assert!(answer.header("cache-control").contains("immutable"), "{asset}: {}", answer.header("cache-control"));
        assert!(answer.set_cookies().is_empty());
    }
}

#[tokio::test]
async fn s35_forwarding_headers_of_a_stranger_change_nothing() {
    let app = App::start().await;
    let plain = app.visitor();
    let forged = [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/problems"),
        ("x-rewrite-url", "/problems"),
        ("x-http-method-override", "DELETE"),
        ("forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
        ("via", "1.1 evil.example"),
    ];
    let forge = |method: Method, path: &str| {
        let mut request = plain.request(method, path);
        for (name, value) in forged {
            request = request.header(name, value);
        }
        request
    };
    let begun = forge(Method::GET, "/login").send().await;
    assert_eq!(parameter(begun.location(), "redirect_uri").as_deref(), Some(app.public_url().redirect_uri()));
    assert!(begun.set_cookies().iter().all(|line| line.starts_with("lwz_attempt_") && !line.contains("Secure")));
    let url = plain.refuse_at_zoho(begun.location(), SAM).await;
    let target = url.strip_prefix(app.public_url().origin()).unwrap();
    assert_eq!(forge(Method::GET, target).send().await.location(), "/problems/access-denied");
    assert_eq!(app.database.column("select peer from audit_event").await, ["127.0.0.1"]);
    let (honest, lying) = (plain.get("/").await, forge(Method::GET, "/").send().await);
    assert_eq!(without_ids(&honest.text), without_ids(&lying.text));
    let foreign_host = raw::get(app.address(0), "evil.example", "/login").await;
    let location = raw::header(&foreign_host, "location").unwrap();
    assert_eq!(parameter(location, "redirect_uri").as_deref(), Some(app.public_url().redirect_uri()));
    assert!(!foreign_host.contains("evil.example"));
}

#[tokio::test]
async fn s35_a_trusted_proxy_names_the_visitors_address() {
    let app = App::builder().trusted_proxies(&["127.0.0.0/8", "10.0.0.0/8"]).start().await;
    for (forwarded, peer) in [
        ("203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7, 10.0.0.5", "203.0.113.7"),
        ("1.2.3.4, garbage, 10.0.0.5", "10.0.0.5"),
        ("", "127.0.0.1"),
    ] {
        let sam = app.visitor();
        let url = sam.refuse_at_zoho(&sam.begin("/login").await, SAM).await;
        app.advance(std::time::Duration::from_secs(1)).await;
        sam.request(Method::GET, &url).header("x-forwarded-for", forwarded).send().await.assert_status(303);
        assert_eq!(
            app.database.text("(select peer from audit_event order by at desc limit 1)").await,
            peer,
            "{forwarded}"
        );
    }
}

#[tokio::test]
async fn s39_a_return_path_is_one_of_ours_or_the_default() {
    let app = App::start().await;
    let sam = app.visitor();
    for ours in ["/", "/connections", "/connections?product=desk", "/problems/access-denied", "/a/b-c_d.e~f?g=h&i=j"] {
        let target = format!("/login?product=none&return_to={}", encoded(ours));
        assert_eq!(sam.go(&target, SAM).await.location(), ours);
    }
    let long = format!("/{}", "a".repeat(256));
    for foreign in [
        "//elsewhere",
        "https://elsewhere",
        "/\\elsewhere",
        "\\\\elsewhere",
        "/%2felsewhere",
        "/..//elsewhere",
        "/../x",
        "/./x",
        "javascript:alert(1)",
        "elsewhere",
        "",
        "/a\r\nSet-Cookie: x=1",
        "/a\tb",
        "/a b",
        "/ü",
        "/a#b",
        "/a?b?c",
        "/a;b",
        "/@elsewhere",
        "/a:b",
        &long,
    ] {
        let target = format!("/login?product=none&return_to={}", encoded(foreign));
        assert_eq!(sam.go(&target, SAM).await.location(), "/connections", "{foreign:?}");
        let browser = app.visitor();
        browser.go("/login?product=none", SAM).await;
        let out = browser.submit("/connections", "/logout", &[("return_to", foreign)]).await;
        assert_eq!(out.location(), "/connections", "{foreign:?}, at sign-out too");
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
