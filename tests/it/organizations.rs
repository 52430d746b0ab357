//! Which organization a token is for: one is taken, several are asked about, and never is it silently the first.

use std::time::Duration;

use serde_json::json;

use crate::harness::*;

/// A connection that waits for a choice; its page.
async fn choosing(visitor: &Visitor, target: &str, person: &str) -> (String, Page) {
    let consent = visitor.begin(target).await;
    let landing = visitor.land(&visitor.go_to_zoho(&consent, person).await).await;
    let path = landing.location().to_owned();
    assert!(path.starts_with("/connections/"), "{path}");
    let page = visitor.get(&path).await;
    page.assert_status(200);
    (path.split('?').next().unwrap().to_owned(), page)
}

const STORED: &str = "select concat_ws(' ', c.status, o.zoho_id, o.environment) from connection c
                      left join organization o using (tenant_id, organization_id) order by c.connected_at, c.connection_id";

#[tokio::test]
async fn of_several_organizations_the_person_picks_the_second() {
    let app = App::start().await;
    let bea = app.visitor();
    let (path, page) = choosing(&bea, "/login?product=salesiq", BEA).await;
    assert_eq!(page.values("organization"), ["novak", "novakshop", "novaklabs"]);
    assert!(!page.text.contains("checked"), "none is suggested");
    assert_eq!(app.database.column(STORED).await, ["choosing"]);
    let chosen = bea
        .submit(&path, &format!("{path}/organization"), &[("organization", "novakshop"), ("environment", "production")])
        .await;
    assert_eq!(chosen.location(), path);
    assert_eq!(app.database.column(STORED).await, ["active novakshop production"]);
    assert!(bea.get(&path).await.has("novakshop"));
}

#[tokio::test]
async fn a_double_tap_on_a_choice_keeps_the_token_that_was_chosen() {
    let app = App::start().await;
    let bea = app.visitor();
    let (path, page) = choosing(&bea, "/login?product=salesiq", BEA).await;
    let (csrf, command) = (page.csrf(), format!("{path}/organization"));
    let form = [("csrf", csrf.as_str()), ("organization", "novakshop"), ("environment", "production")];
    let taps = futures_util::future::join_all((0..6).map(|_| bea.post_form(&command, &form))).await;
    assert!(taps.iter().all(|tap| tap.location() == path));
    assert_eq!(app.database.column(STORED).await, ["active novakshop production"]);
    assert_eq!(app.database.count("revocation").await, 0, "nothing was superseded");
    assert_eq!(app.zoho.refresh_tokens(BEA, "live").await.len(), 1);
}

#[tokio::test]
async fn a_choice_that_is_empty_unlisted_or_malformed_changes_nothing() {
    let app = App::start().await;
    let bea = app.visitor();
    let (path, _) = choosing(&bea, "/login?product=connect", BEA).await;
    let command = format!("{path}/organization");
    for wrong in ["", " ", "929000000015999", "0", "first", "../x", "929000000015101,929000000015102"] {
        let page = bea.submit(&path, &command, &[("organization", wrong)]).await;
        page.assert_status(400);
        assert!(page.has("There is a problem"), "{wrong:?}");
    }
    bea.submit(&path, &command, &[]).await.assert_status(400);
    let page = bea.submit(&path, &command, &[("organization", "929000000015102"), ("environment", "moon")]).await;
    page.assert_status(400);
    assert_eq!(app.database.column(STORED).await, ["choosing"]);
}

#[tokio::test]
async fn where_the_product_asks_all_organizations_are_listed() {
    let app = App::start().await;
    app.zoho.settings(json!({"organization_choice": "product"})).await;
    let ann = app.visitor();
    let (path, page) = choosing(&ann, "/login?product=connect", ANN).await;
    assert_eq!(page.values("organization").len(), 3);
    assert!(page.has("Zylker") && page.has("Zylker Labs") && page.has("Zillum"));
    let second = page.values("organization")[1].clone();
    let chosen = ann.submit(&path, &format!("{path}/organization"), &[("organization", &second)]).await;
    assert_eq!(chosen.location(), path);
    assert_eq!(app.database.column("select name from organization").await, ["Zylker Labs"]);
}

