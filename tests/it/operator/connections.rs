//! `/operator/connections`: every tenant's, in one order, narrowed and searched.

use super::{customer, site};
use crate::harness::*;

/// So many connections of as many people, shared out among tenants by turns.
async fn fill(app: &App, tenants: usize, connections: usize) {
    app.database
        .execute(&format!(
            "insert into tenant (tenant_id, external_id, name, slug, created_at)
             select gen_random_uuid(), 'ext-' || n, 'Tenant ' || n, 'slug-' || n, '2026-11-21T09:00:00Z' from generate_series(0, {tenants} - 1) n;
             insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at)
             select gen_random_uuid(), 'eu', (900000000 + n)::text, 'Person ' || n, 'P' || lpad(n::text, 6, '0') || '@zylker.example',
                 '2026-11-21T09:00:00Z', '2026-11-21T09:00:00Z' from generate_series(1, {connections}) n;
             insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at)
             select t.tenant_id, gen_random_uuid(), 'eu', 'crm', (5000000 + n)::text, 'production', 'Estate ' || lpad(n::text, 6, '0'),
                 '2026-11-21T09:00:00Z' from generate_series(1, {connections}) n join tenant t on t.slug = 'slug-' || (n % {tenants});
             insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status,
                 status_reason, scopes_requested, scopes_granted, client_id, token_version, health, connected_at, consented_at)
             select o.tenant_id, gen_random_uuid(), p.person_id, o.organization_id, 'crm', 'eu', 'needs_reconnect', 'revoked',
                 '{{}}', '{{}}', 'nobody', 1, 'ok', '2026-11-21T09:00:00Z', '2026-11-21T09:00:00Z'
             from generate_series(1, {connections}) n
             join person p on p.data_centre = 'eu' and p.zuid = (900000000 + n)::text
             join organization o on o.zoho_id = (5000000 + n)::text"
        ))
        .await;
}

fn rows(page: &Page) -> usize {
    page.assert_status(200);
    page.text.matches("scope=\"row\"").count()
}

#[tokio::test]
async fn pages_follow_each_other_across_tenants_and_leave_nothing_out() {
    let (app, sam) = site().await;
    fill(&app, 7, 130).await;
    let (mut ids, mut address) = (Vec::new(), "/operator/connections".to_owned());
    loop {
        let page = sam.get(&address).await;
        rows(&page);
        let of = |row: &str| row.split("<code title=\"").nth(1).unwrap()[..36].to_owned();
        ids.extend(page.text.split("scope=\"row\"").skip(1).map(of));
        let Some(next) = page.links().into_iter().find(|link| link.contains("cursor=")) else { break };
        address = next;
    }
    let in_order = app.database.column("select connection_id from connection order by trouble, connection_id").await;
    assert_eq!(ids, in_order);
}

#[tokio::test]
async fn it_is_narrowed_by_tenant_product_data_centre_and_status() {
    let (app, sam) = site().await;
    let (_bea, _id, page) = customer(&app).await;
    fill(&app, 3, 30).await;
    let slug = page.rsplit('/').next().unwrap();
    for (query, found) in [
        ("", 32),
        ("?tenant=ext-1", 10),
        ("?tenant=slug-2&status=needs_reconnect", 10),
        ("?tenant=slug-2&status=working", 0),
        ("?product=crm", 30),
        ("?product=books", 0),
        ("?data_centre=us", 1),
        ("?data_centre=eu&product=assist", 1),
        ("?status=working", 2),
        (&format!("?tenant={slug}"), 1),
    ] {
        assert_eq!(rows(&sam.get(&format!("/operator/connections{query}")).await), found, "{query}");
    }
    let nobody = sam.get("/operator/connections?tenant=nobody").await;
    assert!(rows(&nobody) == 0 && nobody.has("No tenant is called so."));
    for odd in ["status=odd", "cursor=abc", "product=x", "data_centre=xx", "sort=name", "search=a&search=b"] {
        sam.get(&format!("/operator/connections?{odd}")).await.assert_status(400);
    }
}

#[tokio::test]
async fn a_search_finds_people_and_organizations_of_every_tenant() {
    let (app, sam) = site().await;
    fill(&app, 5, 250).await;
    for (query, found) in [
        ("search=P00001", 10),
        ("search=estate+00012", 10),
        ("search=5000007", 1),
        ("search=state", 0),
        ("search=p000010&tenant=ext-0", 1),
        ("search=p000010&tenant=ext-1", 0),
        ("search=p000010&status=working", 0),
    ] {
        assert_eq!(rows(&sam.get(&format!("/operator/connections?{query}")).await), found, "{query}");
    }
    let many = sam.get("/operator/connections?search=estate").await;
    assert!(rows(&many) == 200 && many.has("Go on typing"));
    // Who has another address is found by it.
    app.database.execute("update person set email = 'Zoe@example.com' where email like 'P000010%'").await;
    assert_eq!(rows(&sam.get("/operator/connections?search=zoe").await), 1);
}

#[tokio::test]
async fn operators_see_state_and_never_a_token() {
    let (app, sam) = site().await;
    customer(&app).await;
    let shown = sam.get("/operator/connections").await;
    assert!(shown.has("bea@example.com") && shown.has("Working") && shown.has("/operator/tenants/"));
    assert!(!shown.has("1000."), "no token of Zoho's");
    let events = app.database.column("select detail from audit_event where action = 'operator_viewed'").await;
    assert_eq!(events, ["connections"]);
}
