//! Suspending a tenant stops everything of it within a second, everywhere; resuming loses nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{customer, order, site, site_of};
use crate::harness::{
    receiver::{Answer, Receiver},
    *,
};

const GRANTS: &[&str] =
    &["tokens:read", "proxy", "connections:read", "connections:write", "onboarding:write", "webhooks:write"];

/// Calls that use or change what is the tenant's.
async fn calls(back_end: &Backend, id: &str, tenant: &str) -> Vec<Told> {
    let connection = format!("/api/v1/connections/{id}");
    let link = json!({"tenant": tenant, "product": "crm"});
    let import = json!({"tenant": tenant, "product": "assist", "data_centre": "eu", "scopes": ["ZohoAssist.userapi.READ"], "refresh_token": "1000.x.y"});
    let mut told = vec![
        back_end.token(id, "").await,
        back_end.token(id, "?rejected=v1").await,
        back_end.get(&format!("{connection}/proxy/api/v2/user")).await,
        back_end.get(&format!("/api/v1/access-token?tenant={tenant}&product=assist")).await,
    ];
    for (path, body) in [("/api/v1/onboarding-links", link), ("/api/v1/connections", import)] {
        told.push(Told::read(back_end.request(Method::POST, path).json(&body).send().await.unwrap()).await);
    }
    told.push(Told::read(back_end.request(Method::DELETE, &connection).send().await.unwrap()).await);
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn s49_within_a_second_nothing_of_it_works_on_any_replica() {
    let (app, sam) = site_of(App::builder().replicas(2)).await;
    let (_bea, id, page) = customer(&app).await;
    let (own, all) = (app.backend_of(&id, GRANTS).await, app.backend(GRANTS).await);
    let slug = page.rsplit('/').next().unwrap();
    for replica in 0..2 {
        assert_eq!(own.via(replica).token(&id, "").await.status, 200);
        assert_eq!(all.via(replica).token(&id, "").await.status, 200);
    }
    order(&sam, &page, "suspend").await;
    for (back_end, replica) in [(&own, 0), (&own, 1), (&all, 0), (&all, 1)] {
        wait_for("the token is refused", || async {
            (back_end.via(replica).token(&id, "").await.status == 403).then_some(())
        })
        .await;
    }
    for back_end in [&own, &all] {
        for told in calls(back_end, &id, slug).await {
            assert_eq!(told.problem(), "403 forbidden", "{}", told.text);
            assert!(told.json()["detail"].as_str().unwrap().contains("suspended"), "{}", told.text);
        }
    }
    // Other tenants go on.
    let sams = sam.only_connection().await;
    assert_eq!(all.token(&sams, "").await.status, 200);
    order(&sam, &page, "resume").await;
    wait_for("it works again", || async { (own.token(&id, "").await.status == 200).then_some(()) }).await;
    let events = "select concat_ws(' ', actor_kind, action, outcome) from audit_event join tenant using (tenant_id)
                  where action in ('tenant_suspended', 'tenant_resumed') order by at, audit_event_id";
    assert_eq!(app.database.column(events).await, ["operator tenant_suspended done", "operator tenant_resumed done"]);
}

#[tokio::test]
async fn a_suspended_tenants_tokens_are_left_alone_and_work_after_a_resumption() {
    let (app, sam) = site().await;
    let (_bea, id, page) = customer(&app).await;
    let own = app.backend_of(&id, GRANTS).await;
    assert_eq!(own.token(&id, "").await.status, 200);
    app.database.execute("update connection set last_used_at = '2026-11-21T10:00:00Z'").await;
    order(&sam, &page, "suspend").await;
    app.advance(Duration::from_secs(25 * 3600)).await;
    let due = format!("select refresh_at > '2026-11-22T11:00:00Z' from connection where connection_id = '{id}'");
    wait_for("it is postponed", || async { (app.database.text(&due).await == "true").then_some(()) }).await;
    let version = format!("select token_version from connection where connection_id = '{id}'");
    assert_eq!(app.database.text(&version).await, "1");
    assert_eq!(app.zoho.refresh_tokens("eu:795000001", "live").await.len(), 1);
    sam.sign_in_as(SAM).await;
    order(&sam, &page, "resume").await;
    wait_for("a new token", || async { (own.token(&id, "").await.status == 200).then_some(()) }).await;
    assert_eq!(app.database.text(&version).await, "2");
}

#[tokio::test]
async fn nothing_can_be_connected_to_it_and_what_was_granted_is_withdrawn() {
    let (app, sam) = site().await;
    let (bea, id, page) = customer(&app).await;
    let slug = page.rsplit('/').next().unwrap();
    let saas = app.backend(GRANTS).await;
    let invite = json!({"tenant": slug, "product": "crm"});
    let made =
        Told::read(saas.request(Method::POST, "/api/v1/onboarding-links").json(&invite).send().await.unwrap()).await;
    let link = made.json()["url"].as_str().unwrap().to_owned();
    // Somebody is on their way when it happens.
    let begun = bea.submit("/connections", "/connections", &[("product", "crm"), ("tenant", slug)]).await;
    order(&sam, &page, "suspend").await;
    let landing = bea.land(&bea.go_to_zoho_for(begun.location(), BEA, "all").await).await;
    assert_eq!(landing.location(), "/problems/tenant-suspended");
    assert!(bea.get("/problems/tenant-suspended").await.has("Ask whoever runs this site"));
    wait_for("what was granted is withdrawn", || async {
        (app.zoho.refresh_tokens(BEA, "live").await.len() == 1).then_some(())
    })
    .await;
    for (form, target) in [
        (vec![("product", "crm"), ("tenant", slug)], "/connections".to_owned()),
        (vec![], format!("/connections/{id}/reconnect")),
        (vec![], format!("/connections/{id}/test")),
    ] {
        let refused = bea.submit("/connections", &target, &form).await;
        assert!(refused.status == 403 && refused.has("This tenant is suspended"), "{target}");
    }
    let guest = app.visitor();
    let opened = guest.get(&link).await;
    assert!(opened.status == 410 && opened.has("Ask whoever sent you the invitation"), "{}", opened.text);
    let started = guest.post_form(&link, &[("step", "start")]).await;
    assert_eq!(started.status, 410);
    order(&sam, &page, "resume").await;
    guest.get(&link).await.assert_status(200);
}

#[tokio::test]
async fn its_people_read_everything_change_nothing_and_may_disconnect_what_is_theirs() {
    let (app, sam) = site().await;
    let (bea, id, page) = customer(&app).await;
    let console = format!("/tenants/{}", page.rsplit('/').next().unwrap());
    order(&sam, &page, "suspend").await;
    for list in ["organizations", "connections", "members", "api-keys", "onboarding-links", "webhooks"] {
        let shown = bea.get(&format!("{console}/{list}")).await;
        assert!(shown.status == 200 && shown.has("This tenant is suspended"), "{list}");
    }
    for command in ["api-keys", "onboarding-links", "webhooks", "leave", &format!("connections/{id}/disconnect")] {
        let refused = bea.submit("/connections", &format!("{console}/{command}"), &[]).await;
        assert!([400, 403].contains(&refused.status), "{command}: {}", refused.status);
    }
    assert_eq!(app.database.count("api_key").await + app.database.count("onboarding_link").await, 0);
    assert!(bea.get("/connections").await.has("nothing of it works until they resume it"));
    let disconnect = format!("/connections/{id}/disconnect");
    bea.submit(&disconnect, &disconnect, &[]).await.assert_status(303);
    assert!(app.zoho.refresh_tokens(BEA, "live").await.is_empty());
}

/// Makes an endpoint for what the back end's tenant is told; returns its id.
async fn endpoint(own: &Backend, url: &str, event: Option<&str>) -> String {
    let endpoint = json!({"url": url, "events": event.map(|event| [event])});
    let made = own.request(Method::POST, "/api/v1/webhook-endpoints").json(&endpoint).send().await.unwrap();
    let made = Told::read(made).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn its_webhooks_wait_and_are_sent_in_order_after_a_resumption() {
    let (app, sam) = site().await;
    let (bea, id, page) = customer(&app).await;
    let receiver = Receiver::listen().await;
    endpoint(&app.backend_of(&id, GRANTS).await, &receiver.url("/"), None).await;
    order(&sam, &page, "suspend").await;
    assert_eq!(receiver.until(1).await[0].kind(), "tenant.suspended");
    let disconnect = format!("/connections/{id}/disconnect");
    bea.submit(&disconnect, &disconnect, &[]).await.assert_status(303);
    // Longer than a delivery is tried.
    app.advance(Duration::from_secs(30 * 3600)).await;
    assert_eq!(
        app.database.column("select status from webhook_delivery order by sequence").await,
        ["delivered", "pending"]
    );
    sam.sign_in_as(SAM).await;
    order(&sam, &page, "resume").await;
    let kinds: Vec<_> = receiver.until(3).await.iter().map(receiver::Received::kind).collect();
    assert_eq!(kinds[0], "tenant.suspended");
    assert!(kinds.contains(&"connection.disconnected".to_owned()) && kinds.contains(&"tenant.resumed".to_owned()));
    assert_eq!(receiver.got()[0].json()["data"]["tenant"]["name"], "Bea Novak’s workspace");
}

/// So many events, of ten connections in turn, for the tenant's endpoint; as if they had been given up long ago.
async fn events(app: &App, count: usize) {
    app.database
        .execute(&format!(
            "insert into webhook_delivery (webhook_delivery_id, tenant_id, webhook_endpoint_id, event_id, event_type, payload,
                 connection_id, status, tries, created_at, due_at, give_up_at)
             select gen_random_uuid(), tenant_id, webhook_endpoint_id, gen_random_uuid(), 'connection.refreshed',
                 json_build_object('connection', n % 10, 'number', n), md5((n % 10)::text)::uuid, 'pending', 0,
                 timestamptz '2026-11-21T10:00:00Z', timestamptz '2026-11-21T10:00:00Z', timestamptz '2026-11-21T10:00:01Z'
             from webhook_endpoint, generate_series(1, {count}) n order by n"
        ))
        .await;
}

#[tokio::test]
async fn r25_what_waited_is_in_order_and_is_tried_for_a_day_from_the_resumption() {
    let (app, sam) = site().await;
    let (_bea, id, page) = customer(&app).await;
    let receiver = Receiver::listen().await;
    endpoint(&app.backend_of(&id, GRANTS).await, &receiver.url("/"), Some("connection.recovered")).await;
    order(&sam, &page, "suspend").await;
    events(&app, 60).await;
    app.advance(Duration::from_secs(50 * 3600)).await;
    assert!(receiver.got().is_empty());
    sam.sign_in_as(SAM).await;
    receiver.answers(Answer::Status(503));
    order(&sam, &page, "resume").await;
    // The first of each connection, in vain.
    receiver.until(10).await;
    let status = "select concat(status, ' ', count(*)) from webhook_delivery group by status order by 1";
    wait_for("all of them wait for another try", || async {
        let tried =
            app.database.text("select count(*) from webhook_delivery where tries = 1 and claimed_until is null");
        (tried.await == "10").then_some(())
    })
    .await;
    assert_eq!(app.database.column(status).await, ["pending 60"], "none is given up");
    receiver.forget();
    receiver.answers(Answer::Status(200));
    app.advance(Duration::from_secs(5)).await;
    let got = receiver.until(60).await;
    for connection in 0..10 {
        let of_it = got.iter().map(receiver::Received::json).filter(|event| event["connection"] == connection);
        let numbers: Vec<_> = of_it.map(|event| event["number"].as_i64().unwrap()).collect();
        assert!(numbers.len() == 6 && numbers.is_sorted(), "{connection}: {numbers:?}");
    }
    wait_for("all is delivered", || async { (app.database.column(status).await == ["delivered 60"]).then_some(()) })
        .await;
}

#[tokio::test]
async fn r25_what_waits_is_not_looked_at_until_it_may_be_sent() {
    let (app, sam) = site().await;
    let (_bea, id, page) = customer(&app).await;
    let endpoint =
        endpoint(&app.backend_of(&id, GRANTS).await, "http://127.0.0.1:9/", Some("connection.refreshed")).await;
    order(&sam, &page, "suspend").await;
    events(&app, 20_000).await;
    app.database.execute("analyze webhook_delivery").await;
    let mut site = app.database.site("set app.actor = 'engine'").await;
    // As store/webhook_delivery.rs claims, of a tenant that is suspended and of one that is not.
    for (which, index) in [
        ("d.event_type in ('tenant.suspended', 'tenant.deleted')", "webhook_delivery_sent_all_the_same"),
        (
            "(d.connection_id is null or d.sequence = (
                 select min(first.sequence) from webhook_delivery first
                 where first.webhook_endpoint_id = d.webhook_endpoint_id and first.connection_id = d.connection_id
                   and first.status = 'pending'))",
            "webhook_delivery_in_turn",
        ),
    ] {
        let explain = format!(
            "explain (analyze, costs off, timing off, summary off)
             select d.webhook_delivery_id from webhook_delivery d
             where d.webhook_endpoint_id = '{endpoint}' and d.status = 'pending' and d.due_at <= '2026-11-21T11:00:00Z'
               and (d.claimed_until is null or d.claimed_until <= '2026-11-21T11:00:00Z') and {which}
             order by d.due_at, d.sequence limit 8 for update of d skip locked"
        );
        let plan = plan(&mut site, &explain).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan") && !plan.contains("rows=20000"), "{plan}");
    }
}

