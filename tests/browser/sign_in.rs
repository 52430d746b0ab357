//! Signing in, by clicking through Zoho's pages (design.md §4).

use thirtyfour::By;

use crate::{Stage, on_stage};

impl Stage {
    /// From the sign-in page to the consent page, as this person.
    pub(crate) async fn sign_in_at_zoho(&self, data_centre: &str, email: &str) {
        self.browser.go(&self.demo.url).await;
        self.browser.press("Log in with Zoho").await;
        self.pick_person(data_centre, email).await;
    }

    pub(crate) async fn pick_person(&self, data_centre: &str, email: &str) {
        let person = self.demo.person(data_centre, email);
        self.browser.press_at(By::Css(format!("button[name='person'][value='{person}']"))).await;
    }

    /// The whole way for somebody of whom Zoho asks no organization.
    pub(crate) async fn sign_in(&self, data_centre: &str, email: &str) {
        self.sign_in_at_zoho(data_centre, email).await;
        self.browser.press("Accept").await;
        self.arrive("/connections").await;
    }

    /// The address bar shows this path of ours and nothing else.
    pub(crate) async fn arrive(&self, path: &str) {
        self.browser.arrive(&format!("{}{path}", self.demo.url)).await;
    }

    pub(crate) async fn open(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.demo.url)).await;
    }

    pub(crate) async fn sign_out(&self) {
        self.browser.press_at(By::Css("details.account > summary".to_owned())).await;
        self.browser.press("Sign out").await;
        self.browser.see("You are signed out").await;
    }
}

#[tokio::test]
async fn s31_people_of_four_regions_sign_in_by_clicking() {
    on_stage(async |stage| {
        for (data_centre, email, region, organization) in [
            ("us", "sam@example.com", "United States", "Rivera Supplies"),
            ("eu", "sam@example.com", "Europe", "Lindqvist AB"),
            ("in", "isha@example.com", "India", "Patel Exports"),
            ("ca", "chloe@example.com", "Canada", "Érablière Tremblay"),
        ] {
            stage.sign_in(data_centre, email).await;
            for words in [format!("Zoho Assist for {organization} is connected"), region.to_owned()] {
                stage.browser.see(&words).await;
            }
            stage.sign_out().await;
            stage.open("/connections").await;
            stage.browser.see("Log in to go on").await;
            stage.browser.forget_everything().await;
        }
        of_three_organizations_the_second(stage).await;
    })
    .await;
}

/// Zoho's consent page asks, and what the person picks is what is connected.
async fn of_three_organizations_the_second(stage: &Stage) {
    stage.sign_in_at_zoho("eu", "ann@example.com").await;
    let at_zoho = stage.browser.address().await;
    assert!(at_zoho.starts_with("http://127.0.0.1:"), "another site than ours: {at_zoho}");
    stage.browser.press_at(By::Css("input[name='organization'][value='77000001']".to_owned())).await;
    stage.browser.press("Accept").await;
    stage.arrive("/connections").await;
    stage.browser.see("Zoho Assist for Zylker Labs is connected").await;
    assert!(!stage.browser.words().await.contains("Zillum"));
}

#[tokio::test]
async fn refusing_leads_to_a_page_with_a_way_on() {
    on_stage(async |stage| {
        stage.sign_in_at_zoho("us", "sam@example.com").await;
        stage.browser.press("Reject").await;
        stage.arrive("/problems/access-denied").await;
        stage.browser.see("You said no at Zoho").await;
        stage.browser.press("To the sign-in page").await;
        stage.browser.press("Sign in only").await;
        stage.browser.press("Accept").await;
        stage.arrive("/connections").await;
        stage.browser.see("Nothing is connected yet").await;
    })
    .await;
}

#[tokio::test]
async fn everything_works_without_scripts() {
    on_stage(async |stage| {
        stage.browser.switch_scripts_off().await;
        stage.sign_in("ca", "chloe@example.com").await;
        stage.browser.press("Zoho Assist").await;
        stage.browser.press("Disconnect…").await;
        stage.browser.press("Disconnect Érablière Tremblay").await;
        stage.browser.see("Disconnected").await;
        stage.browser.press("Connect again at Zoho").await;
        stage.browser.press("Accept").await;
        stage.browser.see("Working").await;
        stage.sign_out().await;
    })
    .await;
}
