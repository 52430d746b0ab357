//! Zoho keeps 20 refresh tokens per client and person, and silently deletes the oldest.

use std::time::Duration;

use serde_json::json;

use super::*;

#[tokio::test]
async fn r13_twenty_five_sign_ins_kill_no_other_connection() {
    let app = App::start().await;
    let sam = app.visitor();
    for product in ["crm", "desk", "books"] {
        assert_eq!(sam.go(&format!("/login?product={product}"), SAM).await.location(), "/connections");
    }
    let others = live(&app, SAM).await;
    assert_eq!(others.len(), 3);
    for sign_in in 0..25 {
        assert_eq!(app.visitor().sign_in_as(SAM).await.location(), "/connections", "sign-in {sign_in}");
        app.advance(Duration::from_secs(1)).await;
        let now = live(&app, SAM).await;
        assert!(others.iter().all(|token| now.contains(token)), "sign-in {sign_in} cost another connection its token");
        assert!(now.len() <= 16, "sign-in {sign_in}: {}", now.len());
    }
    assert!(app.zoho.refresh_tokens(SAM, "evicted").await.is_empty());
    app.advance(Duration::from_secs(301)).await;
    let left = wait_for_live(&app, SAM, 4).await;
    assert!(others.iter().all(|token| left.contains(token)));
    assert_eq!(app.database.count("connection").await, 4);
}

#[tokio::test]
async fn r13_from_fifteen_tokens_on_superseded_ones_die_at_once() {
    let app = App::start().await;
    for _ in 0..18 {
        app.visitor().sign_in_as(SAM).await;
    }
    // Time stood still: nothing was due by the grace of five minutes.
    wait_for("the number of live tokens falls below fifteen", || async {
        (live(&app, SAM).await.len() < 15).then_some(())
    })
    .await;
}

/// Copies of the one connection there is, until the person has `count`: each of another organization, each granted a
/// second after the one before. Nobody opens their tokens.
async fn fill_up_to(app: &App, count: usize) {
    let copies = format!("generate_series((select count(*) from connection), {count} - 1) as n");
    app.database
        .execute(&format!(
            "insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at)
             select tenant_id, gen_random_uuid(), data_centre, product, zoho_id || '-' || n, environment, 'Copy ' || n, created_at
             from organization, {copies} where name not like 'Copy%'"
        ))
        .await;
    let columns = "tenant_id, person_id, product, data_centre, status, scopes_requested, scopes_granted, client_id,
                   refresh_token_sealed, access_token_sealed, access_token_expires_at, token_version, health, connected_at";
    app.database
        .execute(&format!(
            "insert into connection (connection_id, organization_id, consented_at, {columns})
             select gen_random_uuid(), o.organization_id, c.consented_at + substr(o.name, 6)::int * interval '1 s', {}
             from connection c join organization o using (tenant_id, product, data_centre)
             where c.organization_id = (select organization_id from organization where name not like 'Copy%')
               and not exists (select from connection k where k.organization_id = o.organization_id)",
            columns.split(", ").map(|column| format!("c.{}", column.trim())).collect::<Vec<_>>().join(", ")
        ))
        .await;
}

async fn connection_of(app: &App, name: &str) -> String {
    let id = "select connection_id from connection join organization using (tenant_id, organization_id)";
    app.database.text(&format!("{id} where name = '{name}'")).await
}

#[tokio::test]
async fn r13_people_are_warned_from_fifteen_and_at_twenty_told_whose_turn_it_is() {
    const WARNING: &str = "sign-ins at Zoho (United States) are in use";
    const AT_STAKE: &str = "The next one costs";
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let oldest = sam.only_connection().await;
    for (held, warns, names) in [(14, false, false), (15, true, false), (19, true, false), (20, true, true)] {
        fill_up_to(&app, held).await;
        let page = sam.get("/connections").await;
        assert_eq!(page.has(WARNING), warns, "{held}");
        assert_eq!(page.has(&format!("{held} of 20 sign-ins")), warns, "{held}");
        assert_eq!(page.has(AT_STAKE), names, "{held}");
        let another = sam.get(&format!("/connections/{}", connection_of(&app, "Copy 7").await)).await;
        assert!(another.has(&format!("{held} of 20 refresh tokens")), "{held}");
        assert_eq!(another.has(AT_STAKE), names, "reconnecting costs the oldest: {held}");
        let itself = sam.get(&format!("/connections/{oldest}")).await;
        assert!(!itself.has(AT_STAKE), "the oldest is replaced by its own reconnect: {held}");
        let begun = sam.get("/login?product=crm").await;
        assert_eq!(begun.status, if names { 200 } else { 303 }, "{held}");
        let online = sam.begin("/login").await;
        assert_eq!(parameter(&online, "access_type").as_deref(), Some("online"), "{held}: it costs nothing");
    }
    app.advance(Duration::from_secs(60)).await;
    let told = sam.get("/login?product=crm&return_to=/problems").await;
    assert!(told.has(AT_STAKE) && told.has("Rivera Supplies") && told.has("Zoho Assist"));
    let link = told.links().into_iter().find(|link| link.starts_with("/login?")).unwrap();
    let consent = sam.begin(&link).await;
    assert_eq!(parameter(&consent, "prompt").as_deref(), Some("consent"));
    assert_eq!(sam.land(&sam.go_to_zoho(&consent, SAM).await).await.location(), "/problems");
    // The word was about that connection: now it is another one's turn.
    let stale = link.replace("product=crm", "product=desk");
    assert!(sam.get(&stale).await.has(&connection_of(&app, "Copy 1").await));
    assert!(sam.get("/connections").await.has("20 of 20 sign-ins"), "Zoho keeps no more");
}

#[tokio::test]
async fn r13_zoho_evicts_the_connection_that_the_page_has_named() {
    let app = App::builder().config(|config| config.refresh_tokens_per_person = 4).start().await;
    app.zoho.settings(json!({"limits": {"refresh_tokens_per_person": 4}})).await;
    let sam = app.visitor();
    let mut tokens = Vec::new();
    for product in ["assist", "crm", "desk", "books"] {
        assert!(!sam.get("/connections").await.has("The next one costs"));
        sam.go(&format!("/login?product={product}"), SAM).await;
        tokens.push(live(&app, SAM).await.into_iter().find(|token| !tokens.contains(token)).unwrap());
        app.advance(Duration::from_secs(10)).await;
    }
    let page = sam.get("/connections").await;
    assert!(page.has("4 of 4 sign-ins") && page.has("<strong>Zoho Assist for"));
    let tenant = page.field("tenant").unwrap();
    let begun = sam.submit("/connections", "/connections", &[("product", "connect"), ("tenant", &tenant)]).await;
    sam.land(&sam.go_to_zoho(begun.location(), SAM).await).await;
    assert_eq!(app.zoho.refresh_tokens(SAM, "evicted").await, tokens[..1]);
    app.advance(Duration::from_secs(10)).await;
    // The next in line is named, though nobody knows yet that the first is gone.
    let page = sam.get("/connections").await;
    assert!(page.has("4 of 4 sign-ins") && page.has("<strong>Zoho CRM for"));
}
