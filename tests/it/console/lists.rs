//! The lists of organizations and of connections: order, filters, pages, search, spreadsheets, and their plans.

use super::{console, fill};
use crate::harness::*;

/// The first words of each row, in their order.
fn names(page: &Page) -> Vec<String> {
    let rows = page.text.split("scope=\"row\"").skip(1);
    let name = |row: &str| {
        let link = row.split("<a ").nth(1).unwrap().split('>').nth(2).unwrap_or_default();
        link.split('<').next().unwrap_or_default().to_owned()
    };
    rows.map(name).collect()
}

#[tokio::test]
async fn the_whole_estate_is_on_one_screen_and_trouble_comes_first() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    let page = sam.get(&format!("{console}/organizations")).await;
    page.assert_status(200);
    assert!(page.has("1</span> organization") && page.has("Zoho Assist") && page.has("None in sight"), "{}", page.text);
    sam.connect("crm", SAM, "all").await;
    let page = sam.get(&format!("{console}/organizations")).await;
    assert_eq!(names(&page).len(), 2);
    // The CRM loses a right: it is the one to look at now.
    app.database.execute("update connection set scopes_requested = '{ZohoCRM.users.ALL}' where product = 'crm'").await;
    let page = sam.get(&format!("{console}/organizations")).await;
    let at = |words| page.text.find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(
        page.has("Right missing") && at("<span class=\"which\">Zoho CRM") < at("<span class=\"which\">Zoho Assist")
    );
    app.database.execute("update connection set health = 'throttled' where product = 'assist'").await;
    let page = sam.get(&format!("{console}/organizations?status=throttled")).await;
    assert!(page.has("Zoho Assist <code") && !page.has("Zoho CRM <code"));
    let page = sam.get(&format!("{console}/organizations?product=crm&data_centre=us&status=scope_missing")).await;
    assert!(page.has("Zoho CRM <code") && !page.has("Zoho Assist <code"));
    let nothing = sam.get(&format!("{console}/organizations?data_centre=eu")).await;
    assert!(nothing.has("Nothing fits.") && nothing.has("Show all"));
    // What ended is no trouble any more.
    let id = app.database.text("select connection_id from connection where product = 'crm'").await;
    let disconnect = format!("{console}/connections/{id}/disconnect");
    sam.submit(&disconnect, &disconnect, &[]).await.assert_status(303);
    let summary =
        app.database.column("select concat_ws(' ', product, people, trouble) from organization order by 1").await;
    assert_eq!(summary, ["assist 1 5", "crm 0 7"]);
}

#[tokio::test]
async fn s40_filters_sorting_and_cursors_are_what_we_know_or_refused() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let (console, other) = (console(&sam).await, super::console(&bea).await);
    fill(&app, &console, 120).await;
    for list in ["organizations", "connections"] {
        for odd in
            ["sort=people", "status=odd", "product=x", "tenant=1", "cursor=abc", "search=a&search=b", "data_centre=xx"]
        {
            sam.get(&format!("{console}/{list}?{odd}")).await.assert_status(400);
        }
        let first = sam.get(&format!("{console}/{list}")).await;
        let next = first.links().into_iter().find(|link| link.contains("cursor=")).expect("a next page");
        sam.get(&next).await.assert_status(200);
        // Another order, another filter, another tenant: not this cursor's.
        sam.get(&format!("{next}&sort=name")).await.assert_status(400);
        sam.get(&format!("{next}&product=crm")).await.assert_status(400);
        bea.get(&next.replace(&console, &other)).await.assert_status(400);
    }
}

#[tokio::test]
async fn pages_follow_each_other_and_leave_nothing_out() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    fill(&app, &console, 120).await;
    for list in ["organizations", "connections"] {
        for order in ["trouble", "name", "newest", "used"] {
            let mut next = Some(format!("{console}/{list}?sort={order}"));
            let mut seen = std::collections::BTreeSet::new();
            let mut pages = 0;
            while let Some(address) = next {
                let page = sam.get(&address).await;
                page.assert_status(200);
                pages += 1;
                let found = page.text.split("<code title=\"").skip(1);
                seen.extend(found.map(|rest| rest.split('"').next().unwrap().to_owned()));
                next = page.links().into_iter().find(|link| link.contains("cursor="));
            }
            assert_eq!((pages, seen.len() >= 121), (3, true), "{list} {order}: {}", seen.len());
        }
    }
}

