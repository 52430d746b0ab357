//! The console of a tenant: every page examined, all of it by keyboard, lists that follow what is typed.

use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};
use thirtyfour::By;

use crate::{Stage, on_stage};

impl Stage {
    /// Where the console of the person's own tenant begins.
    async fn console(&self) -> String {
        let link = "return document.querySelector(\"a[href$='/organizations']\")?.getAttribute('href')";
        let link = self.browser.look(link).await;
        link.as_str().and_then(|link| link.strip_suffix("/organizations")).expect("a link to the console").to_owned()
    }

    /// An invitation to a tenant of the SaaS's, as a back end makes it.
    async fn invitation_to(&self, tenant: &str, name: &str) -> String {
        let body = json!({"tenant": {"external_id": tenant, "name": name}, "product": "crm"});
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        let url = format!("{}/api/v1/onboarding-links", self.demo.url);
        let made = http.post(url).bearer_auth(&self.demo.api_key).json(&body).send().await.expect("an answer");
        let made: Value = made.json().await.expect("JSON");
        made["url"].as_str().expect("an address").to_owned()
    }
}

#[tokio::test]
async fn every_page_of_the_console_is_examined() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        let console = stage.console().await;
        for (page, says, name) in [
            ("organizations", "Rivera Supplies", "organizations"),
            ("organizations?search=nobody", "Nothing fits", "organizations-nothing"),
            ("connections", "Sam Rivera", "tenant-connections"),
            ("members", "(you)", "members"),
            ("onboarding-links", "Nobody has been invited yet", "onboarding-links-none"),
            ("api-keys", "What it is for", "api-keys"),
            ("webhooks", "Nobody is told yet", "webhooks"),
            ("audit", "Tenant made", "audit"),
            ("audit?action=token_refused", "Nothing fits", "audit-nothing"),
            ("import", "Import", "import"),
        ] {
            stage.open(&format!("{console}/{page}")).await;
            stage.browser.see(says).await;
            stage.examine(name).await;
        }
        stage.open(&format!("{console}/connections")).await;
        stage.browser.press("Zoho Assist").await;
        stage.browser.see("What you can do").await;
        stage.browser.press("The numbers").await;
        stage.examine("tenant-connection").await;
        stage.browser.press("Disconnect…").await;
        stage.browser.see("This is what will happen").await;
        stage.examine("tenant-disconnect").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_is_announced() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        let console = stage.console().await;
        stage.open(&format!("{console}/members")).await;
        stage.browser.press("Change").await;
        stage.browser.see("Nothing was changed: somebody has to own it").await;
        stage.examine("members-last-owner").await;

        stage.open(&format!("{console}/onboarding-links")).await;
        stage.browser.fill("email_domain", "ann@example.com").await;
        stage.browser.press("Make the invitation").await;
        stage.browser.see("There is a problem").await;
        let announced = "return [document.activeElement.getAttribute('role'), document.title.startsWith('Error: ')]";
        assert_eq!(stage.browser.look(announced).await, json!(["alert", true]));
        let described = "const field = document.getElementById('email_domain');
            return field.getAttribute('aria-invalid') === 'true'
                && field.getAttribute('aria-describedby').split(' ').every((id) => document.getElementById(id) !== null)";
        assert_eq!(stage.browser.look(described).await, json!(true));
        stage.examine("onboarding-links-wrong").await;

        stage.browser.fill("email_domain", "example.com").await;
        stage.browser.press("Make the invitation").await;
        stage.browser.see("The invitation is made").await;
        stage.examine("onboarding-links-made").await;
        stage.browser.press("Withdraw…").await;
        stage.browser.see("This is what will happen").await;
        stage.examine("onboarding-link-withdraw").await;
    })
    .await;
}