/// Has the worker forget what is old: it does so after a delivery that was settled months ago.
async fn swept(app: &App) {
    app.database
        .execute(
            "insert into webhook_delivery (webhook_delivery_id, tenant_id, webhook_endpoint_id, event_id, event_type, payload, status,
                 tries, created_at, due_at, give_up_at, settled_at)
             select gen_random_uuid(), tenant_id, webhook_endpoint_id, gen_random_uuid(), 'connection.refreshed', '{}', 'dead', 1,
                 t, t, t, t
             from webhook_endpoint, (values (timestamptz '2026-01-01T00:00:00Z')) old (t) limit 1",
        )
        .await;
    app.advance(Duration::from_secs(60)).await;
    wait_for("what is old is gone", || async {
        let old = app.database.text("select count(*) from webhook_delivery where settled_at < '2026-02-01'");
        (old.await == "0").then_some(())
    })
    .await;
}

#[tokio::test]
async fn r25_what_waited_is_kept_for_an_endpoint_that_was_switched_off_meanwhile() {
    let (app, sam) = site().await;
    let (_bea, id, page) = customer(&app).await;
    let receiver = Receiver::listen().await;
    let own = app.backend_of(&id, GRANTS).await;
    let endpoint = endpoint(&own, &receiver.url("/"), Some("connection.recovered")).await;
    let path = format!("/api/v1/webhook-endpoints/{endpoint}");
    let switch = async |enabled: bool| {
        let switched = own.request(Method::PATCH, &path).json(&json!({"enabled": enabled})).send().await.unwrap();
        assert_eq!(switched.status(), 200);
    };
    switch(false).await;
    order(&sam, &page, "suspend").await;
    events(&app, 20).await;
    // Longer than a delivery is tried, and than it takes to see what was given up.
    app.advance(Duration::from_secs(30 * 3600)).await;
    swept(&app).await;
    sam.sign_in_as(SAM).await;
    order(&sam, &page, "resume").await;
    swept(&app).await;
    let status = "select concat(status, ' ', count(*)) from webhook_delivery group by status order by 1";
    assert_eq!(app.database.column(status).await, ["pending 20"]);
    switch(true).await;
    receiver.until(20).await;
}

