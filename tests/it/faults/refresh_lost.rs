//! Who refreshes is killed, or stopped for a while, with Zoho's answer on its way.

use std::time::Duration;

use serde_json::json;

use super::Installation;
use crate::harness::{BEA, process::until};

const TOKEN: &str = "/oauth/v2/token";

#[tokio::test(flavor = "multi_thread")]
async fn r5_killed_during_a_refresh_another_replica_takes_over_and_nobody_fails_meanwhile() {
    let site = Installation::prepare().await;
    let (one, other) = (site.replica("one").await, site.replica("other").await);
    let (id, back_end) = site.connected(&[&one, &other], BEA).await;
    let rejected = back_end.token(&id, "").await.member("token_id");
    site.zoho.forget_journal().await;
    site.zoho.fault(json!({"path": TOKEN, "count": 1, "act": {"delay_ms": 8000}})).await;
    let killed = {
        let (back_end, id, query) = (back_end.clone(), id.clone(), format!("?rejected={rejected}"));
        tokio::spawn(async move {
            let path = format!("/api/v1/connections/{id}/access-token{query}");
            back_end.request(reqwest::Method::GET, &path).send().await.is_err()
        })
    };
    site.until_called(TOKEN, 1).await;
    one.signal("KILL");
    assert!(killed.await.unwrap(), "its caller loses the connection");
    let back_end = back_end.via(1);
    assert_eq!(back_end.token(&id, "").await.member("token_id"), rejected, "the valid token is vended meanwhile");
    until("another replica has refreshed", Duration::from_secs(30), async || {
        let told = back_end.token(&id, &format!("?rejected={rejected}")).await;
        assert!(told.status == 200 || told.status == 503, "{}", told.text);
        (told.status == 200).then_some(())
    })
    .await;
    assert_eq!(site.refreshes().await, 2, "one call more");
    assert_eq!(site.connections().await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn r6_a_holder_that_was_stopped_writes_nothing_when_it_goes_on() {
    let site = Installation::prepare().await;
    let (one, other) = (site.replica("one").await, site.replica("other").await);
    let (id, back_end) = site.connected(&[&one, &other], BEA).await;
    let rejected = back_end.token(&id, "").await.member("token_id");
    site.zoho.forget_journal().await;
    site.zoho.fault(json!({"path": TOKEN, "count": 1, "act": {"delay_ms": 3000}})).await;
    let late = {
        let (back_end, id, query) = (back_end.clone(), id.clone(), format!("?rejected={rejected}"));
        tokio::spawn(async move { back_end.token(&id, &query).await })
    };
    site.until_called(TOKEN, 1).await;
    one.signal("STOP");
    let other_end = back_end.via(1);
    let fresh = until("another replica has refreshed", Duration::from_secs(30), async || {
        let told = other_end.token(&id, &format!("?rejected={rejected}")).await;
        (told.status == 200).then(|| told.member("access_token"))
    })
    .await;
    let row = "select token_version || ' ' || fence || ' ' || md5(access_token_sealed) from connection";
    let before = site.ask(row).await;
    one.signal("CONT");
    // Its caller is told something true: the token that counts.
    let told = late.await.unwrap();
    assert_eq!(told.member("access_token"), fresh);
    assert_eq!(site.ask(row).await, before, "the late answer changed nothing");
    assert_eq!(site.refreshes().await, 2);
    assert_eq!(back_end.token(&id, "").await.member("access_token"), fresh);
    let events = "select action from audit_event where actor_kind = 'engine' order by at";
    assert_eq!(site.ask(events).await, "refreshed");
}

#[tokio::test(flavor = "multi_thread")]
async fn r22_a_key_that_one_replica_lacks_costs_nothing_and_its_return_heals_everything() {
    let site = Installation::prepare().await;
    let good = site.replica("good").await;
    let (id, back_end) = site.connected(&[&good], BEA).await;
    let row = "select refresh_token_sealed::text || access_token_sealed::text || token_version from connection";
    let before = site.ask(row).await;
    let another = super::encryption_key("another");
    let bad = site.replica_with("bad", &[("ENCRYPTION_KEYS", &another)]).await;
    let at_bad = back_end.at(bad.address());
    assert_eq!(at_bad.token(&id, "").await.problem(), "503 unavailable");
    until("the health tells", Duration::from_secs(10), async || {
        (site.ask("select health from connection").await == "unreadable").then_some(())
    })
    .await;
    assert_eq!(site.ask(row).await, before, "nothing is overwritten");
    assert_eq!(site.refreshes().await, 0, "nothing is sent");
    until("the other replica serves it", Duration::from_secs(5), async || {
        (back_end.token(&id, "").await.status == 200).then_some(())
    })
    .await;
    drop(bad);
    until("all is well", Duration::from_secs(10), async || {
        back_end.token(&id, "").await;
        (site.ask("select health from connection").await == "ok").then_some(())
    })
    .await;
}
