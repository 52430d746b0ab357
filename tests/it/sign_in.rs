//! The button, from the first click to the landing; and what beginning costs.

use std::time::{Duration, Instant};

use crate::harness::*;

#[tokio::test]
async fn a_person_signs_in_and_finds_a_connection() {
    let app = App::start().await;
    let sam = app.visitor();
    let home = sam.get("/").await;
    home.assert_status(200);
    assert!(
        home.links().iter().any(|link| link.starts_with("/login"))
            || home.actions().iter().any(|action| action == "/login")
    );
    let landing = sam.sign_in_as(SAM).await;
    assert_eq!(landing.location(), "/connections");
    assert!(sam.get("/connections").await.has("Rivera Supplies"));
    assert_eq!(sam.connection_ids().await.len(), 1);
    assert_eq!(sam.get("/").await.location(), "/connections", "signed in, the button is not needed");
    let page = sam.get(&format!("/connections/{}", sam.only_connection().await)).await;
    for words in ["Rivera Supplies", "60000001", "ZohoAssist.userapi.READ", "sam@example.com", "780000001"] {
        assert!(page.has(words), "{words} is missing:\n{}", page.text);
    }
    assert_eq!(app.database.column("select concat_ws(' ', role, own_of_person_id = person_id) from membership join tenant using (tenant_id)").await, ["owner t"]);
}

#[tokio::test]
async fn with_auto_approval_the_whole_way_is_redirects() {
    let app = App::builder().auto_approve().start().await;
    let visitor = app.visitor();
    let consent = visitor.begin("/login?return_to=/problems").await;
    let url = visitor.go_to_zoho(&consent, SAM).await;
    assert_eq!(visitor.land(&url).await.location(), "/problems");
}

#[tokio::test]
async fn every_sign_in_and_refusal_is_audited_once_with_peer_and_request() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    sam.go("/login?product=none", SAM).await;
    let disconnect = format!("/connections/{id}/disconnect");
    sam.submit(&disconnect, &disconnect, &[]).await.assert_status(303);
    sam.submit("/connections", "/logout", &[]).await.assert_status(303);
    let events =
        "select concat_ws(' ', actor_kind, action, outcome, peer, request_id is not null, connection_id is not null)
                  from audit_event order by audit_event_id";
    assert_eq!(
        app.database.column(events).await,
        [
            "person tenant_created done 127.0.0.1 t f",
            "person connected done 127.0.0.1 t t",
            "person signed_in done 127.0.0.1 t f",
            "person disconnected done 127.0.0.1 t t",
            "engine revoked_at_zoho yes f t",
            "person signed_out done 127.0.0.1 t f",
        ]
    );
}

#[tokio::test]
async fn s1_beginning_changes_no_row_of_any_table() {
    let app = App::start().await;
    app.visitor().sign_in_as(SAM).await;
    let before = app.database.row_counts().await;
    let stamps = "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables";
    let begin = |_| {
        let browser = app.visitor();
        async move {
            for _ in 0..125 {
                browser.drop_cookies("lwz");
                browser.get("/login?product=crm").await.assert_status(303);
            }
        }
    };
    let written = app.database.text(stamps).await;
    futures_util::future::join_all((0..16).map(begin)).await;
    assert_eq!(app.database.row_counts().await, before);
    // Statistics follow by a second: whatever is written meanwhile is not by beginning.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let since: i64 = app.database.text(stamps).await.parse::<i64>().unwrap() - written.parse::<i64>().unwrap();
    assert!(since < 100, "{since} rows were touched by 2000 begins");
}

#[tokio::test]
async fn s1_nobody_is_sent_to_consent_while_the_database_is_away() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.get("/login").await.assert_status(303);
    app.database.answers(false).await;
    let refused = wait_for("the probe notices", || async {
        let asked = Instant::now();
        let page = sam.get("/login").await;
        assert!(asked.elapsed() < Duration::from_secs(2), "the answer took {:?}", asked.elapsed());
        Some(page).filter(|page| page.status != 303)
    })
    .await;
    refused.assert_status(503);
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert!(refused.set_cookies().is_empty());
    assert_eq!(sam.get("/readyz").await.status, 503);
    assert_eq!(sam.get("/livez").await.status, 200);
    app.database.answers(true).await;
    wait_for("the probe notices", || async { (sam.get("/login").await.status == 303).then_some(()) }).await;
    assert_eq!(sam.sign_in_as(SAM).await.location(), "/connections");
}

#[tokio::test]
async fn s23_states_and_attempt_cookies_are_distinct_and_say_nothing() {
    let app = App::start().await;
    let (mut states, mut cookies) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for _ in 0..200 {
        let browser = app.visitor();
        let state = parameter(&browser.begin("/login").await, "state").unwrap();
        assert!(state.len() == 43 && uuid::Uuid::parse_str(&state).is_err());
        let (name, value) = browser.cookie("lwz_attempt_").unwrap();
        assert!(!name.contains(&state[..8]) && !value.contains(&state));
        states.insert(state);
        cookies.insert((name, value));
    }
    assert_eq!((states.len(), cookies.len()), (200, 200));
}

#[tokio::test]
async fn s14_failed_exchanges_are_limited_per_peer_and_successful_ones_are_not() {
    let app = App::builder()
        .trusted_proxies(&["127.0.0.1"])
        .config(|config| config.failed_exchanges_per_minute = 3)
        .start()
        .await;
    let come_back = async |peer: &str, code: Option<&str>| {
        let browser = app.visitor();
        let url = browser.go_to_zoho(&browser.begin("/login").await, SAM).await;
        let url = code.map_or_else(|| url.clone(), |code| with_parameter(&url, "code", Some(code)));
        browser.request(reqwest::Method::GET, &url).header("x-forwarded-for", peer).send().await
    };
    for good in 0..5 {
        assert_eq!(come_back("203.0.113.7", None).await.location(), "/connections", "{good}");
    }
    for bogus in ["1000.a", "1000.b", "1000.c"] {
        assert_eq!(come_back("203.0.113.7", Some(bogus)).await.location(), "/problems/code-expired");
    }
    let calls = app.zoho.token_calls().await.len();
    let limited = come_back("203.0.113.7", Some("1000.d")).await;
    limited.assert_status(429);
    assert!(limited.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(app.zoho.token_calls().await.len(), calls);
    assert_eq!(come_back("203.0.113.8", None).await.location(), "/connections", "somebody else does not notice");
}
