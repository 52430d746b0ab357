//! The page where owners and administrators say where their tenant is told.

use super::*;
use crate::harness::page::{attribute, tags};

/// The tenant's page, as the page of connections links to it.
async fn page_of(visitor: &Visitor) -> String {
    let links = visitor.get("/connections").await.links();
    links.into_iter().find(|link| link.ends_with("/webhooks")).expect("a link to the webhooks")
}

/// Sends the form of the page as it stands, with what a person would have filled in.
async fn add(visitor: &Visitor, page: &str, fields: &[(&str, &str)]) -> Page {
    let id = visitor.get(page).await.field("id").expect("an id");
    let mut form = vec![("id", id.as_str())];
    form.extend_from_slice(fields);
    visitor.submit(page, page, &form).await
}

fn shown_secret(page: &Page) -> String {
    let values = tags(&page.text, "input").into_iter().filter_map(|input| attribute(input, "value"));
    values.into_iter().find(|value| value.starts_with("whsec_")).expect("a secret on the page")
}

fn endpoint_page(list: &Page, page: &str) -> String {
    let links = list.links().into_iter().find(|link| link.starts_with(&format!("{page}/")));
    links.expect("a link to the endpoint")
}

#[tokio::test]
async fn an_endpoint_is_added_tested_and_seen_to_be_called() {
    let app = start().await;
    let (sam, receiver) = (app.visitor(), Receiver::listen().await);
    sam.sign_in_as(SAM).await;
    let page = page_of(&sam).await;
    let url = receiver.url("/zoho");
    let (csrf, id) = {
        let page = sam.get(&page).await;
        assert!(page.has("Nobody is told yet"));
        (page.csrf(), page.field("id").unwrap())
    };
    let form = [("csrf", csrf.as_str()), ("id", &id), ("url", &url), ("event", "connection.connected")];
    let made = sam.post_form(&page, &form).await;
    made.assert_status(200);
    assert_eq!(made.header("cache-control"), "no-store");
    let secret = shown_secret(&made);
    // The browser sends the form once more.
    let again = sam.post_form(&page, &form).await;
    again.assert_status(409);
    assert!(again.has("added its endpoint already") && !again.has(&secret));
    assert_eq!(app.database.count("webhook_endpoint").await, 1);
    let own = endpoint_page(&sam.get(&page).await, &page);
    assert!(own.ends_with(&id));
    assert_eq!(sam.submit(&own, &format!("{own}/test"), &[]).await.location(), own);
    receiver.until(1).await;
    app.visitor().sign_in_as(SAM).await;
    receiver.until(2).await;
    let seen = wait_for("both are delivered", || async {
        Some(sam.get(&own).await).filter(|page| page.text.matches("Delivered").count() >= 2)
    })
    .await;
    assert!(seen.has("webhook.test") && seen.has("connection.connected") && !seen.has(&secret));
    let delivery = seen.field("delivery").unwrap();
    sam.submit(&own, &format!("{own}/redeliver"), &[("delivery", &delivery)]).await.assert_status(303);
    let got = receiver.until(3).await;
    assert_eq!(got[1].id(), got[2].id());
    let rotated = sam.submit(&own, &format!("{own}/secret"), &[]).await;
    rotated.assert_status(200);
    assert_ne!(shown_secret(&rotated), secret);
    assert!(sam.get(&own).await.has("still signs"));
}

#[tokio::test]
async fn an_endpoint_is_switched_off_and_on_and_deleted_after_a_second_look() {
    let app = start().await;
    let (sam, receiver) = (app.visitor(), Receiver::listen().await);
    sam.sign_in_as(SAM).await;
    let page = page_of(&sam).await;
    add(&sam, &page, &[("url", &receiver.url("/")), ("event", "connection.connected")]).await.assert_status(200);
    let own = endpoint_page(&sam.get(&page).await, &page);
    sam.submit(&own, &format!("{own}/enabled"), &[("enabled", "false")]).await.assert_status(303);
    assert!(sam.get(&own).await.has("It is switched off"));
    sam.submit(&own, &format!("{own}/test"), &[]).await.assert_status(303);
    assert_eq!(app.database.count("webhook_delivery").await, 0);
    sam.submit(&own, &format!("{own}/enabled"), &[("enabled", "true")]).await.assert_status(303);
    assert!(!sam.get(&own).await.has("It is switched off"));
    let delete = format!("{own}/delete");
    let confirmation = sam.get(&delete).await;
    assert!(confirmation.has("cannot be undone") && confirmation.has(&receiver.url("/")));
    assert_eq!(sam.submit(&delete, &delete, &[]).await.location(), page);
    sam.get(&own).await.assert_status(404);
    let told = "select action from audit_event where action like 'webhook%' and actor_kind = 'person' order by at, audit_event_id";
    let expected = [
        "webhook_endpoint_created",
        "webhook_endpoint_changed",
        "webhook_endpoint_changed",
        "webhook_endpoint_deleted",
    ];
    assert_eq!(app.database.column(told).await, expected);
}

