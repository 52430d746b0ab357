//! Asking somebody by a link to reconnect what has lost its access.

use super::*;
use crate::harness::page::{attribute, tags};

/// Bea's connection in Sam's tenant, where he is the owner and she a member.
struct Lost {
    app: App,
    sam: Visitor,
    bea: Visitor,
    page: String,
    links: String,
    connection: String,
}

impl Lost {
    async fn begin() -> Self {
        let app = App::start().await;
        let (sam, bea) = (app.visitor(), app.visitor());
        sam.sign_in_as(SAM).await;
        bea.sign_in_as(BEA).await;
        let connection = bea.only_connection().await;
        app.database
            .execute(
                "insert into membership select t.tenant_id, p.person_id, 'owner', '2026-11-21T10:00:00Z'
                 from tenant t, person p where p.zuid = '780000001' and t.own_of_person_id <> p.person_id",
            )
            .await;
        let slug = app.database.text("select slug from tenant join connection using (tenant_id) join person using (person_id) where zuid = '795000001'").await;
        let console = format!("/tenants/{slug}");
        let (page, links) = (format!("{console}/connections/{connection}"), format!("{console}/onboarding-links"));
        Self { app, sam, bea, page, links, connection }
    }

    async fn revoke(&self) {
        let change = "update connection set status = 'needs_reconnect', status_reason = 'revoked', dead_since = '2026-11-21T10:00:00Z'
                      where connection_id = ";
        self.app.database.execute(&format!("{change}'{}'", self.connection)).await;
    }

    /// The link's token, as the page shows it this once.
    async fn ask(&self) -> String {
        let nonce = self.sam.get(&self.page).await.field("nonce").expect("the form");
        let target = format!("{}/reconnect-link", self.page);
        let made = self.sam.submit(&self.page, &target, &[("nonce", &nonce)]).await;
        made.assert_status(200);
        assert!(made.has("mailto:bea"), "the mail is ready");
        let values = tags(&made.text, "input").into_iter().filter_map(|input| attribute(input, "value"));
        let address = values.into_iter().find(|value| value.contains("/onboarding/")).expect("an address on the page");
        assert!(!self.sam.get(&self.page).await.has(&address), "never again");
        let again = self.sam.submit(&self.page, &target, &[("nonce", &nonce)]).await;
        again.assert_status(409);
        assert!(again.has("This form has made its link already"));
        address.strip_prefix(self.app.public_url().origin()).unwrap().to_owned()
    }

    async fn state(&self) -> String {
        self.app.database.text("select state from onboarding_link").await
    }

    async fn status(&self) -> String {
        let question = "select status || ' ' || token_version from connection where connection_id = ";
        self.app.database.text(&format!("{question}'{}'", self.connection)).await
    }

    async fn consent(&self, browser: &Visitor, path: &str, person: &str) -> String {
        let begun = send(browser, path, "start", &[]).await.location().to_owned();
        browser.land(&browser.go_to_zoho(&begun, person).await).await.location().to_owned()
    }
}

#[tokio::test]
async fn its_own_person_reconnects_it_by_the_link_and_it_keeps_its_id() {
    let lost = Lost::begin().await;
    assert!(!lost.sam.get(&lost.page).await.has("Make a reconnect link"), "it works: nothing is to be asked");
    lost.revoke().await;
    let path = lost.ask().await;
    let list = lost.sam.get(&lost.links).await;
    assert!(list.has("Reconnect of") && list.has("Its own person") && list.has("Not begun"));
    // In a browser that nobody is signed in to.
    let phone = lost.app.visitor();
    let opened = phone.get(&path).await;
    assert!(opened.has("asks you") && opened.has("to reconnect") && opened.has("Sam Rivera") && opened.has("bea"));
    let landing = lost.consent(&phone, &path, BEA).await;
    let asked = phone.get(&landing).await;
    assert!(asked.has("Is this the right one?"), "{}", asked.text);
    assert_eq!(lost.status().await.split(' ').next(), Some("needs_reconnect"), "nothing before the second word");
    let organization = asked.field("organization").expect("the only one");
    let confirmed = send(&phone, &landing, "confirm", &[("organization", &organization)]).await;
    assert_eq!(confirmed.location(), format!("{landing}/done"));
    assert!(lost.status().await.starts_with("active"));
    assert_eq!(lost.app.database.count("connection").await, 2, "Sam's own, and this one");
    assert_eq!((lost.state().await, phone.only_connection().await), ("connected".to_owned(), lost.connection.clone()));
    phone.get(&path).await.assert_status(410);
    let seen = lost.sam.get(&lost.page).await;
    assert!(seen.has("Its person was asked by a link") && seen.has("Reconnected: consent given"));
    let backend = lost.app.backend_of(&lost.connection, &["tokens:read"]).await;
    assert_eq!(backend.token(&lost.connection, "").await.status, 200);
}

#[tokio::test]
async fn s4_another_zoho_user_or_organization_changes_nothing_and_loses_what_it_granted() {
    let lost = Lost::begin().await;
    lost.revoke().await;
    let (path, before) = (lost.ask().await, lost.status().await);
    let stranger = lost.app.visitor();
    assert_eq!(lost.consent(&stranger, &path, ANN).await, "/problems/wrong-person");
    lost.app.database.execute("update organization set zoho_id = '1' where zoho_id not like '6%'").await;
    assert_eq!(lost.consent(&stranger, &path, BEA).await, "/problems/organization-mismatch");
    assert_eq!((lost.status().await, lost.state().await), (before, "started".to_owned()));
    wait_for("what was granted is revoked", || async {
        lost.app.zoho.refresh_tokens(ANN, "live").await.is_empty().then_some(())
    })
    .await;
    let seen = lost.sam.get(&lost.page).await;
    assert!(seen.has("Somebody else tried to reconnect it") && seen.has("came back with another organization"));
    // Whoever opens it elsewhere is led nowhere.
    assert!(lost.bea.get(&path).await.has("opened in another browser"));
}

#[tokio::test]
async fn s46_a_link_ends_with_its_connection_its_time_or_a_word() {
    let lost = Lost::begin().await;
    lost.app
        .database
        .execute("update connection set scopes_requested = '{ZohoAssist.userapi.READ,ZohoAssist.sessionapi.CREATE}'")
        .await;
    let path = lost.ask().await;
    let disconnect = format!("{}/disconnect", lost.page);
    lost.sam.submit(&disconnect, &disconnect, &[]).await.assert_status(303);
    let visitor = lost.app.visitor();
    assert!(visitor.get(&path).await.assert_status(410).has("withdrawn"));
    send(&visitor, &path, "start", &[]).await.assert_status(410);
    assert!(lost.sam.get(&lost.links).await.has("Withdrawn"));
    // Nothing is to be asked of what was disconnected.
    let target = format!("{}/reconnect-link", lost.page);
    lost.sam.submit("/connections", &target, &[]).await.assert_status(409);
    let api = lost.app.backend(&["onboarding:write"]).await;
    let id = lost.app.database.text("select onboarding_link_id from onboarding_link").await;
    assert_eq!(api.get(&format!("/api/v1/onboarding-links/{id}")).await.member("state"), "withdrawn");

    let lost = Lost::begin().await;
    lost.revoke().await;
    let path = lost.ask().await;
    lost.app.advance(Duration::from_secs(8 * 86_400)).await;
    lost.app.visitor().get(&path).await.assert_status(410);
}
