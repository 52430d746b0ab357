//! API keys: made, copied, revoked; and a connection that is tested.

use serde_json::json;
use thirtyfour::By;

use crate::{Stage, on_stage};

impl Stage {
    /// Ticks the box of this grant.
    async fn grant(&self, grant: &str) {
        self.browser.press_at(By::Css(format!("input[value='{grant}']"))).await;
    }

    async fn shown_key(&self) -> String {
        let value = self.browser.look("return document.getElementById('new-key').value").await;
        value.as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_key_is_made_copied_and_revoked() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.browser.press("API keys of").await;
        stage.browser.see("No program has a key yet").await;
        stage.examine("api-keys-none").await;

        // The browser itself would refuse a form without a name.
        stage.browser.fill("name", "  ").await;
        stage.browser.press("Make the key").await;
        stage.browser.see("There is a problem").await;
        stage.examine("api-keys-wrong").await;

        stage.browser.fill("name", "Nightly sync").await;
        stage.grant("connections:read").await;
        stage.grant("tokens:read").await;
        stage.browser.choose("expires", "30d").await;
        stage.browser.press("Make the key").await;
        stage.browser.see("Copy it now").await;
        let key = stage.shown_key().await;
        assert!(key.starts_with("lwz_") && key.len() == 56, "the shape of a key");
        stage.examine("api-keys-made").await;
        stage.browser.press("Copy the key").await;
        stage
            .browser
            .until("it is copied", async || {
                Ok(stage.browser.look("return document.querySelector('.secret [data-copy]').dataset.status").await
                    == json!("done"))
            })
            .await;
        let pasted = stage.browser.look("return navigator.clipboard.readText().catch(() => null)").await;
        assert!(pasted.is_null() || pasted == json!(key));
        stage.answers(&key, 200).await;

        let page = stage.browser.address().await;
        stage.browser.go(&page).await;
        stage.browser.see("Nightly sync").await;
        assert!(!stage.browser.words().await.contains("Copy it now"), "shown once");
        stage.examine("api-keys-one").await;
        stage.browser.press("Revoke…").await;
        stage.browser.see("This is what will happen").await;
        stage.examine("api-keys-revoke").await;
        stage.browser.press("Keep it").await;
        stage.browser.arrive(&page).await;
        stage.browser.press("Revoke…").await;
        stage.browser.press("Revoke the key").await;
        stage.browser.see("Keys that have ended (1)").await;
        stage.browser.press("Keys that have ended (1)").await;
        stage.browser.see("revoked").await;
        stage.examine("api-keys-ended").await;
        stage.answers(&key, 401).await;
    })
    .await;
}

impl Stage {
    /// What a program with this key is told, within a second.
    pub(crate) async fn answers(&self, key: &str, status: u16) {
        let url = format!("{}/api/v1/connections", self.demo.url);
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        self.browser
            .until(&format!("the key is answered with {status}"), async || {
                let answer = http.get(&url).bearer_auth(key).send().await;
                Ok(answer.is_ok_and(|answer| answer.status() == status))
            })
            .await;
    }
}

#[tokio::test]
async fn a_connection_is_tested_by_a_click() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.browser.press_at(By::Css("table.list tbody a".to_owned())).await;
        stage.browser.press("Test the connection").await;
        stage.browser.see("It works").await;
        stage.browser.see("Tested: it works").await;
        stage.examine("connection-tested").await;

        let away = json!({ "path": "/api/v2/user", "act": { "status": 503 } });
        stage.demo.tell_emulator("/control/faults", away).await;
        let page = stage.browser.address().await;
        stage
            .browser
            .until("the next test is told", async || {
                stage.browser.go(&page).await;
                stage.browser.press("Test the connection").await;
                Ok(stage.browser.words().await.contains("Zoho does not answer"))
            })
            .await;
        stage.browser.see("Tested: Zoho did not answer").await;
        stage.examine("connection-tested-away").await;
    })
    .await;
}
