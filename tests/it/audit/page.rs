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
async fn each_filter_has_an_index_that_gives_its_page_in_order() {
    let Site { app, tenant_id, person_id, .. } = site().await;
    fill(&app, &tenant_id, &person_id, 600).await;
    // Most of what is there is another tenant's.
    fill(&app, "019aa3f2-7c1e-7d10-9b2f-000000000001", "019aa3f2-7c1e-7d10-9b2f-000000000002", 20_000).await;
    app.database.execute("analyze").await;
    let url = secrecy::ExposeSecret::expose_secret(&app.database.url()).to_owned();
    let mut site = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let setting = format!("select set_config('app.tenant_id', '{tenant_id}', false)");
    sqlx::query(sqlx::AssertSqlSafe(setting)).execute(&mut site).await.unwrap();
    let own = format!("tenant_id = '{tenant_id}'");
    for (narrowed, condition) in [
        (String::new(), "tenant_id ="),
        ("and action = 'role_changed'".to_owned(), "action ="),
        (format!("and actor_id = '{person_id}'"), "actor_id ="),
        ("and connection_id = '019aa3f2-7c1e-7d10-9b2f-000000000001'".to_owned(), "connection_id ="),
        // As the list says it, with its parameter in place.
        (
            "and (false is null or (false and outcome in ('done', 'works', 'yes', 'already'))
                  or (not false and outcome not in ('done', 'works', 'yes', 'already')))"
                .to_owned(),
            "tenant_id =",
        ),
        ("and at >= '2026-11-21T03:00:00Z' and at < '2026-11-21T05:00:00Z'".to_owned(), "at >="),
        (
            "and (at, audit_event_id) < ('2026-11-21T05:00:00Z', '019aa3f2-7c1e-7d10-9b2f-000000000001')".to_owned(),
            "at <=",
        ),
    ] {
        let explain = format!(
            "explain (analyze, costs off, timing off, summary off) select * from audit_event where {own} {narrowed}
             order by at desc, audit_event_id desc limit 51"
        );
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&mut site).await.unwrap();
        let has = plan.iter().any(|line| line.contains("Index Cond") && line.contains(condition));
        let plan = plan.join("\n");
        assert!(has && !plan.contains("Seq Scan on audit_event_2026_11"), "{narrowed}\n{plan}");
        // The row at which the page begins, and no other, was looked at in vain.
        let in_vain = plan.split("Removed by Filter: ").skip(1);
        assert!(in_vain.into_iter().all(|rest| rest.lines().next() == Some("1")), "{narrowed}\n{plan}");
    }
}