#[tokio::test]
async fn the_console_needs_no_mouse() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        let console = stage.console().await;
        stage.open(&format!("{console}/organizations")).await;
        // Past the rail in one step.
        stage.tab_to_and_press("Skip to content").await;
        stage.tab_to("Search").await;
        stage.write("riv").await;
        stage.browser.see("organization that fits").await;
        stage.tab_to_and_press("Rivera Supplies").await;
        // The filters name products, too.
        stage.tab_to_and_press("Zoho Assist of Sam").await;
        stage.tab_to_and_press("Test the connection").await;
        stage.browser.see("Tested just now").await;
        stage.tab_to_and_press("Audit").await;
        stage.browser.see("Connection tested").await;
        stage.tab_to("Refused or failed").await;
        stage.write("Ref").await;
        stage.browser.see("Nothing fits").await;
        stage.tab_to_and_press("Show all").await;
        stage.browser.see("Connection tested").await;
        stage.tab_to_and_press("Members").await;
        stage.tab_to_and_press("Leave").await;
        stage.browser.see("This is what will happen").await;
    })
    .await;
}

impl Stage {
    async fn write(&self, text: &str) {
        self.browser.driver.action_chain().send_keys(text).perform().await.expect("keys");
    }
}

#[tokio::test]
async fn a_list_follows_what_is_typed_and_a_button_does_the_same() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        let console = stage.console().await;
        stage.open(&format!("{console}/organizations")).await;
        stage.browser.look("window.here = true").await;
        stage.browser.fill("search", "nobody").await;
        stage.browser.see("Nothing fits").await;
        stage.browser.fill("search", "RIVERA").await;
        stage.browser.see("1 organization that fits").await;
        let address = format!("{}{console}/organizations?search=RIVERA&sort=trouble", stage.demo.url);
        stage.browser.arrive(&address).await;
        assert_eq!(stage.browser.look("return window.here").await, json!(true), "the page was not loaded anew");
        stage.open(&format!("{console}/audit")).await;
        stage.browser.choose("action", "connected").await;
        stage.browser.see("What fits, newest first").await;

        stage.browser.switch_scripts_off().await;
        stage.open(&format!("{console}/organizations")).await;
        let search = stage.browser.find(By::Id("search")).await;
        search.send_keys("nobody").await.expect("a field");
        stage.browser.press("Show").await;
        stage.browser.see("Nothing fits").await;
        stage.browser.press("Show all").await;
        stage.browser.see("Rivera Supplies").await;
    })
    .await;
}

#[tokio::test]
async fn whoever_administers_two_tenants_switches_between_them() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        let console = stage.console().await;
        let invitation = stage.invitation_to("acme", "Acme Field Service").await;
        stage.browser.go(&invitation).await;
        stage.browser.press("Connect Zoho CRM at Zoho").await;
        stage.browser.press("Accept").await;
        stage.browser.press("Yes, connect it").await;
        stage.browser.see("is connected to Acme Field Service").await;
        stage.open(&format!("{console}/organizations")).await;
        stage.browser.see("Zoho Assist").await;
        assert!(!stage.browser.words().await.contains("Zoho CRM 6"), "the other tenant's stays there");
        stage.browser.press_at(By::Css(".switch summary")).await;
        stage.examine("tenant-switcher").await;
        stage.browser.press("Acme Field Service").await;
        stage.browser.see("Zoho CRM").await;
        let here = "return document.querySelector('.switch [aria-current]').textContent";
        assert_eq!(stage.browser.look(here).await, json!("Acme Field Service"));
    })
    .await;
}

/// Zoomed to twice its size, a desktop has the width of a large phone.
#[tokio::test]
async fn twice_the_size_nothing_scrolls_sideways() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        let console = stage.console().await;
        for page in
            ["organizations", "connections", "members", "onboarding-links", "api-keys", "webhooks", "audit", "import"]
        {
            stage.open(&format!("{console}/{page}")).await;
            stage.browser.resize(640, 450).await;
            let scrolls = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
            assert_eq!(stage.browser.look(scrolls).await, json!(false), "{page}");
        }
    })
    .await;
}