#[tokio::test]
async fn what_was_used_last_comes_first_by_the_day() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    fill(&app, &console, 120).await;
    let used = |name: &str, at: &str| {
        let statement = format!(
            "update connection set last_used_at = '{at}' where organization_id in
             (select organization_id from organization where name = '{name}')"
        );
        let database = &app.database;
        async move { database.execute(&statement).await }
    };
    // As every version writes it.
    used("Estate 000090", "2026-11-19T23:59:59Z").await;
    used("Estate 000003", "2026-11-20T00:00:00Z").await;
    used("Estate 000077", "2026-11-18T12:00:00Z").await;
    for list in ["organizations", "connections"] {
        let page = sam.get(&format!("{console}/{list}?sort=used")).await;
        page.assert_status(200);
        let place = |name| page.text.find(name).unwrap_or_else(|| panic!("{list}: {name}"));
        let places = ["Estate 000003", "Estate 000090", "Estate 000077", "Estate 0001"].map(place);
        assert!(places.is_sorted(), "{list}: {places:?}");
    }
    // Whoever has the organization in hand is not waited for; the next use makes up for it.
    let lock = "set app.actor = 'engine'; begin; select from organization where name = 'Estate 000050' for update";
    let mut other = app.database.site(lock).await;
    used("Estate 000050", "2026-11-21T10:00:00Z").await;
    let days = "select concat_ws(' ', c.last_used_day, o.last_used_day) from connection c
                join organization o using (tenant_id, organization_id) where o.name = 'Estate 000050'";
    assert_eq!(app.database.text(days).await, "0 0");
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
    used("Estate 000050", "2026-11-21T10:01:00Z").await;
    assert_eq!(app.database.text(days).await, "20778 20778");
    // And so a token that is handed out.
    let id = app.database.text("select connection_id from connection where product = 'assist'").await;
    let back_end = app.backend(&["tokens:read"]).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    let day = format!("select last_used_day from connection where connection_id = '{id}'");
    wait_for("its use is written", || async { (app.database.text(&day).await == "20778").then_some(()) }).await;
}

#[tokio::test]
async fn a_search_finds_by_the_beginning_of_a_name_an_id_or_an_address() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    fill(&app, &console, 30).await;
    for list in ["organizations", "connections"] {
        for (typed, found) in
            [("eSTATE 00001", 10), ("500002", 10), ("P7@ZYLKER", 1), ("state", 0), ("%25", 0), ("_state", 0)]
        {
            let page = sam.get(&format!("{console}/{list}?search={}", typed.replace(' ', "+"))).await;
            page.assert_status(200);
            assert_eq!(page.text.matches("scope=\"row\"").count(), found, "{list} {typed}");
        }
    }
    // What people are called changes; what is searched for changes with it.
    app.database.execute("update person set email = 'New@zylker.example' where email = 'p7@zylker.example'").await;
    app.database.execute("update organization set name = 'Renamed' where name = 'Estate 000007'").await;
    for typed in ["new@", "renamed"] {
        let page = sam.get(&format!("{console}/connections?search={typed}")).await;
        assert_eq!(page.text.matches("scope=\"row\"").count(), 1, "{typed}");
    }
}

