//! Who delivers a webhook is killed before it could write down that it arrived.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::json;

use super::{Installation, browser, installation::PUBLIC_URL};
use crate::harness::{
    BEA, Backend, SAM,
    process::until,
    receiver::{Answer, Receiver},
};

#[tokio::test(flavor = "multi_thread")]
async fn r25_killed_before_its_mark_another_replica_delivers_under_the_same_id_and_in_order() {
    let site = Installation::prepare().await;
    let receiver = Receiver::listen().await;
    let to_loopback = [("WEBHOOKS_TO_LOOPBACK", "on")];
    let one = site.replica_with("one", &to_loopback).await;
    let public_url = PUBLIC_URL.parse().expect("a URL");
    let (back_end, insert) = Backend::new(&public_url, vec![one.address()], None, &["webhooks:write"]);
    site.execute(&insert).await;
    let wanted = json!({"url": receiver.url("/"), "events": ["connection.connected"]});
    let made = back_end.request(Method::POST, "/api/v1/webhook-endpoints").json(&wanted).send().await.expect("made");
    assert_eq!(made.status(), 201);
    // It has the event, and its answer is still to come.
    receiver.answers(Answer::TooLate);
    browser(&[&one]).sign_in_as(BEA).await;
    let first = receiver.until(1).await.remove(0);
    browser(&[&one]).sign_in_as(BEA).await;
    one.signal("KILL");
    receiver.answers(Answer::Status(200));
    let _other = site.replica_with("other", &to_loopback).await;
    assert_eq!(site.ask("select count(*) from webhook_delivery where status = 'pending'").await, "2");
    assert_eq!(receiver.got().len(), 1, "nothing overtakes what is under way");
    // Half a minute later.
    site.execute("update webhook_delivery set claimed_until = claimed_until - interval '30 s'").await;
    until("both are delivered", Duration::from_secs(15), async || {
        let left = site.ask("select count(*) from webhook_delivery where status <> 'delivered'").await;
        (left == "0").then_some(())
    })
    .await;
    let got = receiver.until(3).await;
    assert_eq!((got[1].id(), &got[1].body), (first.id(), &first.body));
    assert_ne!(got[2].id(), first.id());
}

/// As if so much time had gone by.
const QUARTER_OF_AN_HOUR: &str = "update webhook_delivery set
    due_at = due_at - interval '15 min', claimed_until = claimed_until - interval '15 min',
    created_at = created_at - interval '15 min', give_up_at = give_up_at - interval '15 min'
    where status = 'pending'";

#[tokio::test(flavor = "multi_thread")]
async fn r25_an_hour_of_silence_and_replicas_that_are_killed_lose_nothing_and_change_no_order() {
    let site = Installation::prepare().await;
    let receiver = Receiver::listen().await;
    let to_loopback = [("WEBHOOKS_TO_LOOPBACK", "on")];
    let mut mortal = site.replica_with("first", &to_loopback).await;
    let public_url = PUBLIC_URL.parse().expect("a URL");
    let (back_end, insert) = Backend::new(&public_url, vec![mortal.address()], None, &["webhooks:write"]);
    site.execute(&insert).await;
    let wanted = json!({"url": receiver.url("/"), "events": ["connection.connected"]});
    let made = back_end.request(Method::POST, "/api/v1/webhook-endpoints").json(&wanted).send().await.expect("made");
    assert_eq!(made.status(), 201);

    for quarter in ["second", "third", "fourth", "fifth"] {
        // Away in two ways: it refuses, or has the event and says nothing until nobody listens any more.
        let silent = quarter.starts_with('f');
        receiver.answers(if silent { Answer::TooLate } else { Answer::Status(503) });
        let before = receiver.got().len();
        for person in [BEA, SAM] {
            assert_eq!(browser(&[&mortal]).sign_in_as(person).await.location(), "/connections");
        }
        until("something is under way", Duration::from_secs(10), async || {
            (receiver.got().len() > before).then_some(())
        })
        .await;
        mortal.kill();
        mortal = site.replica_with(quarter, &to_loopback).await;
        site.execute(QUARTER_OF_AN_HOUR).await;
    }
    // It is back, and once more who delivers is killed in the middle.
    receiver.answers(Answer::Status(200));
    site.execute(QUARTER_OF_AN_HOUR).await;
    until("deliveries go on", Duration::from_secs(10), async || {
        (site.ask("select count(*) from webhook_delivery where status = 'delivered'").await != "0").then_some(())
    })
    .await;
    mortal.kill();
    let _last = site.replica_with("last", &to_loopback).await;
    site.execute(QUARTER_OF_AN_HOUR).await;
    until("everything is delivered", Duration::from_secs(15), async || {
        let left = site.ask("select count(*) from webhook_delivery where status <> 'delivered'").await;
        (left == "0").then_some(())
    })
    .await;

    let told = site.ask("select event_id from webhook_delivery order by connection_id, sequence").await;
    let told: Vec<_> = told.split(' ').collect();
    let changes = "select count(*) from audit_event where action in ('connected', 'reconnected')";
    assert_eq!(site.ask(changes).await, told.len().to_string(), "each change is told once");
    assert_eq!(told.len(), 8);
    let got = receiver.got();
    assert!(got.len() > told.len(), "some came more than once");
    let mut bodies = BTreeMap::new();
    let mut latest = BTreeMap::new();
    for received in &got {
        let place = told.iter().position(|id| *id == received.id()).expect("an event of ours");
        let first = bodies.entry(received.id()).or_insert(&received.body);
        assert_eq!(*first, &received.body, "who knows the id knows the event");
        let connection = received.json()["data"]["id"].as_str().expect("an id").to_owned();
        let before = latest.insert(connection, place);
        assert!(before.is_none_or(|before| before <= place), "an event came after a later one of its connection");
    }
    assert_eq!(bodies.len(), told.len(), "nothing is lost");
}
