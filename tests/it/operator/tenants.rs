//! `/operator/tenants`: the list.

use super::site;
use crate::harness::*;

/// So many tenants, each named by its number.
async fn fill(app: &App, tenants: usize) {
    app.database
        .execute(&format!(
            "insert into tenant (tenant_id, external_id, name, slug, created_at)
             select ('019aa3f2-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Ext-' || n, 'Tenant ' || lpad(n::text, 4, '0'),
                 'slug-' || lpad(n::text, 4, '0'), '2026-11-21T09:00:00Z' from generate_series(1, {tenants}) n"
        ))
        .await;
}

fn names(page: &Page) -> Vec<String> {
    let rows = page.text.split("scope=\"row\"").skip(1);
    rows.map(|row| row.split("<bdi>").nth(1).unwrap().split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_tenant_is_listed_the_newest_first_page_after_page() {
    let (app, sam) = site().await;
    fill(&app, 120).await;
    let (mut seen, mut address) = (Vec::new(), "/operator/tenants".to_owned());
    loop {
        let page = sam.get(&address).await;
        page.assert_status(200);
        seen.extend(names(&page));
        let Some(next) = page.links().into_iter().find(|link| link.contains("cursor=")) else { break };
        address = next;
    }
    assert_eq!(seen.len(), 121, "with Sam's own");
    let numbered: Vec<_> = (1..=120).rev().map(|number| format!("Tenant {number:04}")).collect();
    assert_eq!(seen[1..], numbered);
}

#[tokio::test]
async fn a_search_goes_by_how_name_slug_or_external_id_begin() {
    let (app, sam) = site().await;
    fill(&app, 30).await;
    for (search, found) in [("TENANT+001", 10), ("slug-0007", 1), ("eXt-1", 11), ("enant", 0), ("", 31)] {
        let page = sam.get(&format!("/operator/tenants?search={search}")).await;
        assert_eq!(names(&page).len(), found, "{search}");
    }
    app.database.execute("update tenant set suspended_at = created_at where slug = 'slug-0003'").await;
    let page = sam.get("/operator/tenants?state=suspended").await;
    assert_eq!(names(&page), ["Tenant 0003"]);
    for odd in ["state=odd", "cursor=abc", "search=a&search=b", "tenant=x"] {
        sam.get(&format!("/operator/tenants?{odd}")).await.assert_status(400);
    }
}

#[tokio::test]
async fn connections_are_counted_and_those_that_need_somebody() {
    let (app, sam) = site().await;
    assert!(
        sam.get("/operator/tenants").await.has("data-label=\"Connections\" class=\"number\"><span class=\"count\">1<")
    );
    app.database.execute("update connection set status = 'needs_reconnect', status_reason = 'revoked'").await;
    let page = sam.get("/operator/tenants").await;
    assert!(page.has("data-label=\"Need somebody\" class=\"number\"><span class=\"count\">1<"), "{}", page.text);
}

#[tokio::test]
async fn s70_every_view_is_one_audit_event() {
    let (app, sam) = site().await;
    let person = app.database.text("select person_id from person").await;
    sam.get("/operator/tenants").await.assert_status(200);
    sam.get("/operator/tenants?search=a").await.assert_status(200);
    let events = app
        .database
        .column(
            "select concat_ws(' ', actor_kind, actor_id, outcome, detail, peer, tenant_id, request_id is not null)
             from audit_event where action = 'operator_viewed'",
        )
        .await;
    assert_eq!(events, vec![format!("operator {person} done tenants 127.0.0.1 t"); 2]);
}

/// What the form of the page sends.
async fn make(sam: &Visitor, name: &str, external_id: &str, slug: &str) -> Page {
    let fields = [("name", name), ("external_id", external_id), ("slug", slug)];
    sam.submit("/operator/tenants", "/operator/tenants", &fields).await
}

#[tokio::test]
async fn an_operator_makes_a_tenant_and_invites_its_first_owner() {
    let (app, sam) = site().await;
    let made = make(&sam, "Zylker", "cust-1", "zylker").await;
    assert_eq!(made.location(), "/operator/tenants/zylker");
    // The same form once more, as a double click sends it.
    assert_eq!(make(&sam, "Zylker", "cust-1", "zylker").await.location(), "/operator/tenants/zylker");
    let page = sam.get("/operator/tenants/zylker").await;
    assert!(page.has("cust-1") && page.has("Invite somebody"));
    let nonce = page.field("nonce").unwrap();
    let fields = [("nonce", nonce.as_str()), ("product", "crm"), ("expires", "1d")];
    let action = "/operator/tenants/zylker/onboarding-links";
    let invited = sam.submit("/operator/tenants/zylker", action, &fields).await;
    invited.assert_status(200);
    sam.submit("/operator/tenants/zylker", action, &fields).await.assert_status(409);
    // From a form that was open before the tenant was suspended.
    app.database.execute("update tenant set suspended_at = created_at where slug = 'zylker'").await;
    let late = [("nonce", "another"), ("product", "crm"), ("expires", "1d")];
    sam.submit("/operator/tenants", action, &late).await.assert_status(409);
    assert_eq!(app.database.count("onboarding_link").await, 1);
    app.database.execute("update tenant set suspended_at = null where slug = 'zylker'").await;
    let inputs = page::tags(&invited.text, "input").into_iter().filter_map(|input| page::attribute(input, "value"));
    let address = inputs.into_iter().find(|value| value.contains("/onboarding/")).expect("an address on the page");
    let bea = app.visitor();
    let opened = bea.get(&address).await;
    assert!(opened.has("Zylker") && opened.has("Sam Rivera"));
    let events = app
        .database
        .column(
            "select distinct concat_ws(' ', actor_kind, action) from audit_event join tenant using (tenant_id)
             where slug = 'zylker' order by 1",
        )
        .await;
    assert_eq!(events, ["operator onboarding_link_created", "operator operator_viewed", "operator tenant_created"]);
    assert_eq!(app.database.count("membership m join tenant t using (tenant_id) where slug = 'zylker'").await, 0);
}

#[tokio::test]
async fn what_makes_no_tenant_is_told_beside_its_field() {
    let (_app, sam) = site().await;
    make(&sam, "Zylker", "cust-1", "zylker").await.assert_status(303);
    for (name, external_id, slug, told) in [
        (" ", "cust-2", "", "Give the tenant a name."),
        ("Acme", "", "", "Give your own id of the customer"),
        ("Acme", "cust-2", "Not a slug", "Write the slug with a-z"),
        ("Acme", "cust-2", "zylker", "That slug belongs to another tenant."),
        ("Acme", "cust-1", "", "That external id belongs to a tenant of another name"),
    ] {
        let page = make(&sam, name, external_id, slug).await;
        page.assert_status(400);
        assert_eq!(page.text.matches(told).count(), 2, "{told}: in the summary and at the field");
    }
    let forged = [("csrf", "x"), ("name", "Acme"), ("external_id", "cust-2")];
    sam.post_form("/operator/tenants", &forged).await.assert_status(403);
    sam.get("/operator/tenants/nobody-000000").await.assert_status(404);
}
