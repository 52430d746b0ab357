//! Who gets into the API: security.md 2.6.

use std::time::{Duration, Instant};

use crate::harness::{Installation, client, client_at};

const LIST: &str = "/api/v1/connections";

fn make_key(installation: &Installation, arguments: &[&str]) -> (String, String) {
    let made = installation.json(&[&["api-key", "create", "--name", "test", "--json"], arguments].concat());
    (made["id"].as_str().expect("an id").to_owned(), made["key"].as_str().expect("a key").to_owned())
}

#[tokio::test]
async fn s54_missing_unknown_and_wrong_keys_are_one_answer() {
    let mut installation = Installation::new().await;
    installation.set("FAILED_KEYS_PER_MINUTE", "0");
    let (id, key) = make_key(&installation, &["--grants", "connections:read"]);
    let site = installation.serve();
    assert_eq!(site.get(LIST, &key).await.status, 200);
    let url = format!("{}{LIST}", site.url);
    let with = |value: &[u8]| {
        client().get(&url).header("authorization", reqwest::header::HeaderValue::from_bytes(value).expect("a header"))
    };
    let wrong = format!("lwz_{id}_{}", "x".repeat(43));
    let refused = [
        client().get(&url),
        client().get(&url).bearer_auth("lwz_abcdefgh_0123456789012345678901234567890123456789012"),
        client().get(&url).bearer_auth(&wrong),
        client().get(&url).bearer_auth("x".repeat(4000)),
        client().get(&url).bearer_auth(format!("{key}x")),
        client().get(&url).bearer_auth(key.to_uppercase()),
        with(b"Bearer \xff\xfe"),
        with(format!("Basic {key}").as_bytes()),
        client().get(format!("{url}?access_token={key}")),
        client().get(&url).header("x-api-key", &key),
        client().get(&url).header("cookie", format!("lwz_session={key}")),
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for request in refused {
        let mut answer = site.send(request).await;
        assert_eq!(answer.problem(), (401, "/problems/unauthenticated"));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        answer.json.as_object_mut().expect("an object").remove("request_id");
        bodies.insert(answer.json.to_string());
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(site.send(with(format!("bEARER {key}").as_bytes())).await.status, 200);
    let twice = site.send(with(b"Bearer x").header("authorization", format!("Bearer {key}"))).await;
    assert_eq!(twice.problem(), (400, "/problems/invalid-request"));
    assert_eq!(twice.json["errors"][0]["member"], "Authorization");
    assert!(!site.kill().contains(&key[13..]), "S-51: no log has the key");
}

#[tokio::test]
async fn s53_a_key_without_the_grant_is_forbidden() {
    let installation = Installation::new().await;
    let (_, key) = make_key(&installation, &["--grants", "tokens:read,proxy,connections:write"]);
    let site = installation.serve();
    assert_eq!(site.get(LIST, &key).await.problem(), (403, "/problems/forbidden"));
}

#[tokio::test]
async fn s52_s53_a_revoked_or_expired_key_is_dead_within_a_second() {
    let installation = Installation::new().await;
    let (id, revoked) = make_key(&installation, &["--grants", "connections:read"]);
    let (_, expires) = make_key(&installation, &["--grants", "connections:read", "--expires-in", "3s"]);
    let made = Instant::now();
    let site = installation.serve();
    assert_eq!(site.get(LIST, &revoked).await.status, 200);
    assert!(made.elapsed() > Duration::from_secs(2) || site.get(LIST, &expires).await.status == 200);
    installation.json(&["api-key", "revoke", &id, "--json"]);
    let ended = Instant::now();
    while site.get(LIST, &revoked).await.status == 200 {
        assert!(ended.elapsed() < Duration::from_secs(10), "it should be dead by now");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(site.get(LIST, &revoked).await.problem(), (401, "/problems/unauthenticated"));
    while site.get(LIST, &expires).await.status == 200 {
        assert!(made.elapsed() < Duration::from_secs(10), "it should be dead by now");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(made.elapsed() > Duration::from_millis(2900));
}

#[tokio::test]
async fn s54_guessing_is_limited_where_it_happens() {
    let mut installation = Installation::new().await;
    installation.set("FAILED_KEYS_PER_MINUTE", "5");
    let (id, key) = make_key(&installation, &["--grants", "connections:read"]);
    let site = installation.serve();
    let guess = format!("lwz_{id}_{}", "x".repeat(43));
    for _ in 0..5 {
        assert_eq!(site.get(LIST, &guess).await.status, 401);
    }
    let limited = site.get(LIST, &guess).await;
    assert_eq!(limited.problem(), (429, "/problems/too-many-requests"));
    let wait: u64 = limited.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    let elsewhere = |key: &str| client_at([127, 0, 0, 2]).get(format!("{}{LIST}", site.url)).bearer_auth(key);
    assert_eq!(site.send(elsewhere(&key)).await.status, 200, "the right key from elsewhere does not notice");
    assert_eq!(site.send(elsewhere(&guess)).await.status, 429, "guessing it goes on nowhere");
    assert_eq!(site.send(elsewhere("lwz_abcdefgh_x")).await.status, 401, "another is judged for itself");
}

#[tokio::test]
async fn s32_under_https_the_api_refuses_plain_http() {
    let mut installation = Installation::new().await;
    installation.set("PUBLIC_URL", "https://login.example.com");
    installation.set("TRUSTED_PROXIES", "127.0.0.3");
    let (_, key) = make_key(&installation, &["--grants", "connections:read"]);
    let site = installation.serve();
    let url = format!("{}{LIST}", site.url);
    let by = |address, proto: Option<&str>| {
        let request = client_at(address).get(&url).bearer_auth(&key);
        if let Some(proto) = proto { request.header("x-forwarded-proto", proto) } else { request }
    };
    let (proxy, stranger) = ([127, 0, 0, 3], [127, 0, 0, 1]);
    for refused in [by(stranger, None), by(stranger, Some("https")), by(proxy, None), by(proxy, Some("https, http"))] {
        assert_eq!(site.send(refused).await.problem(), (403, "/problems/forbidden"));
    }
    assert_eq!(site.send(by(proxy, Some("https"))).await.status, 200);
}

#[tokio::test]
async fn the_last_use_of_a_key_is_written_down() {
    let installation = Installation::new().await;
    let (_, key) = make_key(&installation, &["--grants", "connections:read"]);
    let site = installation.serve();
    for _ in 0..20 {
        site.get(LIST, &key).await;
    }
    site.terminate();
    let listed = installation.json(&["api-key", "list", "--json"]);
    assert!(listed["api_keys"][0]["last_used_at"].is_string(), "{listed}");
}