#[tokio::test]
async fn s65_a_spreadsheet_gets_all_rows_and_no_formula() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    fill(&app, &console, 700).await;
    app.database.execute("update organization set name = '=cmd|''/c calc''!A1' where name = 'Estate 000007'").await;
    app.database.execute("update person set display_name = '+1', email = '@x' where email = 'p8@zylker.example'").await;
    for list in ["organizations", "connections"] {
        let page = sam.get(&format!("{console}/{list}?search=est")).await;
        let csv = page.links().into_iter().find(|link| link.contains("/csv")).expect("a link to the table");
        assert!(csv.ends_with("?search=est"));
        let all = sam.get(&format!("{console}/{list}/csv")).await;
        all.assert_status(200);
        assert_eq!(all.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(all.header("cache-control"), "no-store");
        assert!(all.header("content-disposition").starts_with("attachment"));
        assert_eq!(all.text.lines().count(), 702, "{list}");
        assert!(all.has("\"'=cmd|'/c calc'!A1\"") && !all.has("\"="));
        assert!(!all.has("\"+") && !all.has("\"@"));
        assert_eq!(sam.get(&csv).await.text.lines().count(), 700);
    }
}

#[tokio::test]
async fn d14_the_longest_texts_we_keep_are_listed_and_found() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    fill(&app, &console, 1).await;
    let long = |of: &str| format!("(select string_agg(md5({of}::text || n), '') from generate_series(1, 32) n)");
    let (name, email) = (long("organization_id"), long("person_id"));
    app.database.execute(&format!("update organization set name = {name}; update person set email = {email}")).await;
    let name = app.database.text("select name from organization where zoho_id = '5000001'").await;
    let email = app.database.text("select email from person where display_name = 'Person 1'").await;
    assert_eq!((name.len(), email.len()), (1024, 1024));
    for list in ["organizations", "connections"] {
        for typed in [&name[..100], &email[..100]] {
            let page = sam.get(&format!("{console}/{list}?search={typed}")).await;
            assert_eq!(page.text.matches("scope=\"row\"").count(), 1, "{list} {typed}");
        }
    }
}

/// Sam's console with ten thousand organizations and connections, and another tenant that is empty.
async fn large_tenant() -> (App, Visitor, String, String) {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    let tenant = app.database.text("select tenant_id from tenant limit 1").await;
    fill(&app, &console, 10_000).await;
    app.database
        .execute(
            "insert into tenant (tenant_id, name, slug, created_at)
             values ('019aa3f2-7c1e-7d10-9b2f-0000000000aa', 'Other', 'other', '2026-11-21T09:00:00Z')",
        )
        .await;
    (app, sam, console, tenant)
}

