//! Who delivers a webhook is killed before it could write down that it arrived.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{Installation, browser, installation::PUBLIC_URL};
use crate::harness::{
    BEA, Backend,
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
