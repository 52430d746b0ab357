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
