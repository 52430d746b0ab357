//! Deleting a tenant: everything of it ends, its tokens die at Zoho, its ciphertext is erased, its history stays
//! (security.md S-48).

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{customer, order, site, site_of};
use crate::harness::{receiver::Receiver, *};

const BEAS: &str = "Bea Novak’s workspace";

async fn delete(sam: &Visitor, page: &str, name: &str) -> Page {
    let page = format!("{page}/delete");
    sam.submit(&page, &page, &[("name", name)]).await
}

/// Waits until nothing is left.
async fn until_erased(app: &App) {
    wait_for("nothing is left", || async {
        (app.database.count("tenant where erased_at is not null").await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn s48_every_token_is_revoked_every_secret_erased_and_the_history_stays() {
    let (app, sam) = site().await;
    let (bea, id, page) = customer(&app).await;
    bea.connect("crm", BEA, "all").await;
    let tenant = app.database.text(&format!("select tenant_id from connection where connection_id = '{id}'")).await;
    let own = app.backend_of(&id, &["tokens:read", "webhooks:write", "onboarding:write"]).await;
    let receiver = Receiver::listen().await;
    let endpoint = json!({"url": receiver.url("/")});
    own.request(Method::POST, "/api/v1/webhook-endpoints").json(&endpoint).send().await.unwrap();
    let invite = json!({"product": "crm", "tenant": tenant});
    let made = own.request(Method::POST, "/api/v1/onboarding-links").json(&invite).send().await.unwrap();
    let made: serde_json::Value = made.json().await.unwrap();
    assert_eq!(own.token(&id, "").await.status, 200);

    let mistyped = delete(&sam, &page, "Bea").await;
    assert!(mistyped.status == 400 && mistyped.text.matches("That is not the name of this tenant.").count() == 2);
    assert_eq!(delete(&sam, &page, BEAS).await.location(), format!("/operator/tenants/{tenant}"));
    wait_for("the key is dead", || async { (own.token(&id, "").await.status == 401).then_some(()) }).await;
    assert_eq!(bea.get(&page.replace("operator/", "")).await.status, 404);
    app.visitor().get(made["url"].as_str().unwrap()).await.assert_status(410);
    until_erased(&app).await;

    assert!(app.zoho.refresh_tokens(BEA, "live").await.is_empty());
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await.len(), 1, "another tenant's");
    for sealed in [
        "connection where tenant_id = '{t}' and (refresh_token_sealed is not null or access_token_sealed is not null)",
        "connection where tenant_id = '{t}' and refresh_token_digest is not null",
        "revocation where tenant_id = '{t}' and token_sealed is not null",
        "webhook_endpoint where tenant_id = '{t}'",
        "webhook_delivery where tenant_id = '{t}'",
        "zoho_client where tenant_id = '{t}'",
        "membership where tenant_id = '{t}'",
    ] {
        assert_eq!(app.database.count(&sealed.replace("{t}", &tenant)).await, 0, "{sealed}");
    }
    assert_eq!(app.database.count(&format!("revocation where tenant_id = '{tenant}' and outcome = 'yes'")).await, 2);
    let told: Vec<_> = receiver.got().iter().map(receiver::Received::kind).collect();
    assert_eq!(told, ["tenant.deleted"]);
    let history = format!(
        "select distinct concat_ws(' ', actor_kind, action) from audit_event where tenant_id = '{tenant}' and action in
         ('tenant_deleted', 'disconnected', 'revoked_at_zoho', 'tenant_erased', 'connected') order by 1"
    );
    let expected = [
        "engine disconnected",
        "engine revoked_at_zoho",
        "engine tenant_erased",
        "operator tenant_deleted",
        "person connected",
    ];
    assert_eq!(app.database.column(&history).await, expected);
    let receipt = sam.get(&format!("/operator/tenants/{tenant}")).await;
    assert!(receipt.has("<strong>2 of 2</strong> tokens revoked at Zoho") && receipt.has("Free for another tenant"));
    assert!(receipt.has(BEAS) && !receipt.has("Resume"));
    // Who comes back begins anew.
    bea.sign_in_as(BEA).await.assert_status(303);
    assert_eq!(app.database.count("connection where status = 'active'").await, 2);
}

#[tokio::test]
async fn what_zoho_does_not_confirm_yet_is_told_and_tried_until_it_does() {
    let (app, sam) = site().await;
    let (_bea, id, page) = customer(&app).await;
    app.zoho.fault(json!({"listener": "accounts:eu", "path": "/oauth/v2/token/revoke", "act": {"status": 503}})).await;
    let receipt = delete(&sam, &page, BEAS).await.location().to_owned();
    wait_for("it is asked", || async {
        (app.database.count("revocation where tries > 0 and done_at is null").await == 1).then_some(())
    })
    .await;
    let shown = sam.get(&receipt).await;
    assert!(shown.has("<strong>0 of 1</strong> token revoked at Zoho") && shown.has("data-refresh"), "{}", shown.text);
    order(&sam, &receipt, "resume").await;
    assert!(sam.get(&receipt).await.has("Being deleted"), "there is no way back");
    // For back ends it is gone, and what it had has ended.
    let saas = app.backend(&["tokens:read", "connections:write", "onboarding:write", "audit:read"]).await;
    app.database.execute("update tenant set external_id = 'acme' where deleted_at is not null").await;
    assert_eq!(saas.token(&id, "").await.problem(), "409 disconnected");
    let disconnected = saas.request(Method::DELETE, &format!("/api/v1/connections/{id}")).send().await.unwrap();
    assert_eq!(Told::read(disconnected).await.json()["status"], "disconnected");
    assert!(!saas.get("/api/v1/tenants").await.text.contains("acme"));
    let invite = async |tenant: serde_json::Value| {
        let invite = json!({"product": "crm", "tenant": tenant});
        Told::read(saas.request(Method::POST, "/api/v1/onboarding-links").json(&invite).send().await.unwrap()).await
    };
    for gone in ["acme", receipt.rsplit('/').next().unwrap()] {
        assert_eq!(invite(json!(gone)).await.problem(), "404 not-found");
    }
    let history = saas.get(&format!("/api/v1/audit-events?tenant={}", receipt.rsplit('/').next().unwrap())).await;
    assert!(history.text.contains("tenant_deleted"), "{}", history.text);
    let acme = json!({"external_id": "acme", "name": "Acme"});
    let made = saas.request(Method::POST, "/api/v1/tenants").json(&acme).send().await.unwrap();
    for refused in [Told::read(made).await, invite(acme).await] {
        assert_eq!(refused.problem(), "400 invalid-request");
        assert!(refused.text.contains("is being deleted"), "{}", refused.text);
    }
    // The names are not free before.
    let slug = page.rsplit('/').next().unwrap();
    let fields = [("name", "Other"), ("external_id", "other"), ("slug", slug)];
    sam.submit("/operator/tenants", "/operator/tenants", &fields).await.assert_status(400);
    app.zoho.clear_faults().await;
    app.advance(Duration::from_secs(120)).await;
    until_erased(&app).await;
    assert!(app.zoho.refresh_tokens(BEA, "live").await.is_empty());
    assert!(sam.get(&receipt).await.has("<strong>1 of 1</strong> token revoked at Zoho"));
    sam.submit("/operator/tenants", "/operator/tenants", &fields).await.assert_status(303);
}

#[tokio::test]
async fn what_somebody_was_about_to_confirm_is_revoked_too() {
    let (app, sam) = site().await;
    let (_bea, id, page) = customer(&app).await;
    let saas = app.backend(&["onboarding:write"]).await;
    let invite = json!({"product": "crm", "tenant": page.rsplit('/').next().unwrap()});
    let made = saas.request(Method::POST, "/api/v1/onboarding-links").json(&invite).send().await.unwrap();
    let made: serde_json::Value = made.json().await.unwrap();
    let isha = app.visitor();
    let begun = isha.post_form(made["url"].as_str().unwrap(), &[("step", "start")]).await;
    isha.land(&isha.go_to_zoho_for(begun.location(), BEA, "all").await).await.assert_status(303);
    assert_eq!(app.database.text("select state from onboarding_link").await, "consented");
    delete(&sam, &page, BEAS).await.assert_status(303);
    until_erased(&app).await;
    assert!(app.zoho.refresh_tokens(BEA, "live").await.is_empty());
    assert_eq!(app.database.count("onboarding_link where grant_sealed is not null").await, 0);
    assert_eq!(
        app.database.text(&format!("select status from connection where connection_id = '{id}'")).await,
        "disconnected"
    );
}

#[tokio::test]
async fn s49_a_deletion_needs_a_sign_in_of_the_last_minutes() {
    let (app, sam) = site().await;
    let (_bea, _id, page) = customer(&app).await;
    let csrf = sam.get(&page).await.csrf();
    app.advance(Duration::from_secs(301)).await;
    let target = format!("{page}/delete");
    let asked = sam.get(&target).await;
    assert!(asked.status == 403 && asked.has("Sign in again"), "{}", asked.text);
    sam.post_form(&target, &[("csrf", &csrf), ("name", BEAS)]).await.assert_status(403);
    assert_eq!(app.database.count("tenant where deleted_at is not null").await, 0);
    assert_eq!(sam.go(&format!("/login?product=none&return_to={target}"), SAM).await.location(), target);
    sam.get(&target).await.assert_status(200);
}

#[tokio::test]
async fn a_large_tenant_is_ended_piece_by_piece_on_all_replicas() {
    let (app, sam) = site_of(App::builder().replicas(2)).await;
    let (_bea, _id, page) = customer(&app).await;
    let slug = page.rsplit('/').next().unwrap();
    app.database
        .execute(&format!(
            "insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at)
             select gen_random_uuid(), 'eu', (900000000 + n)::text, 'P', 'p@example.com', '2026-11-21T09:00:00Z', '2026-11-21T09:00:00Z'
             from generate_series(1, 230) n;
             insert into connection (tenant_id, connection_id, person_id, product, data_centre, status, scopes_requested,
                 scopes_granted, client_id, refresh_token_sealed, token_version, health, connected_at, consented_at)
             select t.tenant_id, gen_random_uuid(), p.person_id, 'crm', 'eu', 'choosing', '{{}}', '{{}}', 'nobody', '\\x00', 1, 'ok',
                 '2026-11-21T09:00:00Z', '2026-11-21T09:00:00Z'
             from tenant t, person p where t.slug = '{slug}' and p.zuid like '9%'"
        ))
        .await;
    let receipt = delete(&sam, &page, BEAS).await.location().to_owned();
    wait_for("all are ended", || async {
        (app.database.count("connection where refresh_token_sealed is not null").await == 1).then_some(())
    })
    .await;
    // Each token was moved once. Those here open nothing, so Zoho cannot be asked: the receipt says so.
    assert_eq!(app.database.count("revocation").await, 231);
    let one_done = || async { (app.database.count("revocation where done_at is not null").await == 1).then_some(()) };
    wait_for("Bea's is revoked", one_done).await;
    assert!(sam.get(&receipt).await.has("<strong>1 of 231</strong> tokens revoked at Zoho"));
    assert_eq!(app.database.count("tenant where erased_at is not null").await, 0);
}

#[tokio::test]
async fn a_token_that_another_tenant_lives_by_is_left_to_it() {
    let (app, sam) = site().await;
    let (_bea, _id, page) = customer(&app).await;
    let back_end = app.backend(&["connections:write", "onboarding:write"]).await;
    let token = app.zoho.refresh_tokens(BEA, "live").await.remove(0);
    let globex = json!({"external_id": "globex", "name": "Globex"});
    let import = json!({"tenant": "globex", "product": "assist", "data_centre": "eu",
        "scopes": ["ZohoAssist.userapi.READ"], "refresh_token": token});
    for (path, body) in [("/api/v1/tenants", globex), ("/api/v1/connections", import)] {
        let made = back_end.request(Method::POST, path).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201, "{path}");
    }
    delete(&sam, &page, BEAS).await.assert_status(303);
    until_erased(&app).await;
    assert_eq!(app.zoho.refresh_tokens(BEA, "live").await, [token]);
    assert_eq!(app.database.column("select outcome from revocation").await, ["shared"]);
}