#[tokio::test]
async fn a_page_of_many_is_one_walk_of_an_index() {
    let (app, sam, console, tenant) = large_tenant().await;
    // Most of what is there is another tenant's, of the same names.
    app.database
        .execute(
            "insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at)
             select '019aa3f2-7c1e-7d10-9b2f-0000000000aa', gen_random_uuid(), data_centre, product, n || zoho_id, environment, name, created_at
             from organization, generate_series(1, 5) n",
        )
        .await;
    app.database.execute("analyze").await;
    // Addresses that a few have, and a great many: organizations are found by either.
    for (typed, rows, counted) in [
        ("p77", 50, "count\">111</span>"),
        ("p77@", 1, "count\">1</span>"),
        ("p1", 50, "count\">at least 1000</span>"),
        ("p1&product=crm", 50, "count\">at least 1000</span>"),
        ("p1&product=desk", 0, "Nothing fits"),
        ("p", 50, "count\">at least 1000</span>"),
        ("p&product=crm&sort=used", 50, "count\">at least 1000</span>"),
    ] {
        let page = sam.get(&format!("{console}/organizations?search={typed}")).await;
        page.assert_status(200);
        assert_eq!(page.text.matches("scope=\"row\"").count(), rows, "{typed}");
        assert!(page.has(counted), "{typed}");
    }
    let mut site = site_of(&app, &tenant).await;
    for (question, index) in [
        ("organization where tenant_id = $t order by trouble, organization_id limit 51", "organization_by_trouble"),
        ("organization where tenant_id = $t order by name_lower, organization_id limit 51", "organization_by_name"),
        (
            "organization where tenant_id = $t and starts_with(name_lower, 'estate 0001') limit 51",
            "organization_by_name",
        ),
        ("connection where tenant_id = $t order by trouble, connection_id limit 51", "connection_by_trouble"),
        (
            "connection where tenant_id = $t and (last_used_day, connection_id) < (20000, '019aa3f2-7c1e-7d10-9b2f-000000000001')
             order by last_used_day desc, connection_id desc limit 51",
            "connection_by_last_use",
        ),
        (
            "organization where tenant_id = $t order by last_used_day desc, organization_id desc limit 51",
            "organization_by_last_use",
        ),
        (
            "connection where tenant_id = $t order by organization_name_lower, connection_id limit 51",
            "connection_by_organization_name",
        ),
        ("connection where tenant_id = $t and starts_with(person_email_lower, 'p77') limit 51", "connection_by_email"),
        (
            "connection where tenant_id = $t and (starts_with(organization_name_lower, 'p77') or
             starts_with(organization_zoho_id_lower, 'p77') or starts_with(person_email_lower, 'p77')) limit 51",
            "connection_by_email",
        ),
    ] {
        let explain = format!("explain select * from {}", question.replace("$t", &format!("'{tenant}'")));
        let plan = plan(&mut site, &explain).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan") && !plan.contains("Sort"), "{question}\n{plan}");
    }
    // Whose organizations an address belongs to, as store/organization/of_tenant.rs looks it up.
    let explain = format!(
        "explain select organization_id from connection
         where tenant_id = '{tenant}' and organization_id is not null and starts_with(person_email_lower, 'p77') limit 3000"
    );
    let plan_of_address = plan(&mut site, &explain).await;
    assert!(plan_of_address.contains("Index Only Scan using connection_by_email"), "{plan_of_address}");
    // As store/organization/listed.rs goes on in the middle of a large tenant, for whoever sees all of them.
    let mut everybody = app.database.site("set app.actor = 'operator'").await;
    let explain = format!(
        "explain (analyze, costs off, timing off, summary off) select * from (
             select * from organization where (tenant_id, organization_id) > ('{tenant}', '80000000-0000-0000-0000-000000000000')
             order by tenant_id, organization_id limit 51) o
         join tenant t using (tenant_id) order by o.tenant_id, o.organization_id"
    );
    let organizations = plan(&mut everybody, &explain).await;
    assert!(!organizations.contains("Removed by Filter") && !organizations.contains("rows=10000"), "{organizations}");
    // As store/connection/listed.rs asks for those of one organization, and what all of them are besides.
    let explain = "explain select c.* from organization f join connection c on f.zoho_id = '5000077'
             and c.tenant_id = f.tenant_id and c.organization_id = f.organization_id
         where c.status = 'needs_reconnect' and c.product = 'crm' order by c.tenant_id, c.connection_id limit 51";
    let plan = plan(&mut site, explain).await;
    assert!(plan.contains("organization_by_zoho_id") && plan.contains("connection_by_organization"), "{plan}");
}

/// As the site reads while it answers a tenant's page.
async fn site_of(app: &App, tenant: &str) -> sqlx::PgConnection {
    app.database.site(&format!("set app.tenant_id = '{tenant}'; set enable_seqscan = off")).await
}

