//! `/tenants/{tenant}/onboarding-links`, for owners and administrators.

use super::*;
use crate::harness::page::{attribute, tags};

/// The page of the person's own tenant.
async fn links_page(visitor: &Visitor) -> String {
    let links = visitor.get("/connections").await.links();
    let keys = links.into_iter().find(|link| link.ends_with("/api-keys")).expect("a link to the console");
    keys.replace("/api-keys", "/onboarding-links")
}

/// Sends the form of the page as it stands, with what a person would have filled in.
async fn make(visitor: &Visitor, page: &str, fields: &[(&str, &str)]) -> Page {
    let nonce = visitor.get(page).await.field("nonce").expect("a nonce");
    let mut form = vec![("nonce", nonce.as_str()), ("product", "crm")];
    form.extend_from_slice(fields);
    visitor.submit(page, page, &form).await
}

fn shown_address(page: &Page) -> String {
    let values = tags(&page.text, "input").into_iter().filter_map(|input| attribute(input, "value"));
    values.into_iter().find(|value| value.contains("/onboarding/")).expect("an address on the page")
}

#[tokio::test]
async fn an_owner_invites_somebody_who_sees_who_invites() {
    let site = Inviting::open().await;
    let (sam, bea) = (site.app.visitor(), site.app.visitor());
    sam.sign_in_as(SAM).await;
    let page = links_page(&sam).await;
    let made = make(&sam, &page, &[("email_domain", "Example.com"), ("return_url", "https://app.example.com/x")]).await;
    made.assert_status(200);
    let address = shown_address(&made);
    let token = address.rsplit('/').next().unwrap();
    assert!(!sam.get(&page).await.has(token), "never again");
    let id = site.app.database.text("select onboarding_link_id from onboarding_link").await;
    let link = Link { id, path: format!("/onboarding/{token}") };
    let opened = bea.get(&link.path).await;
    assert!(opened.has("Sam Rivera") && opened.has("@example.com"));
    consent(&bea, &link, BEA).await;
    assert!(sam.get(&page).await.has("To be confirmed"));
    let done = confirm(&bea, &link, &[]).await;
    assert!(done.links().contains(&format!("https://app.example.com/x?onboarding_link={}", link.id)));
    let list = sam.get(&page).await;
    assert!(list.has("Connected") && list.has("Bea Novak"));
    let role = "select role from membership join person using (person_id) where zuid = '795000001'";
    assert_eq!(site.app.database.column(role).await, ["member"]);
}

#[tokio::test]
async fn a_form_that_is_sent_again_makes_no_second_link() {
    let site = Inviting::open().await;
    let sam = site.app.visitor();
    sam.sign_in_as(SAM).await;
    let page = links_page(&sam).await;
    let form = sam.get(&page).await;
    let (csrf, nonce) = (form.csrf(), form.field("nonce").unwrap());
    let fields = [("csrf", csrf.as_str()), ("nonce", &nonce), ("product", "crm"), ("expires", "1d")];
    sam.post_form(&page, &fields).await.assert_status(200);
    let again = sam.post_form(&page, &fields).await;
    again.assert_status(409);
    assert!(again.has("This form has made its invitation already"));
    assert_eq!(site.app.database.column("select expires_at - created_at from onboarding_link").await, ["1 day"]);
}

#[tokio::test]
async fn what_makes_no_link_is_told_beside_its_field() {
    let site = Inviting::open().await;
    let sam = site.app.visitor();
    sam.sign_in_as(SAM).await;
    let page = links_page(&sam).await;
    for (field, value) in [
        ("return_url", "https://evil.test/"),
        ("email_domain", "ann@example.com"),
        ("organization", "a b"),
        ("scopes", "a/b"),
    ] {
        let refused = make(&sam, &page, &[(field, value)]).await;
        refused.assert_status(400);
        assert!(refused.has(&format!("href=\"#{field}\"")) && refused.has(&format!("id=\"{field}-error\"")), "{field}");
        assert_eq!(refused.field(field).as_deref(), Some(value), "what was typed stands there again");
    }
    sam.submit(&page, &page, &[("product", "crm"), ("state", "connected")]).await.assert_status(400);
    assert_eq!(site.app.database.count("onboarding_link").await, 0);
}