#[tokio::test]
async fn zia_agents_is_asked_for_and_the_persons_word_is_kept() {
    let app = App::start().await;
    let sam = app.visitor();
    let (path, page) = choosing(&sam, "/login?product=zia_agents", SAM).await;
    assert!(page.has("Integrate"), "a hint where Zoho shows it");
    let command = format!("{path}/organization");
    for wrong in ["", "not an id", "<script>"] {
        sam.submit(&path, &command, &[("organization", wrong)]).await.assert_status(400);
    }
    let form = [("organization", "60000001"), ("name", "Rivera Supplies"), ("environment", "sandbox")];
    assert_eq!(sam.submit(&path, &command, &form).await.location(), path);
    assert_eq!(app.database.column(STORED).await, ["active 60000001 sandbox"]);
    assert!(sam.get(&path).await.has("Rivera Supplies"));
}

#[tokio::test]
async fn picking_what_is_connected_already_gives_that_connection_the_new_tokens() {
    let app = App::start().await;
    let bea = app.visitor();
    let (first, _) = choosing(&bea, "/login?product=salesiq", BEA).await;
    let form = [("organization", "novakshop")];
    bea.submit(&first, &format!("{first}/organization"), &form).await.assert_status(303);
    let old = app.zoho.refresh_tokens(BEA, "live").await;
    app.advance(Duration::from_secs(60)).await;
    let other = app.visitor();
    let (second, page) = choosing(&other, "/login?product=salesiq", BEA).await;
    assert_ne!(first, second);
    assert!(page.has("onnected"), "the current connection is marked");
    let chosen = other.submit(&second, &format!("{second}/organization"), &form).await;
    assert_eq!(chosen.location(), first);
    assert_eq!(app.database.column(STORED).await, ["active novakshop production"]);
    assert_eq!(other.get(&second).await.status, 404, "the choice is gone");
    app.advance(Duration::from_secs(301)).await;
    wait_for("the superseded token is revoked", || async {
        let live = app.zoho.refresh_tokens(BEA, "live").await;
        (live.len() == 1 && live != old).then_some(())
    })
    .await;
    // The surviving token is the one that the kept connection holds: disconnecting kills it.
    other.submit(&first, &format!("{first}/disconnect"), &[]).await.assert_status(303);
    assert!(app.zoho.refresh_tokens(BEA, "live").await.is_empty());
}

#[tokio::test]
async fn where_the_person_was_going_is_not_forgotten_over_the_choice() {
    let app = App::start().await;
    let bea = app.visitor();
    let (path, page) = choosing(&bea, "/login?product=salesiq&return_to=/problems", BEA).await;
    assert_eq!(page.field("return_to").as_deref(), Some("/problems"));
    let form = [("organization", "novaklabs"), ("return_to", "/problems")];
    assert_eq!(bea.submit(&path, &format!("{path}/organization"), &form).await.location(), "/problems");
}

#[tokio::test]
async fn somebody_without_an_organization_is_told_and_the_token_dies() {
    let app = App::start().await;
    let pat = app.visitor();
    for product in ["assist", "salesiq", "connect", "crm", "desk", "books"] {
        let landing = pat.go(&format!("/login?product={product}"), PAT).await;
        assert_eq!(landing.location(), "/problems/no-organization", "{product}");
        assert_eq!(landing.session_cookie(), None);
    }
    wait_for("all tokens are revoked", || async {
        app.zoho.refresh_tokens(PAT, "live").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(app.database.count("connection").await, 0);
}

#[tokio::test]
async fn s66_hostile_names_are_text() {
    let app = App::start().await;
    let odd = app.visitor();
    for organization in ["77000030", "77000031", "77000032", "77000033", "77000034"] {
        odd.connect("desk", "eu:795000003", organization).await;
        let tenant = odd.get("/connections").await.field("tenant").unwrap();
        let begun = odd.submit("/connections", "/connections", &[("product", "books"), ("tenant", &tenant)]).await;
        odd.land(&odd.go_to_zoho_for(begun.location(), "eu:795000003", organization).await).await;
    }
    let page = odd.get("/connections").await;
    page.assert_status(200);
    assert!(!page.has("<script>alert") && !page.has("<b>Odd</b>"));
    assert!(page.has("&#60;script&#62;alert") || page.has("&lt;script&gt;alert"));
    for id in odd.connection_ids().await {
        odd.get(&format!("/connections/{id}")).await.assert_status(200);
    }
    app.zoho.fault(json!({"path": "/api/v2/user", "act": {"json": {"set": {"/representation/org_details/org_name": "a\u{0}b\u{202e}c"}}}})).await;
    let sam = app.visitor();
    assert_eq!(sam.sign_in_as(SAM).await.location(), "/connections");
    sam.get("/connections").await.assert_status(200);
}