#[tokio::test]
async fn r25_a_tenants_end_is_told_before_what_is_sent_all_day() {
    let (app, sam) = site().await;
    let (_bea, id, page) = customer(&app).await;
    let receiver = Receiver::listen().await;
    let (own, sams) = (app.backend_of(&id, GRANTS).await, app.backend_of(&sam.only_connection().await, GRANTS).await);
    endpoint(&own, &receiver.url("/own"), Some("tenant.suspended")).await;
    // As many as a replica sends at once, and more for each than it takes in a turn.
    for number in 0..9 {
        endpoint(&sams, &receiver.url(&format!("/{number}")), Some("connection.recovered")).await;
    }
    receiver.answers(Answer::Status(503));
    order(&sam, &page, "suspend").await;
    receiver.until(1).await;
    app.database
        .execute(
            "insert into webhook_delivery (webhook_delivery_id, tenant_id, webhook_endpoint_id, event_id, event_type, payload, status,
                 tries, created_at, due_at, give_up_at)
             select gen_random_uuid(), e.tenant_id, e.webhook_endpoint_id, gen_random_uuid(), 'connection.refreshed',
                 json_build_object('type', 'connection.refreshed'), 'pending', 0, d.created_at, d.created_at + interval '30 seconds',
                 d.created_at + interval '1 day'
             from webhook_endpoint e join tenant t using (tenant_id), webhook_delivery d, generate_series(1, 50)
             where t.suspended_at is null",
        )
        .await;
    receiver.forget();
    receiver.answers(Answer::Status(200));
    app.advance(Duration::from_secs(60)).await;
    let kinds: Vec<_> = receiver.until(451).await.iter().map(receiver::Received::kind).collect();
    let told = kinds.iter().position(|kind| kind == "tenant.suspended").unwrap();
    assert!(told < 200, "after {told} others");
}