#[tokio::test]
async fn s41_links_are_the_business_of_their_tenants_administrators() {
    let site = Inviting::open().await;
    let (sam, bea) = (site.app.visitor(), site.app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let (page, foreign) = (links_page(&sam).await, links_page(&bea).await);
    let address = shown_address(&make(&sam, &page, &[]).await);
    let id = site.app.database.text("select onboarding_link_id from onboarding_link").await;
    bea.get(&page).await.assert_status(404);
    bea.get(&format!("{page}/{id}/withdraw")).await.assert_status(404);
    bea.submit(&foreign, &format!("{foreign}/{id}/withdraw"), &[]).await.assert_status(404);
    assert_eq!(site.app.database.column("select state from onboarding_link").await, ["created"]);
    let withdraw = format!("{page}/{id}/withdraw");
    assert!(sam.get(&withdraw).await.has("cannot be undone"));
    assert_eq!(sam.submit(&withdraw, &withdraw, &[]).await.location(), page);
    assert!(sam.get(&page).await.has("Withdrawn"));
    assert_eq!(sam.get(&withdraw).await.location(), page);
    site.app.visitor().get(&address).await.assert_status(410);
    let audited = "select actor_kind from audit_event where action = 'onboarding_withdrawn'";
    assert_eq!(site.app.database.column(audited).await, ["person"]);
    // A member who does not administer is told so.
    site.app.database.execute("update membership set role = 'member'").await;
    sam.get(&page).await.assert_status(403);
}

/// Links of the tenant of this page, half of them open, made minute after minute.
async fn fill(app: &App, page: &str, links: usize) {
    let slug = page.split('/').nth(2).unwrap();
    app.database
        .execute(&format!(
            "insert into onboarding_link (onboarding_link_id, tenant_id, token_digest, product, scopes, invited_by_api_key_id,
                 created_at, expires_at, state, refused_because, ended_at, due_at)
             select gen_random_uuid(), t.tenant_id, sha256((t.slug || n)::bytea), 'crm', '{{}}', 'nobody',
                 '2026-11-01T00:00:00Z'::timestamptz + n / 3 * interval '1 minute', '2099-01-01T00:00:00Z', s.state,
                 case s.state when 'refused' then 'person' end,
                 case when s.state <> 'created' then '2026-11-21T00:00:00Z'::timestamptz end,
                 case when s.state = 'created' then '2099-01-01T00:00:00Z'::timestamptz end
             from tenant t, generate_series(1, {links}) n,
                 lateral (select (array['created', 'refused', 'created', 'expired'])[1 + n % 4] as state) s
             where t.slug = '{slug}'"
        ))
        .await;
}

/// The ids of the links that a list shows, page after page; and how many pages there were.
async fn walk(visitor: &Visitor, list: &str) -> (Vec<String>, usize) {
    let (mut seen, mut pages, mut next) = (Vec::new(), 0, Some(list.to_owned()));
    while let Some(address) = next {
        let page = visitor.get(&address).await;
        page.assert_status(200);
        pages += 1;
        let rows = page.text.split("scope=\"row\"").skip(1);
        let shown = rows.filter_map(|row| row.split("<code title=\"").nth(1)?.split('"').next());
        seen.extend(shown.map(str::to_owned));
        next = page.links().into_iter().find(|link| link.contains("cursor="));
    }
    (seen, pages)
}

#[tokio::test]
async fn the_list_goes_on_page_after_page_and_can_be_narrowed_to_a_state() {
    let site = Inviting::open().await;
    let sam = site.app.visitor();
    sam.sign_in_as(SAM).await;
    let page = links_page(&sam).await;
    fill(&site.app, &page, 320).await;
    let (seen, pages) = walk(&sam, &page).await;
    let order = "select onboarding_link_id from onboarding_link
                 order by ended_at is not null, created_at desc, onboarding_link_id desc";
    assert_eq!((pages, &seen), (7, &site.app.database.column(order).await));
    let (refused, pages) = walk(&sam, &format!("{page}?state=refused")).await;
    assert_eq!((refused.len(), pages), (80, 2));
    let page_of_refused = sam.get(&format!("{page}?state=refused")).await;
    assert!(page_of_refused.has(">Refused</span>") && !page_of_refused.has(">Not begun</span>"));
    assert!(page_of_refused.links().contains(&page), "the way back to all");
    assert!(sam.get(&format!("{page}?state=connected")).await.has("Nothing fits."));
    // Whoever makes one sees the newest, and no filter.
    make(&sam, &page, &[]).await.assert_status(200);
    assert_eq!(walk(&sam, &page).await.0.len(), 321);
}

