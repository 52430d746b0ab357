//! Ends without a connection: what was granted is revoked at Zoho.

use super::*;

#[tokio::test]
async fn s37_s46_opening_a_link_changes_nothing_however_often() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let before = site.app.database.row_counts().await;
    let scanner = site.app.visitor();
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let page = scanner.request(method, &link.path).send().await;
        page.assert_status(200);
        assert!(page.set_cookies().is_empty());
    }
    assert_eq!(site.app.database.row_counts().await, before);
    assert_eq!(site.state(&link).await, "created");
    for unknown in ["/onboarding/x", &format!("/onboarding/{}", "A".repeat(43)), &format!("/onboarding/{}", link.id)] {
        scanner.get(unknown).await.assert_status(404);
        send(&scanner, unknown, "start", &[]).await.assert_status(404);
    }
    let page = scanner.request(Method::PUT, &link.path).send().await;
    assert_eq!((page.status, page.header("allow")), (405, "GET, HEAD, POST"));
}

#[tokio::test]
async fn s38_a_start_from_another_origin_is_refused() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let visitor = site.app.visitor();
    for (name, value) in [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        let request = visitor.request(Method::POST, &link.path).header(name, value).form(&[("step", "start")]);
        request.send().await.assert_status(403);
    }
    // Whoever is signed in needs the form token, too.
    visitor.sign_in_as(BEA).await;
    visitor.post_form(&link.path, &[("step", "start")]).await.assert_status(403);
    visitor.post_form(&link.path, &[("step", "start"), ("role", "owner")]).await.assert_status(400);
    assert_eq!(site.state(&link).await, "created");
}

#[tokio::test]
async fn s5_what_nobody_confirms_within_a_day_is_revoked() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let bea = site.app.visitor();
    consent(&bea, &link, BEA).await;
    site.app.advance(Duration::from_secs(24 * 3600 - 60)).await;
    assert_eq!(site.state(&link).await, "consented");
    assert_eq!(site.app.zoho.refresh_tokens(BEA, "live").await.len(), 1);
    site.app.advance(Duration::from_secs(61)).await;
    assert_eq!(site.state(&link).await, "expired");
    site.no_live_token_of(BEA).await;
    send(&bea, &format!("/onboarding/{}", link.id), "confirm", &[]).await.assert_status(410);
    bea.get(&link.path).await.assert_status(410);
    assert_eq!(site.connections().await, "0");
    wait_for("it is audited", || async {
        let events = site.app.database.column(EVENTS).await;
        events.contains(&"onboarding_expired done engine".to_owned()).then_some(())
    })
    .await;
    let left = "select count(*) from onboarding_link where grant_sealed is not null";
    assert_eq!(site.app.database.text(left).await, "0", "the ciphertext is erased");
}

#[tokio::test]
async fn a_consent_is_confirmed_hours_later_and_the_token_works() {
    let site = Inviting::open().await;
    let link = site.invite("crm", &[("expires_in", "30m")]).await;
    let bea = site.app.visitor();
    consent(&bea, &link, BEA).await;
    site.app.advance(Duration::from_secs(20 * 3600)).await;
    confirm(&bea, &link, &[]).await;
    let id = site.told(&link).await["connection_id"].as_str().unwrap().to_owned();
    assert_eq!(site.saas.token(&id, "").await.member("product"), "crm");
}

#[tokio::test]
async fn s46_a_link_expires_and_one_that_is_under_way_with_it() {
    let site = Inviting::open().await;
    let (unopened, under_way) =
        (site.invite("crm", &[("expires_in", "20s")]).await, site.invite("crm", &[("expires_in", "20s")]).await);
    let (bea, sam) = (site.app.visitor(), site.app.visitor());
    let ask = start(&bea, &under_way).await;
    let callback = bea.go_to_zoho(&ask, BEA).await;
    site.app.advance(Duration::from_secs(21)).await;
    sam.get(&unopened.path).await.assert_status(410);
    send(&sam, &unopened.path, "start", &[]).await.assert_status(410);
    let landing = bea.land(&callback).await.location().to_owned();
    bea.get(&landing).await.assert_status(410);
    site.no_live_token_of(BEA).await;
    for link in [&unopened, &under_way] {
        assert_eq!(site.state(link).await, "expired");
    }
}