#[tokio::test]
async fn an_endpoint_is_changed_on_its_page_and_that_is_on_record_once() {
    let app = start().await;
    let (sam, before, after) = (app.visitor(), Receiver::listen().await, Receiver::listen().await);
    sam.sign_in_as(SAM).await;
    let page = page_of(&sam).await;
    add(&sam, &page, &[("url", &before.url("/before")), ("event", "connection.connected")]).await.assert_status(200);
    let own = endpoint_page(&sam.get(&page).await, &page);
    let shown = sam.get(&own).await;
    assert_eq!(shown.field("url"), Some(before.url("/before")));
    assert_eq!(ticked(&shown), ["connection.connected"]);
    let url = after.url("/after");
    let form = [("url", url.as_str()), ("event", "connection.disconnected"), ("event", "connection.needs_reconnect")];
    for _ in 0..2 {
        assert_eq!(sam.submit(&own, &own, &form).await.location(), own);
    }
    let shown = sam.get(&own).await;
    assert_eq!(shown.field("url"), Some(url.clone()));
    assert_eq!(ticked(&shown), ["connection.needs_reconnect", "connection.disconnected"]);
    let told = "select actor_kind || ' ' || outcome from audit_event where action = 'webhook_endpoint_changed'";
    assert_eq!(app.database.column(told).await, ["person done"]);
    // What it is told of by now, and where.
    app.visitor().sign_in_as(SAM).await;
    sam.submit(&own, &format!("{own}/test"), &[]).await.assert_status(303);
    assert_eq!(after.until(1).await[0].json()["type"], "webhook.test");
    // Whoever typed something wrong finds it in its place, and nothing has changed.
    let event = ("event", "tenant.deleted");
    for (fields, words) in [
        (vec![("url", "http://hooks.example.com/typed"), event], "must begin with https"),
        (vec![("url", "https://10.0.0.1/typed"), event], "must be reachable from the internet"),
        (vec![("url", "https://hooks.example.com/typed")], "Choose what it is told of"),
    ] {
        let again = sam.submit(&own, &own, &fields).await;
        again.assert_status(400);
        assert!(again.has("<title>Error: ") && again.has("There is a problem") && again.has(words), "{fields:?}");
        assert_eq!(again.field("url").as_deref(), Some(fields[0].1));
        assert_eq!(ticked(&again).len(), fields.len() - 1);
    }
    for odd in [("event", "webhook.test"), ("enabled", "false"), ("tenant", "other"), ("id", "x")] {
        let form = [("url", "https://hooks.example.com/"), event, odd];
        sam.submit(&own, &own, &form).await.assert_status(400);
    }
    assert_eq!(sam.get(&own).await.field("url"), Some(url));
    assert_eq!(app.database.count("audit_event where action = 'webhook_endpoint_changed'").await, 1);
}

/// The events whose boxes are ticked.
fn ticked(page: &Page) -> Vec<String> {
    let boxes = tags(&page.text, "input").into_iter().filter(|input| input.ends_with(" checked"));
    boxes.filter_map(|input| attribute(input, "value")).collect()
}

#[tokio::test]
async fn s49_s41_webhooks_are_for_administrators_who_have_just_signed_in() {
    let app = start().await;
    let (sam, bea, receiver) = (app.visitor(), app.visitor(), Receiver::listen().await);
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let page = page_of(&sam).await;
    let fields = [("url", receiver.url("/")), ("event", "connection.connected".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    add(&sam, &page, &fields).await.assert_status(200);
    let own = endpoint_page(&sam.get(&page).await, &page);
    let theirs = format!("{}/{}", page_of(&bea).await, own.rsplit_once('/').unwrap().1);
    let csrf = bea.get("/connections").await.csrf();
    for base in [&own, &theirs] {
        for path in [base.clone(), format!("{base}/delete")] {
            bea.get(&path).await.assert_status(404);
        }
        for (path, more) in [
            ("", Some(("url", "https://elsewhere.example/"))),
            ("/test", None),
            ("/secret", None),
            ("/delete", None),
            ("/enabled", Some(("enabled", "false"))),
            ("/redeliver", Some(("delivery", "x"))),
        ] {
            let form: Vec<_> = [Some(("csrf", csrf.as_str())), more].into_iter().flatten().collect();
            bea.post_form(&format!("{base}{path}"), &form).await.assert_status(404);
        }
    }
    app.advance(Duration::from_secs(301)).await;
    let csrf = sam.get(&page).await.csrf();
    let late = [&[("csrf", csrf.as_str())][..], &fields].concat();
    for refused in [
        sam.post_form(&page, &late).await,
        sam.post_form(&own, &late).await,
        sam.post_form(&format!("{own}/secret"), &[("csrf", &csrf)]).await,
        sam.post_form(&format!("{own}/delete"), &[("csrf", &csrf)]).await,
        sam.get(&format!("{own}/delete")).await,
    ] {
        refused.assert_status(403);
        assert!(refused.has("Sign in once more"));
    }
    let stale = sam.get(&own).await;
    assert!(stale.has("sign in again at Zoho") && !stale.actions().contains(&own));
    assert_eq!(app.database.count("webhook_endpoint").await, 1);
}

#[tokio::test]
async fn a_form_that_says_too_little_is_shown_again_and_an_odd_one_is_refused() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let page = page_of(&sam).await;
    let event = ("event", "connection.connected");
    for (fields, words) in [
        (&[("url", "https://hooks.example.com/")][..], "Choose what it is told of"),
        (&[("url", ""), event], "Enter a whole address"),
        (&[("url", "http://hooks.example.com/"), event], "must begin with https"),
        (&[("url", "https://127.0.0.1/"), event], "must be reachable from the internet"),
        (&[("url", "https://a:b@hooks.example.com/"), event], "must hold no user name"),
    ] {
        let again = add(&sam, &page, fields).await;
        again.assert_status(400);
        assert!(again.has("There is a problem") && again.has(words), "{fields:?}");
    }
    for odd in [("event", "webhook.test"), ("event", "x"), ("tenant", "other"), ("url", "twice"), ("id", "x")] {
        let form = [("url", "https://hooks.example.com/"), event, odd];
        sam.submit(&page, &page, &form).await.assert_status(400);
    }
    assert_eq!(app.database.count("webhook_endpoint").await, 0);
    let hostile = add(&sam, &page, &[("url", "https://hooks.example.com/<script>alert(1)</script>"), event]).await;
    hostile.assert_status(200);
    assert!(!hostile.has("<script>alert"));
}
