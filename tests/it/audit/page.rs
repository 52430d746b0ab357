//! The page of a tenant's audit: filters, pages, spreadsheet, and plans.

use super::{console, fill};
use crate::harness::*;

struct Site {
    app: App,
    sam: Visitor,
    console: String,
    tenant_id: String,
    person_id: String,
}

async fn site() -> Site {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    let tenant_id = app.database.text("select tenant_id from tenant").await;
    let person_id = app.database.text("select person_id from person").await;
    Site { app, sam, console, tenant_id, person_id }
}

fn rows(page: &Page) -> usize {
    page.assert_status(200);
    page.text.matches("scope=\"row\"").count()
}

#[tokio::test]
async fn the_audit_tells_who_did_what_when_and_from_where() {
    let Site { app, sam, console, .. } = site().await;
    let page = sam.get(&format!("{console}/audit")).await;
    page.assert_status(200);
    for words in ["Connected", "Tenant made", "Sam Rivera", "127.0.0.1", "Zoho Assist", "Done", "just now"] {
        assert!(page.has(words), "{words}: {}", page.text);
    }
    let id = sam.only_connection().await;
    assert!(page.links().contains(&format!("{console}/connections/{id}")));
    let back_end = app.backend_of(&id, &["connections:read"]).await;
    assert_eq!(back_end.token(&id, "").await.problem(), "403 forbidden");
    let refused = wait_for("the refusal is on record", || async {
        let page = sam.get(&format!("{console}/audit?outcome=not_done")).await;
        (rows(&page) > 0).then_some(page)
    })
    .await;
    assert!(refused.has("Call refused: grant missing") && refused.has("Refused") && refused.has("tokens:read"));
}

#[tokio::test]
async fn filters_narrow_it_and_stand_in_the_address() {
    let Site { app, sam, console, tenant_id, person_id } = site().await;
    fill(&app, &tenant_id, &person_id, 300).await;
    let id = sam.only_connection().await;
    for (query, found) in [
        ("action=role_changed", 3),
        ("action=role_changed&outcome=done", 0),
        ("action=nothing_known", 0),
        ("outcome=not_done", 30),
        (&format!("actor={person_id}&action=role_changed"), 3),
        ("actor=nobody12", 0),
        ("action=refreshed&actor=engine&outcome=not_done", 27),
        (&format!("connection={id}"), 1),
        ("since=2026-11-22", 0),
        ("until=2026-11-20", 0),
        ("since=2026-11-21&until=2026-11-21&action=role_changed", 3),
    ] {
        let page = sam.get(&format!("{console}/audit?{query}")).await;
        assert_eq!(rows(&page), found, "{query}");
        let chosen = page.text.matches(" selected>").count();
        assert_eq!(
            chosen,
            query.matches("action=").count() + query.matches("actor=").count() + query.matches("outcome=").count()
                - query.matches("nothing_known").count(),
            "{query}"
        );
    }
    for odd in [
        "action=A",
        "actor=some+one",
        "outcome=maybe",
        "since=today",
        "since=-9999-01-01",
        "since=%2B12026-1-1",
        "until=2026-13-01",
        "cursor=x",
        "page=2",
        "action=a&action=b",
        "connection=1",
    ] {
        sam.get(&format!("{console}/audit?{odd}")).await.assert_status(400);
        sam.get(&format!("{console}/audit/csv?{odd}")).await.assert_status(400);
    }
}

