//! E-7: faults.

use std::time::{Duration, Instant};

use super::*;

async fn serverinfo(zoho: &Zoho) -> reqwest::Result<Response> {
    zoho.http.get(zoho.accounts("us", "/oauth/serverinfo")).send().await
}

#[tokio::test]
async fn e7_status_html_raw_bodies_and_redirects_replace_the_answer_once() {
    let zoho = Zoho::start().await;
    zoho.fault(json!({"listener": "accounts:us", "count": 1, "act": {"status": 503}})).await;
    assert_eq!(serverinfo(&zoho).await.unwrap().status(), 503);
    assert_eq!(serverinfo(&zoho).await.unwrap().status(), 200, "the fault expired by itself");

    zoho.fault(json!({"count": 1, "act": {"html": "<h1>Sorry</h1>"}})).await;
    let page = serverinfo(&zoho).await.unwrap();
    assert_eq!((page.status().as_u16(), page.text().await.unwrap()), (200, "<h1>Sorry</h1>".to_owned()));

    let body =
        json!({"body": "\u{1f}raw", "content_type": "application/json", "headers": {"X-Odd": "yes"}, "status": 418});
    zoho.fault(json!({"count": 1, "act": body})).await;
    let raw = serverinfo(&zoho).await.unwrap();
    assert_eq!((raw.status().as_u16(), &raw.headers()["x-odd"]), (418, &"yes".parse().unwrap()));
    assert_eq!(raw.text().await.unwrap(), "\u{1f}raw");

    zoho.fault(json!({"count": 1, "act": {"redirect": "http://127.0.0.1:9/elsewhere"}})).await;
    let redirect = serverinfo(&zoho).await.unwrap();
    assert_eq!(
        (redirect.status().as_u16(), &redirect.headers()[LOCATION]),
        (302, &"http://127.0.0.1:9/elsewhere".parse().unwrap())
    );
}

#[tokio::test]
async fn e7_json_members_are_replaced_and_removed_in_the_real_answer() {
    let zoho = Zoho::start().await;
    let act =
        json!({"json": {"set": {"/api_domain": "https://evil.example", "/expires_in": -1}, "remove": ["/scope"]}});
    zoho.fault(json!({"path": "/oauth/v2/token", "grant_type": "authorization_code", "count": 1, "act": act})).await;
    let tokens = zoho.connect(SAM, &[]).await;
    assert_eq!(
        (&tokens.answer["api_domain"], &tokens.answer["expires_in"]),
        (&json!("https://evil.example"), &json!(-1))
    );
    assert!(tokens.answer.get("scope").is_none());
    assert!(zoho.works("us", &tokens.access).await);
}

#[tokio::test]
async fn e7_a_fault_can_wait_for_the_third_call_and_for_one_token() {
    let zoho = Zoho::start().await;
    let (one, other) = (zoho.connect(SAM, &[]).await, zoho.connect(SAM, &[]).await);
    zoho.fault(json!({"token": one.refresh, "skip": 2, "count": 1, "act": {"status": 500}})).await;
    let url = zoho.accounts("us", "/oauth/v2/token");
    let refresh = |token: &str| {
        let form = [
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", token.to_owned()),
            ("client_id", zoho.client.client_id.clone()),
            ("client_secret", zoho.secret("us").to_owned()),
        ];
        let request = zoho.http.post(&url).form(&form);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(
        (refresh(&one.refresh).await, refresh(&one.refresh).await, refresh(&other.refresh).await),
        (200, 200, 200)
    );
    assert_eq!((refresh(&one.refresh).await, refresh(&one.refresh).await), (500, 200));
}

#[tokio::test]
async fn e7_reset_breaks_the_connection_after_the_effect_or_before() {
    let zoho = Zoho::start().await;
    for (effect, live) in [(true, 1), (false, 0)] {
        zoho.control(Method::POST, "/control/reset", json!({"what": ["ledger"]})).await;
        let code = zoho.code(SAM, &[]).await;
        zoho.fault(json!({"path": "/oauth/v2/token", "count": 1, "effect": effect, "act": {"reset": true}})).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("client_id", &zoho.client.client_id),
            ("client_secret", zoho.secret("us")),
        ];
        let broken = zoho.http.post(zoho.accounts("us", "/oauth/v2/token")).form(&form).send().await.unwrap_err();
        assert!(format!("{broken:?}").contains("ConnectionReset"), "{broken:?}");
        assert_eq!(zoho.ledger("kind=refresh_token&state=live").await.len(), live);
    }
}

