//! `/operator/connections/{id}`: one connection of any tenant, to be read by whoever is asked for help.

use super::{customer, site};
use crate::harness::*;

const VIEWS: &str = "select concat_ws(' ', t.slug, e.connection_id, e.outcome, e.detail) from audit_event e left join tenant t using (tenant_id)
                     where e.action = 'operator_viewed' order by e.at, e.audit_event_id";

#[tokio::test]
async fn s49_an_operator_sees_what_helps_and_nothing_that_opens_anything() {
    let (app, sam) = site().await;
    let (_bea, id, tenant) = customer(&app).await;
    let back_end = app.backend_of(&id, &["tokens:read"]).await;
    let token = back_end.token(&id, "").await.json()["access_token"].as_str().unwrap().to_owned();
    let page = format!("/operator/connections/{id}");
    assert!(sam.get("/operator/connections").await.links().contains(&page));
    wait_for("the use is written", || async { sam.get(&page).await.has("1 token, 0 calls").then_some(()) }).await;
    let shown = sam.get(&page).await;
    shown.assert_status(200);
    let client = app.database.text(&format!("select client_id from connection where connection_id = '{id}'")).await;
    for words in [
        "bea@example.com",
        "795000001",
        "Zoho Assist",
        "Europe",
        "Production",
        "Granted",
        "1 of 20",
        "This site’s own",
        &client,
    ] {
        assert!(shown.has(words), "{words}");
    }
    assert!(shown.has("of 10 access tokens in 10 minutes") && shown.has("Connected: consent given"));
    assert!(shown.links().contains(&tenant));
    assert_eq!(shown.actions(), ["/logout"], "nothing can be changed here");
    for secret in app.zoho.refresh_tokens(BEA, "live").await.iter().chain([&token]) {
        assert!(!shown.has(secret), "no token of Zoho's");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_the_engine_knows() {
    let (app, sam) = site().await;
    let (_bea, id, tenant) = customer(&app).await;
    let page = format!("/operator/connections/{id}");
    let set = async |change: &str| {
        app.database.execute(&format!("update connection set {change} where connection_id = '{id}'")).await;
        sam.get(&page).await
    };
    let suspected = set("health = 'unavailable', refresh_failures = 7, dead_since = '2026-11-21T10:00:00Z',
                         scopes_requested = '{ZohoAssist.sessionapi.READ}'")
    .await;
    for words in
        ["Zoho does not answer", "Called dead by Zoho", "<dd>7</dd>", "Fewer rights than asked for", "Not granted"]
    {
        assert!(suspected.has(words), "{words}");
    }
    assert!(set("health = 'misconfigured'").await.has("Zoho does not accept the client"));
    assert!(set("health = 'unreadable'").await.has("ENCRYPTION_KEYS"));
    let held = set("health = 'ok', lease_owner = gen_random_uuid(), lease_until = '2099-01-01T00:00:00Z'").await;
    assert!(held.has("Under way at this moment"));
    let dead =
        set("status = 'needs_reconnect', status_reason = 'evicted', lease_owner = null, lease_until = null").await;
    assert!(dead.has("dropped it for newer sign-ins"));
    sam.submit(&format!("{tenant}/suspend"), &format!("{tenant}/suspend"), &[]).await.assert_status(303);
    assert!(sam.get(&page).await.has("<span class=\"badge\">Suspended</span>"));
}

#[tokio::test]
async fn s70_a_look_is_on_record_in_the_tenant_and_what_is_no_connection_is_no_look() {
    let (app, sam) = site().await;
    let (bea, id, tenant) = customer(&app).await;
    for odd in ["019aa3f2-7c1e-7d10-9b2f-000000000009", "x", "..", "%00"] {
        sam.get(&format!("/operator/connections/{odd}")).await.assert_status(404);
    }
    assert!(app.database.column(VIEWS).await.is_empty());
    let page = format!("/operator/connections/{id}");
    bea.get(&page).await.assert_status(404);
    sam.get(&page).await.assert_status(200);
    let slug = tenant.rsplit('/').next().unwrap();
    assert_eq!(app.database.column(VIEWS).await, [format!("{slug} {id} done connection")]);
    // It stands in the tenant's own audit, and not in the connection's history.
    let audit = bea.get(&format!("/tenants/{slug}/audit?action=operator_viewed")).await;
    assert!(audit.has(&format!("/tenants/{slug}/connections/{id}")));
}