#[tokio::test]
async fn pages_follow_each_other_newest_first_and_leave_nothing_out() {
    let Site { app, sam, console, tenant_id, person_id } = site().await;
    fill(&app, &tenant_id, &person_id, 260).await;
    let mut next = Some(format!("{console}/audit?action=refreshed"));
    let (mut seen, mut times) = (0, Vec::new());
    while let Some(address) = next {
        let page = sam.get(&address).await;
        seen += rows(&page);
        let found = page.text.split("datetime=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        times.extend(found);
        next = page.links().into_iter().find(|link| link.contains("cursor="));
    }
    assert_eq!(seen, 258);
    assert!(times.len() == 258 && times.is_sorted_by(|a, b| a > b));
    let first = sam.get(&format!("{console}/audit")).await;
    let cursor = first.links().into_iter().find(|link| link.contains("cursor=")).expect("a next page");
    sam.get(&format!("{cursor}&outcome=done")).await.assert_status(400);
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    let other = super::console(&bea).await;
    bea.get(&cursor.replace(&console, &other)).await.assert_status(400);
}

#[tokio::test]
async fn s65_the_spreadsheet_has_all_that_fits_and_no_formula() {
    let Site { app, sam, console, tenant_id, person_id } = site().await;
    fill(&app, &tenant_id, &person_id, 700).await;
    app.database.execute("update person set display_name = '=1+1', email = '@x'").await;
    app.database.execute("update organization set name = '+cmd'").await;
    let all = sam.get(&format!("{console}/audit/csv")).await;
    all.assert_status(200);
    assert_eq!(all.header("content-type"), "text/csv; charset=utf-8");
    assert!(all.text.starts_with("\"at\",\"actor_kind\""));
    assert_eq!(all.text.lines().count(), 703);
    assert!(all.has("\"'=1+1\"") && all.has("\"'+cmd\"") && !all.has("\"=") && !all.has("\"+") && !all.has("\"@"));
    let link = sam.get(&format!("{console}/audit?action=role_changed")).await;
    let link = link.links().into_iter().find(|link| link.contains("/csv")).expect("a link to the table");
    assert_eq!(sam.get(&link).await.text.lines().count(), 8);
}

#[tokio::test]
async fn s41_a_tenant_reads_its_own_audit_alone() {
    let Site { app, sam, console, .. } = site().await;
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    bea.get(&format!("{console}/audit")).await.assert_status(404);
    bea.get(&format!("{console}/audit/csv")).await.assert_status(404);
    let page = sam.get(&format!("{console}/audit")).await;
    assert!(!page.has("Bea Novak"));
    // Somebody else's id as a filter finds nothing.
    let theirs = app.database.text("select person_id from person where zuid = '795000001'").await;
    assert_eq!(rows(&sam.get(&format!("{console}/audit?actor={theirs}")).await), 0);
    app.database.execute("update membership set role = 'member'").await;
    sam.get(&format!("{console}/audit")).await.assert_status(403);
    wait_for("the refusal is on record", || async {
        let told = app.database.column("select actor_kind from audit_event where action = 'console_refused'").await;
        (told == ["person"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_rare_among_very_many_is_looked_for_a_stretch_at_a_time() {
    let Site { app, sam, console, tenant_id, person_id } = site().await;
    fill(&app, &tenant_id, &person_id, 55_000).await;
    app.database
        .execute(&format!(
            "insert into audit_event (audit_event_id, at, tenant_id, actor_kind, actor_id, action, outcome)
             select gen_random_uuid(), '2026-01-01T00:00:00Z', '{tenant_id}', 'person', '{person_id}', action, 'done'
             from unnest('{{signed_in,member_left}}'::text[]) action"
        ))
        .await;
    // It has an index.
    assert_eq!(rows(&sam.get(&format!("{console}/audit?action=member_left")).await), 1);
    // It is one of those that are written all day, elsewhere.
    let first = sam.get(&format!("{console}/audit?action=signed_in")).await;
    assert_eq!(rows(&first), 0);
    assert!(first.has("Nothing fits, as far back as") && first.has("Look further back"), "{}", first.text);
    let next = first.links().into_iter().find(|link| link.contains("cursor=")).expect("a way on");
    let last = sam.get(&next).await;
    assert!(rows(&last) == 1 && !last.has("as far back as") && !last.has("Look further back"));
    assert_eq!(sam.get(&format!("{console}/audit/csv?action=signed_in")).await.text.lines().count(), 2);
    let back_end = app.backend(&["audit:read"]).await;
    for query in ["action=signed_in", "action=signed_in&outcome=done", "actor=engine&action=signed_in&outcome=not_done"]
    {
        let (mut found, mut cursor) = (0, String::new());
        let mut pages = 0;
        loop {
            let told = back_end.get(&format!("/api/v1/audit-events?{query}{cursor}")).await;
            assert_eq!(told.status, 200, "{}", told.text);
            found += told.json()["audit_events"].as_array().unwrap().len();
            pages += 1;
            let serde_json::Value::String(next) = &told.json()["next"] else { break };
            cursor = format!("&cursor={next}");
        }
        let expected = if query.contains("engine") { (0, 1) } else { (1, 2) };
        assert_eq!((found, pages), expected, "{query}");
    }
}

#[tokio::test]
async fn whatever_leads_has_an_index_in_the_order_of_time() {
    let Site { app, tenant_id, person_id, .. } = site().await;
    fill(&app, &tenant_id, &person_id, 600).await;
    // Most of what is there is another tenant's, and later: it is not looked through.
    let other = "019aa3f2-7c1e-7d10-9b2f-000000000001";
    fill(&app, other, "019aa3f2-7c1e-7d10-9b2f-000000000002", 20_000).await;
    app.database.execute("analyze").await;
    let settings =
        "set app.actor = 'engine'; set enable_sort = off; set enable_bitmapscan = off; set enable_seqscan = off";
    let mut site = app.database.site(settings).await;
    let own = format!("tenant_id = any(array['{tenant_id}'::uuid])");
    let rare = "action not in ('refreshed', 'signed_in')";
    let not_done = "outcome not in ('done', 'works', 'yes', 'already')";
    // As store/audit_event/walk.rs says it, with its parameters in place.
    for (led_by, order, index) in [
        (format!("{own} and connection_id = '{other}'"), "tenant_id desc, ", "tenant_id_connection_id_at_idx"),
        (format!("{own} and actor_id = '{person_id}'"), "tenant_id desc, ", "tenant_id_actor_id_at_idx"),
        (format!("actor_id = any(array['{person_id}'])"), "actor_id desc, ", "actor_id_at_idx"),
        (format!("{own} and action = 'role_changed' and {rare}"), "tenant_id desc, ", "tenant_id_action_at_idx"),
        (format!("action = any(array['role_changed']) and {rare}"), "action desc, ", "_11_action_at_idx"),
        (format!("{own} and {not_done}"), "tenant_id desc, ", "tenant_id_at_idx"),
        (not_done.to_owned(), "", "_11_at_idx"),
        (own.clone(), "tenant_id desc, ", "tenant_id_at_idx"),
        ("true".to_owned(), "", "_11_at_idx"),
    ] {
        for place in [
            "",
            "and at >= '2026-11-21T03:00:00Z' and at < '2026-11-21T05:00:00Z'",
            "and (at, audit_event_id) < ('2026-11-21T05:00:00Z', '019aa3f2-7c1e-7d10-9b2f-000000000001')",
        ] {
            let explain = format!(
                "explain (analyze, costs off, timing off, summary off)
                 select * from (
                     select *, row_number() over (order by {order}at desc, audit_event_id desc) as walked, action <> '' as fits
                     from audit_event where {led_by} {place} order by {order}at desc, audit_event_id desc limit 10000) e
                 where fits or walked = 10000 order by {order}at desc, audit_event_id desc limit 51"
            );
            let plan = plan(&mut site, &explain).await;
            assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{led_by} {place}\n{plan}");
            assert!(!plan.contains("->  Sort"), "{led_by} {place}\n{plan}");
            // What happened at the moment at which the page begins, and nothing else, was looked at in vain.
            let in_vain = plan.split("Removed by Filter: ").skip(1);
            assert!(
                in_vain.into_iter().all(|rest| matches!(rest.lines().next(), Some("1" | "2"))),
                "{led_by} {place}\n{plan}"
            );
        }
    }
}
