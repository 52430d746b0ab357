//! The way of an invited person, from the address to the last page.

use super::*;

#[tokio::test]
async fn s5_an_invited_person_connects_after_confirming_and_becomes_the_owner() {
    let site = Inviting::open().await;
    let link = site.invite("assist", &[("return_url", "https://app.example.com/zoho?from=mail#top")]).await;
    assert_eq!(site.state(&link).await, "created");
    let bea = site.app.visitor();
    let page = bea.get(&link.path).await;
    page.assert_status(200);
    for words in ["Acme Field Service", "Zoho Assist", "ZohoAssist.userapi.READ", "AaaServer.profile.READ"] {
        assert!(page.has(words), "{words}");
    }
    let asks = consent(&bea, &link, BEA).await;
    asks.assert_status(200);
    for words in ["Acme Field Service", "bea@example.com", "Novak Group", "77000010"] {
        assert!(asks.has(words), "{words}");
    }
    assert_eq!(site.told(&link).await, json!({"id": link.id, "state": "consented", "connection_id": null}));
    assert_eq!(site.connections().await, "0");
    assert!(!bea.is_signed_in().await, "nothing but the invitation is open to whoever has not confirmed");

    let done = confirm(&bea, &link, &[]).await;
    assert!(done.has("Novak Group") && done.has("Acme Field Service"));
    let back = format!("https://app.example.com/zoho?from=mail&onboarding_link={}#top", link.id);
    assert!(done.links().contains(&back), "{:?}", done.links());
    let told = site.told(&link).await;
    assert_eq!(told["state"], "connected");
    let id = told["connection_id"].as_str().unwrap().to_owned();
    let token = site.saas.token(&id, "").await;
    assert_eq!(token.member("product"), "assist");
    assert_eq!(bea.only_connection().await, id);
    let roles = "select concat_ws(' ', t.external_id, p.zuid, m.role, t.own_of_person_id is null) from membership m
                 join tenant t using (tenant_id) join person p using (person_id)";
    assert_eq!(site.app.database.column(roles).await, ["acme 795000001 owner t"], "and no tenant of their own");
    bea.get(&link.path).await.assert_status(410);
    assert_eq!(
        site.app.database.column(EVENTS).await,
        [
            "onboarding_link_created done api_key",
            "onboarding_started done visitor",
            "onboarding_consented done person",
            "onboarding_confirmed done person",
        ]
    );
}

#[tokio::test]
async fn an_american_joins_a_tenant_that_has_an_owner_as_a_member() {
    let site = Inviting::open().await;
    let (first, second) = (site.invite("assist", PLAIN).await, site.invite("crm", PLAIN).await);
    let (bea, sam) = (site.app.visitor(), site.app.visitor());
    consent(&bea, &first, BEA).await;
    confirm(&bea, &first, &[]).await;
    let asks = consent(&sam, &second, SAM).await;
    assert!(asks.has("sam@example.com") && asks.has("United States") && asks.has("Rivera Supplies"));
    confirm(&sam, &second, &[]).await;
    let roles = "select concat_ws(' ', p.data_centre, m.role) from membership m join person p using (person_id) order by m.role";
    assert_eq!(site.app.database.column(roles).await, ["us member", "eu owner"]);
    assert_eq!(site.connections().await, "2");
    assert_eq!(sam.connection_ids().await.len(), 1, "each sees their own");
}

#[tokio::test]
async fn one_of_several_organizations_is_picked_and_never_the_first() {
    let site = Inviting::open().await;
    let link = site.invite("salesiq", PLAIN).await;
    let bea = site.app.visitor();
    let asks = consent(&bea, &link, BEA).await;
    assert_eq!(asks.values("organization"), ["novak", "novakshop", "novaklabs"]);
    let path = format!("/onboarding/{}", link.id);
    let unsaid = send(&bea, &path, "confirm", &[]).await;
    unsaid.assert_status(400);
    assert!(unsaid.has("Choose an organization"));
    let foreign = send(&bea, &path, "confirm", &[("organization", "zillum")]).await;
    foreign.assert_status(400);
    assert_eq!((site.state(&link).await.as_str(), site.connections().await.as_str()), ("consented", "0"));
    let done = confirm(&bea, &link, &[("organization", "novakshop"), ("environment", "sandbox")]).await;
    assert!(done.has("Portal novakshop"));
    let connected = "select concat_ws(' ', zoho_id, environment) from organization";
    assert_eq!(site.app.database.column(connected).await, ["novakshop sandbox"]);
}

