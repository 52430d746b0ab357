//! `GET /api/v1/audit-events`.

use serde_json::Value;

use super::fill;
use crate::harness::*;

fn events(told: &Told) -> Vec<Value> {
    assert_eq!(told.status, 200, "{}", told.text);
    told.json()["audit_events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_key_lists_what_was_done_and_a_tenants_key_its_own_alone() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let id = sam.only_connection().await;
    let (all, own) = (app.backend(&["audit:read"]).await, app.backend_of(&id, &["audit:read"]).await);
    let told = events(&own.get("/api/v1/audit-events").await);
    let summary: Vec<_> = told.iter().map(|event| format!("{} {}", event["action"], event["actor"]["name"])).collect();
    assert_eq!(summary, [r#""connected" "Sam Rivera""#, r#""tenant_created" "Sam Rivera""#]);
    let connected = &told[0];
    assert_eq!(connected["connection_id"], Value::String(id.clone()));
    assert_eq!((&connected["outcome"], &connected["peer"]), (&Value::from("done"), &Value::from("127.0.0.1")));
    assert_eq!(connected["at"], "2026-11-21T10:00:00.000Z");
    assert!(connected["request_id"].is_string() && connected["tenant"]["name"].is_string());
    assert_eq!(events(&all.get("/api/v1/audit-events").await).len(), 4);
    // Of one tenant, by each of its names; another's has none for this key.
    let slug = app.database.text("select slug from tenant order by tenant_id desc limit 1").await;
    assert_eq!(events(&all.get(&format!("/api/v1/audit-events?tenant={slug}")).await).len(), 2);
    assert_eq!(events(&own.get(&format!("/api/v1/audit-events?tenant={slug}")).await).len(), 0);
    assert_eq!(events(&all.get("/api/v1/audit-events?tenant=nobody").await).len(), 0);
    // By connection, also where no tenant is named.
    for back_end in [&all, &own] {
        assert_eq!(events(&back_end.get(&format!("/api/v1/audit-events?connection={id}")).await).len(), 1);
    }
    let theirs = bea.only_connection().await;
    assert_eq!(events(&own.get(&format!("/api/v1/audit-events?connection={theirs}")).await).len(), 0);
}

#[tokio::test]
async fn filters_and_pages_are_those_of_other_lists() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let tenant_id = app.database.text("select tenant_id from tenant").await;
    let person_id = app.database.text("select person_id from person").await;
    fill(&app, &tenant_id, &person_id, 300).await;
    let back_end = app.backend(&["audit:read"]).await;
    for (query, found) in [
        ("action=role_changed", 3),
        ("outcome=not_done", 30),
        ("actor=engine&outcome=not_done", 27),
        ("since=2026-11-21T09:30:00Z&action=refreshed", 30),
        ("since=2026-11-21T10:30:00%2B01:00&until=2026-11-21T09:40:00Z", 10),
    ] {
        assert_eq!(events(&back_end.get(&format!("/api/v1/audit-events?{query}")).await).len(), found, "{query}");
    }
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let told = back_end.get(&format!("/api/v1/audit-events?limit=100{cursor}")).await;
        ids.extend(events(&told).into_iter().map(|event| event["id"].to_string()));
        let Value::String(next) = &told.json()["next"] else { break };
        cursor = format!("&cursor={next}");
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((all, ids.len()), (302, 302));
    for odd in ["limit=0", "limit=201", "since=yesterday", "connection=x", "outcome=bad", "action=", "color=1"] {
        let told = back_end.get(&format!("/api/v1/audit-events?{odd}")).await;
        assert_eq!(told.problem(), "400 invalid-request", "{odd}");
    }
    assert_eq!(app.backend(&["connections:read"]).await.get("/api/v1/audit-events").await.problem(), "403 forbidden");
}