#[tokio::test]
async fn e7_truncation_promises_more_than_comes() {
    let zoho = Zoho::start().await;
    zoho.fault(json!({"count": 1, "act": {"truncate": 5}})).await;
    let answer = serverinfo(&zoho).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.content_length().unwrap() > 5);
    assert!(answer.bytes().await.is_err());
}

#[tokio::test]
async fn e7_delays_and_drips_take_their_time() {
    let zoho = Zoho::start().await;
    let began = Instant::now();
    zoho.fault(json!({"count": 1, "act": {"delay_ms": 150}})).await;
    assert_eq!(serverinfo(&zoho).await.unwrap().status(), 200);
    assert!(began.elapsed() >= Duration::from_millis(150));

    let began = Instant::now();
    zoho.fault(json!({"count": 1, "act": {"body": "ten bytes!", "drip": 50}})).await;
    assert_eq!(serverinfo(&zoho).await.unwrap().text().await.unwrap(), "ten bytes!");
    assert!(began.elapsed() >= Duration::from_millis(190));
}

#[tokio::test]
async fn e7_silence_and_endless_bodies_end_with_the_patience_of_the_client() {
    let zoho = Zoho::start().await;
    zoho.fault(json!({"count": 1, "act": {"hang": true}})).await;
    let url = zoho.accounts("us", "/oauth/serverinfo");
    let silent = zoho.http.get(&url).timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(silent.is_timeout());

    zoho.fault(json!({"count": 1, "act": {"endless": "body"}})).await;
    let mut endless = serverinfo(&zoho).await.unwrap();
    let mut size = 0;
    while size < 1_000_000 {
        size += endless.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn e7_any_bytes_can_stand_in_place_of_an_answer_and_heads_can_go_on_for_ever() {
    let zoho = Zoho::start().await;
    zoho.fault(
        json!({"count": 1, "act": {"raw": "HTTP/1.1 299 Odd\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"}}),
    )
    .await;
    let odd = serverinfo(&zoho).await.unwrap();
    assert_eq!((odd.status().as_u16(), odd.text().await.unwrap()), (299, "hi".to_owned()));

    zoho.fault(json!({"count": 1, "act": {"raw": "no HTTP at all"}})).await;
    assert!(serverinfo(&zoho).await.is_err());

    zoho.fault(json!({"count": 1, "act": {"endless": "head", "drip": 100}})).await;
    let url = zoho.accounts("us", "/oauth/serverinfo");
    let endless = zoho.http.get(&url).timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(endless.is_timeout(), "{endless:?}");
}

#[tokio::test]
async fn e7_faults_are_listed_and_cleared() {
    let zoho = Zoho::start().await;
    zoho.fault(json!({"listener": "api", "data_centre": "eu", "act": {"status": 500}})).await;
    zoho.fault(json!({"act": {"status": 502}})).await;
    assert_eq!(serverinfo(&zoho).await.unwrap().status(), 502);
    let listed = zoho.control(Method::GET, "/control/faults", json!({})).await;
    assert_eq!((listed["faults"].as_array().unwrap().len(), &listed["faults"][1]["hits"]), (2, &json!(1)));
    zoho.control(Method::DELETE, "/control/faults/2", json!({})).await;
    assert_eq!(serverinfo(&zoho).await.unwrap().status(), 200);
    zoho.control(Method::DELETE, "/control/faults", json!({})).await;
    let listed = zoho.control(Method::GET, "/control/faults", json!({})).await;
    assert_eq!(listed["faults"], json!([]));
}

#[tokio::test]
async fn e7_a_fault_that_makes_no_sense_is_refused_with_a_cure() {
    let zoho = Zoho::start().await;
    for fault in [
        json!({"act": {"status": 42}}),
        json!({"act": {"explode": true}}),
        json!({"listener": "moon", "act": {}}),
        json!({"act": {"json": {"set": {"expires_in": 1}}}}),
        json!({}),
    ] {
        let (status, answer) = zoho.try_control(Method::POST, "/control/faults", &fault).await;
        assert_eq!(status, 400, "{fault}");
        assert!(answer["error"].is_string() && answer["do"].is_string());
    }
}