#[tokio::test]
async fn where_zoho_lists_no_organization_the_person_is_asked() {
    let site = Inviting::open().await;
    let link = site.invite("zia_agents", &[("expected_organization", "77000010")]).await;
    let bea = site.app.visitor();
    let asks = consent(&bea, &link, BEA).await;
    assert!(asks.has("Organization id"), "{}", asks.text);
    let path = format!("/onboarding/{}", link.id);
    for wrong in ["", "a b", "60000001"] {
        send(&bea, &path, "confirm", &[("organization", wrong)]).await.assert_status(400);
    }
    confirm(&bea, &link, &[("organization", "77000010"), ("name", "Novak"), ("environment", "production")]).await;
    assert_eq!(site.app.database.column("select name from organization").await, ["Novak"]);
}

#[tokio::test]
async fn s26_who_is_signed_in_stays_and_gets_a_new_session_with_the_new_role() {
    let site = Inviting::open().await;
    let bea = site.app.visitor();
    bea.sign_in_as(BEA).await;
    let before = bea.copy();
    let link = site.invite("crm", PLAIN).await;
    consent(&bea, &link, BEA).await;
    assert_eq!(bea.session(), before.session(), "consent changes nobody's session");
    confirm(&bea, &link, &[]).await;
    assert_ne!(bea.session(), before.session());
    assert!(bea.is_signed_in().await && !before.is_signed_in().await);
    assert_eq!(bea.connection_ids().await.len(), 2, "one in a tenant of their own, one in Acme");
    // The second time the role is there, and the session stays.
    let session = bea.session();
    let link = site.invite("desk", PLAIN).await;
    consent(&bea, &link, BEA).await;
    confirm(&bea, &link, &[]).await;
    assert_eq!(bea.session(), session);
}

#[tokio::test]
async fn s4_who_is_signed_in_cannot_consent_as_somebody_else() {
    let site = Inviting::open().await;
    let browser = site.app.visitor();
    browser.sign_in_as(BEA).await;
    let link = site.invite("crm", PLAIN).await;
    let ask = start(&browser, &link).await;
    let callback = browser.go_to_zoho(&ask, SAM).await;
    assert_eq!(browser.land(&callback).await.location(), "/problems/wrong-person");
    site.no_live_token_of(SAM).await;
    assert_eq!(site.state(&link).await, "started", "and may be tried again");
    consent(&browser, &link, BEA).await;
    confirm(&browser, &link, &[]).await;
}

#[tokio::test]
async fn s4_the_consent_address_sent_to_somebody_connects_nothing_for_either_side() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let (attacker, victim) = (site.app.visitor(), site.app.visitor());
    let ask = start(&attacker, &link).await;
    let callback = victim.go_to_zoho(&ask, SAM).await;
    victim.come_back(&callback).await.assert_status(400);
    assert_eq!((site.state(&link).await.as_str(), site.connections().await.as_str()), ("started", "0"));
    assert!(site.app.zoho.token_calls().await.is_empty(), "the code was not even presented");
}

#[tokio::test]
async fn the_same_person_and_organization_again_is_the_same_connection() {
    let site = Inviting::open().await;
    let bea = site.app.visitor();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let link = site.invite("assist", PLAIN).await;
        consent(&bea, &link, BEA).await;
        confirm(&bea, &link, &[]).await;
        ids.push(site.told(&link).await["connection_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[1]);
    site.app.advance(Duration::from_secs(301)).await;
    wait_for("the superseded token is revoked", || async {
        (site.app.zoho.refresh_tokens(BEA, "live").await.len() == 1).then_some(())
    })
    .await;
}
