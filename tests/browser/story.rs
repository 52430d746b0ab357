//! From nothing: an operator makes a tenant and invites its owner, who connects organizations of two data centres; what
//! its administrator sees of them, and that another tenant sees nothing.

use serde_json::json;
use thirtyfour::By;

use crate::{Demo, Stage, on_stage_of};

impl Stage {
    /// The address that the page shows this once.
    async fn shown_link(&self) -> String {
        let link = self.browser.find(By::Id("new-link")).await.prop("value").await.expect("a field");
        link.expect("an address")
    }

    /// As somebody who got the link by mail: in a browser that was never here.
    async fn accept(&self, link: &str, product: &str, data_centre: &str, email: &str) {
        self.browser.forget_everything().await;
        self.browser.go(link).await;
        self.browser.see("Zylker").await;
        self.browser.press(&format!("Connect {product} at Zoho")).await;
        self.pick_person(data_centre, email).await;
        self.browser.press("Accept").await;
        self.browser.see("Connect this to").await;
        self.browser.press("Yes, connect it").await;
        self.browser.see("is connected to Zylker").await;
    }

    /// By the button, past Zoho, to somebody's own pages.
    async fn come_back(&self, data_centre: &str, email: &str) {
        self.browser.forget_everything().await;
        self.open("/login?product=none").await;
        self.pick_person(data_centre, email).await;
        self.arrive("/connections").await;
    }
}

#[tokio::test]
async fn from_nothing_to_a_tenant_with_organizations_of_two_data_centres() {
    on_stage_of(Demo::start_with(&["--operators", "us:780000001"]), async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.open("/operator/tenants").await;
        stage.browser.fill("name", "Zylker").await;
        stage.browser.fill("external_id", "cust-1").await;
        stage.browser.fill("slug", "zylker").await;
        stage.browser.press("Make the tenant").await;
        stage.arrive("/operator/tenants/zylker").await;
        stage.browser.choose("product", "crm").await;
        stage.browser.press("Make the invitation").await;
        let link = stage.shown_link().await;
        stage.accept(&link, "Zoho CRM", "eu", "sam@example.com").await;

        // Who accepted owns the tenant, and invites a colleague in India.
        stage.come_back("eu", "sam@example.com").await;
        stage.open("/tenants/zylker/onboarding-links").await;
        stage.browser.choose("product", "desk").await;
        stage.browser.press("Make the invitation").await;
        let link = stage.shown_link().await;
        stage.accept(&link, "Zoho Desk", "in", "isha@example.com").await;

        stage.come_back("eu", "sam@example.com").await;
        both_are_there(stage).await;
        a_key_is_made_and_revoked(stage).await;

        // Another tenant: their own page knows nothing of it, and its address is no page.
        stage.browser.forget_everything().await;
        stage.sign_in("eu", "bea@example.com").await;
        let link = "return document.querySelector(\"a[href$='/organizations']\").getAttribute('href')";
        let own = stage.browser.look(link).await.as_str().expect("a link").to_owned();
        stage.open(&own).await;
        stage.browser.see("Novak Group").await;
        let words = stage.browser.words().await;
        assert!(!["Zylker", "Lindqvist", "Patel"].iter().any(|foreign| words.contains(foreign)), "{words}");
        for page in ["organizations", "connections", "members", "audit", "api-keys"] {
            stage.open(&format!("/tenants/zylker/{page}")).await;
            stage.browser.see("There is nothing here").await;
        }
    })
    .await;
}

async fn both_are_there(stage: &mut Stage) {
    stage.open("/tenants/zylker/organizations").await;
    stage.browser.see("Lindqvist AB").await;
    stage.browser.see("Patel Exports").await;
    let words = stage.browser.words().await;
    for told in ["Europe", "India", "Working", "Zoho CRM", "Zoho Desk"] {
        assert!(words.contains(told), "{told} in {words}");
    }
    stage.examine("story-organizations").await;
    // The file that the link leads to.
    let csv = "const link = document.querySelector(\"a[href*='/organizations/csv']\");
        const answer = new XMLHttpRequest(); answer.open('GET', link.href, false); answer.send();
        return [answer.status, answer.responseText]";
    let csv = stage.browser.look(csv).await;
    let text = csv[1].as_str().unwrap_or_default();
    assert_eq!((&csv[0], text.lines().count()), (&json!(200), 3), "{text}");
    assert!(text.contains("Lindqvist AB") && text.contains("Patel Exports"), "{text}");
}

async fn a_key_is_made_and_revoked(stage: &mut Stage) {
    stage.open("/tenants/zylker/api-keys").await;
    stage.browser.fill("name", "Nightly sync").await;
    stage.browser.press_at(By::Css("input[value='connections:read']")).await;
    stage.browser.press("Make the key").await;
    let key = stage.browser.find(By::Id("new-key")).await.prop("value").await.expect("a field").expect("a key");
    stage.answers(&key, 200).await;
    stage.open("/tenants/zylker/api-keys").await;
    stage.browser.press("Revoke…").await;
    stage.browser.press("Revoke the key").await;
    stage.browser.see("Keys that have ended (1)").await;
    stage.answers(&key, 401).await;
    stage.open("/tenants/zylker/audit").await;
    stage.browser.see("Nightly sync").await;
}
