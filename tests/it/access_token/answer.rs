use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn s55_the_answer_has_exactly_the_members_that_are_promised() {
    let connected = Connected::start().await;
    let told = connected.token("").await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(told.header("cache-control"), "no-store");
    let mut answer = told.json();
    assert!(connected.works(answer["access_token"].as_str().unwrap()).await);
    let (api, assist) = (connected.app.api("us"), connected.app.api("us"));
    for member in ["access_token", "token_id"] {
        assert!(!answer[member].take().as_str().unwrap().is_empty(), "{member}");
    }
    assert_eq!(
        answer,
        json!({
            "access_token": null, "token_id": null, "token_type": "Zoho-oauthtoken",
            "expires_at": "2026-11-21T11:00:00Z", "expires_in": 3600, "connection_id": connected.id, "product": "assist",
            "data_centre": "us", "api_domain": api, "product_url": assist,
            "organization": {"id": answer["organization"]["id"], "name": answer["organization"]["name"], "environment": "production"},
            "scopes": ["AaaServer.profile.READ", "ZohoAssist.userapi.READ"], "warnings": []
        })
    );
    assert_eq!(connected.refreshes().await, 0, "what is there is handed out");
}

#[tokio::test]
async fn s55_vends_are_counted_by_key_connection_and_minute() {
    let connected = Connected::start().await;
    for _ in 0..5 {
        connected.token("").await.member("access_token");
    }
    connected.advance_minutes(1).await;
    connected.token("").await.member("access_token");
    let counts = wait_for("the vends are written", || async {
        let question =
            "select concat_ws(' ', to_char(minute at time zone 'utc', 'HH24:MI'), outcome, sum(vends)) from token_vend
                        group by minute, outcome order by minute";
        let counts = connected.app.database.column(question).await;
        (counts.len() == 2).then_some(counts)
    });
    assert_eq!(counts.await, ["10:00 vended 5", "10:01 vended 1"]);
    wait_for("the last use is written", || async {
        let at = connected.app.database.text("select last_used_at at time zone 'utc' from connection").await;
        (at == "2026-11-21 10:01:00").then_some(())
    })
    .await;
}

/// What is counted of many keys at once is put down in batches, and counted with the rest when the minute is over.
#[tokio::test]
async fn s55_a_crowd_is_counted_in_batches_and_none_is_lost() {
    let connected = Connected::start().await;
    let mut keys = Vec::new();
    for _ in 0..150 {
        keys.push(connected.app.backend(TOKENS).await);
    }
    let batches = || connected.app.database.text("select count(*) from token_vend_batch");
    let mut calls = 0;
    while batches().await == "0" {
        assert!(calls < 15_000, "a hundred crowds, and none was too many at once");
        for told in join_all(keys.iter().map(|key| key.token(&connected.id, ""))).await {
            told.member("access_token");
            calls += 1;
        }
    }
    let put_down = "select (select coalesce(sum(v), 0) from token_vend_batch, unnest(vends) v)
                         + (select coalesce(sum(vends), 0) from token_vend)";
    wait_for("all are put down", || async {
        (connected.app.database.text(put_down).await == calls.to_string()).then_some(())
    })
    .await;
    connected.advance_minutes(1).await;
    wait_for("the batches are counted", || async { (batches().await == "0").then_some(()) }).await;
    let counted =
        "select sum(vends) || ' by ' || count(distinct api_key_id) || ' in ' || count(distinct minute) from token_vend";
    assert_eq!(connected.app.database.text(counted).await, format!("{calls} by 150 in 1"));
    let at = connected.app.database.text("select last_used_at at time zone 'utc' from connection").await;
    assert_eq!(at, "2026-11-21 10:00:00");
}

#[tokio::test]
async fn s53_a_key_needs_the_grant_and_a_tenants_key_sees_its_own() {
    let connected = Connected::start().await;
    let reader = connected.app.backend(&["connections:read", "proxy"]).await;
    assert_eq!(reader.token(&connected.id, "").await.problem(), "403 forbidden");
    let own = connected.app.backend_of(&connected.id, TOKENS).await;
    assert_eq!(own.token(&connected.id, "").await.status, 200);
    let ann = connected.app.visitor();
    ann.sign_in_as(BEA).await;
    let hers = ann.only_connection().await;
    // Another tenant's connection and an invented one are the same answer (S-41).
    let (foreign, invented) = (own.token(&hers, "").await, own.token("0193a000-0000-7000-8000-000000000000", "").await);
    assert_eq!((foreign.problem(), invented.problem()), ("404 not-found".to_owned(), "404 not-found".to_owned()));
    let all = connected.app.backend(TOKENS).await;
    assert_eq!(all.token(&hers, "").await.status, 200);
    let refusals = wait_for("the refusals are on record", || async {
        let refusals = connected.app.database.column("select concat_ws(' ', actor_kind, outcome, detail, connection_id is null) from audit_event where action = 'token_refused'").await;
        (refusals.len() == 2).then_some(refusals)
    });
    assert_eq!(refusals.await, ["api_key refused not-found t", "api_key refused not-found t"]);
}

#[tokio::test]
async fn s52_a_disconnected_connection_is_refused_everywhere_within_a_second() {
    let connected = Connected::start_with(App::builder().replicas(2)).await;
    let other = connected.back_end.via(1);
    for back_end in [&connected.back_end, &other] {
        assert_eq!(back_end.token(&connected.id, "").await.status, 200);
    }
    let sam = connected.app.visitor();
    sam.sign_in_as(SAM).await;
    let page = format!("/connections/{}/disconnect", connected.id);
    let answered = sam.submit(&page, &page, &[]).await;
    assert_eq!(answered.status, 303);
    let at = std::time::Instant::now();
    for back_end in [&connected.back_end, &other] {
        wait_for("the token is refused", || async {
            (back_end.token(&connected.id, "").await.problem() == "409 disconnected").then_some(())
        })
        .await;
    }
    // The bound is the cache's, not the machine's speed: half a second and what the calls take.
    assert!(at.elapsed() < Duration::from_secs(5));
}
