//! The demo keeps what was connected, until told to forget.

use thirtyfour::By;

use crate::on_stage;

#[tokio::test]
async fn a_restarted_demo_knows_its_connections_and_a_fresh_one_does_not() {
    on_stage(async |stage| {
        stage.sign_in("in", "isha@example.com").await;
        stage.browser.press_at(By::Css("table.list tbody a".to_owned())).await;
        stage.browser.see("Details").await;
        let connection = stage.browser.address().await;

        stage.demo.restart(&[]);
        stage.browser.go(&connection).await;
        stage.browser.see("Patel Exports").await;
        stage.browser.see("Working").await;

        stage.demo.restart(&["--fresh"]);
        stage.open("/").await;
        stage.browser.see("Log in with Zoho").await;
        stage.browser.forget_everything().await;
        stage.sign_in("in", "isha@example.com").await;
        stage.browser.see("Connections 1").await;
        stage.browser.go(&connection).await;
        stage.browser.see("There is nothing here").await;
    })
    .await;
}
