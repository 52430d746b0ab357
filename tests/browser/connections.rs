//! What a signed-in person does with connections.

use thirtyfour::By;

use crate::{Stage, on_stage};

impl Stage {
    /// From `/connections` to the consent page for another product.
    async fn ask_for(&self, product: &str) {
        self.open("/connections").await;
        self.browser.choose("product", product).await;
        self.browser.press("Connect at Zoho").await;
    }

    /// The same, and consent.
    pub(crate) async fn connect(&self, product: &str) {
        self.ask_for(product).await;
        self.browser.press("Accept").await;
    }

    /// The same where Zoho's consent page asks for the organization.
    async fn connect_at(&self, product: &str, organization: &str) {
        self.ask_for(product).await;
        self.browser.press_at(By::Css(format!("input[name='organization'][value='{organization}']"))).await;
        self.browser.press("Accept").await;
    }
}

#[tokio::test]
async fn a_disconnected_connection_comes_back_as_the_same_one() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.browser.press_at(By::Css("table.list tbody a".to_owned())).await;
        stage.browser.see("Details").await;
        let connection = stage.browser.address().await;

        stage.browser.press("Disconnect…").await;
        stage.browser.see("This is what will happen").await;
        stage.browser.press("Keep it").await;
        stage.browser.arrive(&connection).await;
        stage.browser.press("Disconnect…").await;
        stage.browser.press("Disconnect Rivera Supplies").await;
        stage.browser.arrive(&connection).await;
        stage.browser.see("Disconnected").await;
        stage
            .browser
            .until("Zoho's receipt is there", async || {
                stage.browser.driver.refresh().await?;
                Ok(stage.browser.words().await.contains("Disconnected, and confirmed by Zoho"))
            })
            .await;

        stage.browser.press("Connect again at Zoho").await;
        stage.browser.press("Accept").await;
        stage.browser.arrive(&connection).await;
        stage.browser.see("Working").await;
        stage.browser.see("Reconnected: consent given at Zoho once more").await;
        stage.open("/connections").await;
        stage.browser.see("Connections 1").await;
    })
    .await;
}

#[tokio::test]
async fn the_person_says_which_organization() {
    on_stage(async |stage| {
        stage.sign_in("eu", "bea@example.com").await;
        one_of_several(stage).await;
        one_that_zoho_does_not_tell(stage).await;
        stage.browser.forget_everything().await;
        three_environments(stage).await;
    })
    .await;
}

/// SalesIQ tells three portals.
async fn one_of_several(stage: &Stage) {
    stage.connect("salesiq").await;
    stage.browser.see("Which organization is this for?").await;
    stage.browser.press_at(By::Css("input[name='organization'][value='novakshop']".to_owned())).await;
    stage.browser.press("Use this organization").await;
    stage.browser.see("Working").await;
    stage.open("/connections").await;
    stage.browser.see("Portal novakshop").await;
    assert!(!stage.browser.words().await.contains("Portal novaklabs"));
}

/// Zia Agents has no call for it.
async fn one_that_zoho_does_not_tell(stage: &Stage) {
    stage.connect("zia_agents").await;
    stage.browser.see("Which organization is this for?").await;
    stage.browser.fill("organization", "not a number").await;
    stage.browser.press("Use this organization").await;
    stage.browser.see("There is a problem").await;
    stage.browser.see("Enter the organization id as Zoho shows it").await;

    stage.browser.fill("organization", "77000010").await;
    stage.browser.fill("name", "Novak agents").await;
    stage.browser.choose("environment", "sandbox").await;
    stage.browser.press("Use this organization").await;
    stage.browser.see("Novak agents").await;
    stage.browser.see("Sandbox").await;
    stage.browser.see("Working").await;
}

/// The environment is known by the API host that Zoho names.
async fn three_environments(stage: &mut Stage) {
    stage.sign_in("in", "isha@example.com").await;
    for (organization, environment) in [("50000001", "Production"), ("50000002", "Sandbox"), ("50000003", "Developer")]
    {
        stage.connect_at("crm", organization).await;
        stage.arrive("/connections").await;
        stage.browser.see(&format!("Patel Exports ({environment})")).await;
    }
    stage.browser.see("Connections 4").await;
    stage.examine("connections-environments").await;
}
