//! Webhook endpoints: added, copied, tested, switched off and deleted. The name of the receiver never resolves: nothing
//! leaves this machine.

use thirtyfour::By;

use crate::on_stage;

#[tokio::test]
async fn an_endpoint_is_added_tested_and_deleted() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.browser.press("Webhooks of").await;
        stage.browser.see("Nobody is told yet").await;
        stage.examine("webhooks-none").await;

        stage.browser.fill("url", "http://hooks.invalid/zoho").await;
        stage.browser.press("Add the endpoint").await;
        stage.browser.see("There is a problem").await;
        stage.examine("webhooks-wrong").await;

        stage.browser.fill("url", "https://hooks.invalid/zoho").await;
        stage.browser.press("Add the endpoint").await;
        stage.browser.see("The endpoint is added").await;
        let secret = stage.browser.look("return document.getElementById('new-secret').value").await;
        assert!(secret.as_str().is_some_and(|secret| secret.starts_with("whsec_")));
        stage.examine("webhooks-added").await;

        stage.browser.press("Send a test event").await;
        stage.browser.see("What it is told of").await;
        let page = stage.browser.address().await;
        stage
            .browser
            .until("it was tried", async || {
                stage.browser.go(&page).await;
                Ok(stage.browser.words().await.contains("The name is not known"))
            })
            .await;
        stage.browser.press("What is sent").await;
        stage.browser.see("webhook_endpoint_id").await;
        stage.examine("webhook").await;
        stage.browser.press("Change its address or what it is told of").await;
        stage.browser.fill("url", "http://hooks.invalid/elsewhere").await;
        stage.examine("webhook-change").await;
        stage.browser.press("Change the endpoint").await;
        stage.browser.see("There is a problem").await;
        stage.examine("webhook-change-wrong").await;
        stage.browser.fill("url", "https://hooks.invalid/elsewhere").await;
        stage.browser.press("Change the endpoint").await;
        stage.browser.see("https://hooks.invalid/elsewhere").await;
        stage.browser.press("Switch it off").await;
        stage.browser.see("It is switched off").await;
        stage.examine("webhook-off").await;
        stage.browser.press_at(By::Css("a[href$='/delete']")).await;
        stage.browser.see("This is what will happen").await;
        stage.examine("webhook-delete").await;
        stage.browser.press("Delete the endpoint").await;
        stage.browser.see("Nobody is told yet").await;
    })
    .await;
}