#[tokio::test]
async fn a_state_that_is_asked_for_is_the_one_that_is_shown() {
    let site = Inviting::open().await;
    let (sam, bea) = (site.app.visitor(), site.app.visitor());
    sam.sign_in_as(SAM).await;
    let page = links_page(&sam).await;
    let connection = sam.only_connection().await;
    make(&sam, &page, &[]).await.assert_status(200);
    let link = |address: &str| Link {
        id: String::new(),
        path: format!("/onboarding/{}", address.rsplit('/').next().unwrap()),
    };
    start(&bea, &link(&shown_address(&make(&sam, &page, &[]).await))).await;
    consent_at_zoho(&bea, &link(&shown_address(&make(&sam, &page, &[]).await))).await;
    // One asks for a reconnect of what ends meanwhile, one has run out and nobody has written so yet.
    let base = "onboarding_link_id, tenant_id, token_digest, product, scopes, invited_by_api_key_id, created_at, state, due_at";
    site.app
        .database
        .execute(&format!(
            "insert into onboarding_link ({base}, expires_at, reconnects_connection_id)
             select gen_random_uuid(), tenant_id, sha256('r'), 'assist', '{{}}', 'nobody', connected_at, 'created',
                 '2099-01-01T00:00:00Z', '2099-01-01T00:00:00Z', connection_id from connection;
             insert into onboarding_link ({base}, expires_at)
             select gen_random_uuid(), tenant_id, sha256('e'), 'assist', '{{}}', 'nobody', created_at, 'created',
                 '2099-01-01T00:00:00Z', '2026-11-01T00:00:00Z' from tenant where own_of_person_id is not null;
             update connection set status = 'disconnected', status_reason = null, disconnected_at = connected_at,
                 refresh_token_sealed = null, access_token_sealed = null, access_token_expires_at = null
             where connection_id = '{connection}'"
        ))
        .await;
    for (state, words) in [
        ("created", "Not begun"),
        ("started", "Begun"),
        ("consented", "To be confirmed"),
        ("expired", "Expired"),
        ("withdrawn", "Withdrawn"),
    ] {
        let list = sam.get(&format!("{page}?state={state}")).await;
        let pills: Vec<_> = list.text.split("class=\"pill\"").skip(1).map(|rest| rest.contains(words)).collect();
        assert_eq!(pills, [true], "{state}");
    }
    assert_eq!(walk(&sam, &page).await.0.len(), 5);
}

async fn consent_at_zoho(visitor: &Visitor, link: &Link) {
    let consent = start(visitor, link).await;
    visitor.land(&visitor.go_to_zoho(&consent, BEA).await).await.assert_status(303);
}

#[tokio::test]
async fn s40_what_the_list_does_not_know_is_refused() {
    let site = Inviting::open().await;
    let (sam, bea) = (site.app.visitor(), site.app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let (page, foreign) = (links_page(&sam).await, links_page(&bea).await);
    for page in [&page, &foreign] {
        fill(&site.app, page, 210).await;
    }
    for odd in ["state=odd", "state=created&state=refused", "sort=name", "cursor=abc"] {
        sam.get(&format!("{page}?{odd}")).await.assert_status(400);
    }
    sam.get(&format!("{page}?state=")).await.assert_status(200);
    let first = sam.get(&page).await;
    let next = first.links().into_iter().find(|link| link.contains("cursor=")).expect("a next page");
    sam.get(&next).await.assert_status(200);
    // Another state, another tenant: not this cursor's.
    sam.get(&format!("{next}&state=created")).await.assert_status(400);
    bea.get(&next.replace(&page, &foreign)).await.assert_status(400);
    assert_eq!(walk(&bea, &foreign).await.0.len(), 210);
}