#[tokio::test]
async fn what_is_rare_in_a_large_tenant_is_found_without_a_look_at_the_rest() {
    let (app, sam, console, tenant) = large_tenant().await;
    // Five of them are what a third of another tenant is: whoever guesses from the whole guesses wrong.
    let rare = "order by organization_id limit 5";
    let third = |of: &str| {
        let is = format!("get_byte(uuid_send({of}), 0) % 3 = 0");
        format!("case when {is} then 'desk' else product end, case when {is} then 'au' else data_centre end")
    };
    let (organizations, connections) = (third("organization_id"), third("connection_id"));
    app.database
        .execute(&format!(
            "update organization set name = rpad(name, 200, '.');
             insert into organization (tenant_id, organization_id, product, data_centre, zoho_id, environment, name, created_at)
             select '019aa3f2-7c1e-7d10-9b2f-0000000000aa', organization_id, {organizations}, zoho_id, environment, name, created_at
             from organization;
             insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status, status_reason,
                 scopes_requested, scopes_granted, client_id, token_version, health, connected_at, consented_at)
             select '019aa3f2-7c1e-7d10-9b2f-0000000000aa', connection_id, person_id, organization_id, {connections}, status,
                 status_reason, scopes_requested, scopes_granted, client_id, token_version, health, connected_at, consented_at
             from connection where product = 'crm';
             update organization set product = 'desk', data_centre = 'au' where tenant_id = '{tenant}' and organization_id in
                 (select organization_id from organization where tenant_id = '{tenant}' and product = 'crm' {rare});
             update connection c set product = o.product, data_centre = o.data_centre from organization o
             where o.tenant_id = c.tenant_id and o.organization_id = c.organization_id and c.tenant_id = '{tenant}'"
        ))
        .await;
    for table in ["connection", "organization"] {
        app.database.execute(&format!("vacuum analyze {table}")).await;
    }
    for list in ["organizations", "connections"] {
        for filter in ["product=desk", "data_centre=au", "product=desk&data_centre=au&status=needs_reconnect"] {
            for order in ["trouble", "name", "newest", "used"] {
                let page = sam.get(&format!("{console}/{list}?{filter}&sort={order}")).await;
                page.assert_status(200);
                assert_eq!(page.text.matches("scope=\"row\"").count(), 5, "{list} {filter} {order}");
            }
        }
    }
    // A tenth is found by an id, and comes last by name.
    for list in ["organizations", "connections"] {
        for order in ["trouble", "name", "newest", "used"] {
            let page = sam.get(&format!("{console}/{list}?search=5009&sort={order}")).await;
            assert_eq!(page.text.matches("scope=\"row\"").count(), 50, "{list} {order}");
            assert!(page.has("count\">1000</span>"), "{list} {order}");
        }
    }
    let mut site = site_of(&app, &tenant).await;
    for (table, id, name, searched) in [
        (
            "connection",
            "connection_id",
            "organization_name_lower",
            &["starts_with(organization_zoho_id_lower, '5009')", "starts_with(person_email_lower, 'p9')"][..],
        ),
        ("organization", "organization_id", "name_lower", &["starts_with(zoho_id_lower, '5009')"][..]),
    ] {
        let rare =
            ["product = 'desk'", "data_centre = 'au'", "product = 'desk' and data_centre = 'au' and trouble = 0"];
        for filter in rare.iter().chain(searched) {
            for (what, rows) in [
                ("*", format!("order by trouble, {id} limit 51")),
                ("*", format!("order by {name}, {id} limit 51")),
                ("*", format!("order by {id} desc limit 51")),
                ("*", format!("order by last_used_day desc, {id} desc limit 51")),
                ("", "limit 1001".to_owned()),
            ] {
                let plan = plan(
                    &mut site,
                    &format!(
                        "explain (analyze, costs off, timing off, summary off)
                         select {what} from {table} where tenant_id = '{tenant}' and {filter} {rows}"
                    ),
                )
                .await;
                assert!(
                    !plan.contains("Removed by Filter") && !plan.contains("Seq Scan"),
                    "{table} {filter} {rows}\n{plan}"
                );
            }
        }
    }
}

#[tokio::test]
async fn r13_a_persons_tokens_are_counted_by_the_person_in_a_database_that_is_new() {
    let app = App::start().await;
    app.visitor().sign_in_as(SAM).await;
    let tenant = app.database.text("select tenant_id from tenant limit 1").await;
    let mut site = site_of(&app, &tenant).await;
    // As store/connection/budget.rs counts, planned once for all before anything is known of the table.
    sqlx::raw_sql(
        "set plan_cache_mode = force_generic_plan;
         prepare counted (uuid, text) as select count(*) from connection
         where person_id = $1 and client_id = $2 and refresh_token_sealed is not null and status <> 'needs_reconnect'",
    )
    .execute(&mut site)
    .await
    .unwrap();
    let plan = plan(&mut site, "explain execute counted (gen_random_uuid(), 'one')").await;
    assert!(plan.contains("connection_by_person"), "{plan}");
}
