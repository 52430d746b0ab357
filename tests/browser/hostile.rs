//! Zoho's text is only ever text (security.md S-65).

use thirtyfour::By;

use crate::on_stage;

#[tokio::test]
async fn s65_hostile_names_are_only_text() {
    on_stage(async |stage| {
        stage.sign_in_at_zoho("eu", "odd@example.com").await;
        stage.browser.press_at(By::Css("input[name='organization'][value='77000030']".to_owned())).await;
        stage.browser.press("Accept").await;
        stage.arrive("/connections").await;
        stage.browser.see("<script>alert('Zoho')</script>").await;
        stage.examine("hostile-connections").await;

        stage.browser.press_at(By::Css("table.list tbody a".to_owned())).await;
        stage.browser.see("<b>Odd</b>").await;
        stage.examine("hostile-connection").await;
        stage.browser.press("Disconnect…").await;
        stage.browser.see("Disconnect Zoho Assist for <script>alert('Zoho')</script>?").await;
        stage.examine("hostile-disconnect").await;

        // 300 characters, right to left, and a spreadsheet formula, in one list.
        for organization in ["77000033", "77000031", "77000032"] {
            stage.open("/connections").await;
            stage.browser.press("Connect at Zoho").await;
            stage.browser.press_at(By::Css(format!("input[name='organization'][value='{organization}']"))).await;
            stage.browser.press("Accept").await;
            stage.browser.see("is connected").await;
        }
        stage.examine("hostile-list").await;
        assert!(stage.browser.driver.get_alert_text().await.is_err(), "no dialog is open");
    })
    .await;
}
