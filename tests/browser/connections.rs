//! What a signed-in person does with connections.

use thirtyfour::By;

use crate::{Stage, on_stage};

impl Stage {
    /// From `/connections` to the consent page for another product.
    pub(crate) async fn connect(&self, product: &str) {
        self.open("/connections").await;
        self.browser.choose("product", product).await;
        self.browser.press("Connect at Zoho").await;
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
async fn zia_agents_asks_for_the_organization() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.connect("zia_agents").await;
        stage.browser.see("Which organization is this for?").await;

        stage.browser.fill("organization", "not a number").await;
        stage.browser.press("Use this organization").await;
        stage.browser.see("There is a problem").await;
        stage.browser.see("Enter the organization id as Zoho shows it").await;

        stage.browser.fill("organization", "60000001").await;
        stage.browser.fill("name", "Rivera Supplies").await;
        stage.browser.choose("environment", "sandbox").await;
        stage.browser.press("Use this organization").await;
        stage.browser.see("Zia Agents").await;
        stage.browser.see("Sandbox").await;
        stage.browser.see("Working").await;
    })
    .await;
}

#[tokio::test]
async fn the_product_has_several_organizations_and_the_person_picks() {
    on_stage(async |stage| {
        stage.sign_in("eu", "bea@example.com").await;
        stage.connect("salesiq").await;
        stage.browser.see("Which organization is this for?").await;
        stage.browser.press_at(By::Css("input[name='organization'][value='novakshop']".to_owned())).await;
        stage.browser.press("Use this organization").await;
        stage.browser.see("Working").await;
        stage.open("/connections").await;
        stage.browser.see("Portal novakshop").await;
        assert!(!stage.browser.words().await.contains("Portal novaklabs"));
    })
    .await;
}