#[tokio::test]
async fn s46_an_address_of_another_domain_is_refused_and_its_token_revoked() {
    let site = Inviting::open().await;
    let link = site.invite("crm", &[("expected_email_domain", "Acme.Example")]).await;
    let bea = site.app.visitor();
    assert!(bea.get(&link.path).await.has("@acme.example"));
    let refused = consent(&bea, &link, BEA).await;
    refused.assert_status(403);
    assert!(refused.has("@acme.example"));
    site.no_live_token_of(BEA).await;
    assert_eq!((site.state(&link).await.as_str(), site.connections().await.as_str()), ("refused", "0"));
    site.app.visitor().get(&link.path).await.assert_status(410);
    let events = site.app.database.column(EVENTS).await;
    assert_eq!(events.last().unwrap(), "onboarding_refused email_domain person");
    // The right domain, in whatever case.
    let link = site.invite("crm", &[("expected_email_domain", "EXAMPLE.com")]).await;
    consent(&bea, &link, BEA).await.assert_status(200);
}

#[tokio::test]
async fn another_organization_than_expected_is_refused() {
    let site = Inviting::open().await;
    let link = site.invite("assist", &[("expected_organization", "60000001")]).await;
    let bea = site.app.visitor();
    consent(&bea, &link, BEA).await.assert_status(403);
    site.no_live_token_of(BEA).await;
    // Of several, only the expected one is offered.
    let link = site.invite("salesiq", &[("expected_organization", "novaklabs")]).await;
    let asks = consent(&bea, &link, BEA).await;
    assert!(asks.has("Portal novaklabs") && !asks.has("Portal novakshop"));
    confirm(&bea, &link, &[]).await;
}

#[tokio::test]
async fn saying_no_refuses_and_revokes() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let bea = site.app.visitor();
    consent(&bea, &link, BEA).await;
    let path = format!("/onboarding/{}", link.id);
    assert_eq!(send(&bea, &path, "refuse", &[]).await.location(), path);
    bea.get(&path).await.assert_status(410);
    site.no_live_token_of(BEA).await;
    send(&bea, &path, "confirm", &[]).await.assert_status(410);
    assert_eq!((site.state(&link).await.as_str(), site.connections().await.as_str()), ("refused", "0"));
}

#[tokio::test]
async fn s46_a_withdrawn_link_is_dead_at_every_step() {
    let site = Inviting::open().await;
    let bea = site.app.visitor();
    let links = [site.invite("crm", PLAIN).await, site.invite("crm", PLAIN).await, site.invite("crm", PLAIN).await];
    let ask = start(&bea, &links[1]).await;
    let callback = bea.go_to_zoho(&ask, BEA).await;
    consent(&bea, &links[2], BEA).await;
    for link in &links {
        let path = format!("/api/v1/onboarding-links/{}", link.id);
        let request = || async { site.saas.request(Method::DELETE, &path).send().await.unwrap().status().as_u16() };
        assert_eq!((request().await, request().await), (204, 204));
        assert_eq!(site.state(link).await, "withdrawn");
    }
    send(&bea, &links[0].path, "start", &[]).await.assert_status(410);
    let landing = bea.land(&callback).await.location().to_owned();
    bea.get(&landing).await.assert_status(410);
    send(&bea, &links[2].path, "confirm", &[]).await.assert_status(410);
    site.no_live_token_of(BEA).await;
    assert_eq!(site.connections().await, "0");
}

#[tokio::test]
async fn a_person_who_declines_at_zoho_may_begin_again() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let bea = site.app.visitor();
    let ask = start(&bea, &link).await;
    let state = parameter(&ask, "state").unwrap();
    let declined = format!("/oauth/callback?state={state}&error=access_denied");
    assert_eq!(bea.land(&declined).await.location(), "/problems/access-denied");
    assert_eq!(site.state(&link).await, "started");
    let problem = bea.get("/problems/access-denied").await;
    assert!(problem.links().contains(&format!("/onboarding/{}", link.id)), "the way back");
    consent(&bea, &link, BEA).await;
    confirm(&bea, &link, &[]).await;
}
