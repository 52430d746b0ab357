//! With the keyboard alone: everything can be reached, and one sees where one is.

use serde_json::json;
use thirtyfour::prelude::Key;

use crate::{Stage, on_stage};

/// What has the focus, in words, and whether it shows: its own outline, or that of the card around it.
const FOCUS: &str = "
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const shows = (element) => {
        const style = getComputedStyle(element);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    };
    const label = at.closest('label');
    return {
        words: (at.innerText || label?.innerText || at.labels?.[0]?.innerText || at.value || at.id).replace(/\\s+/g, ' ').trim(),
        visible: shows(at) || (label !== null && shows(label)),
    };";

/// More stops than any of these pages has.
const STOPS: usize = 60;

impl Stage {
    async fn key(&self, key: Key) {
        self.browser.driver.action_chain().send_keys(key).perform().await.expect("a key");
    }

    /// Presses Tab until the focus is on what has these words.
    pub(crate) async fn tab_to(&self, words: &str) {
        self.browser.see(words).await;
        for _ in 0..STOPS {
            self.key(Key::Tab).await;
            let focus = self.browser.look(FOCUS).await;
            if focus.is_null() {
                continue;
            }
            assert_eq!(focus["visible"], json!(true), "the focus shows on {focus}");
            if focus["words"].as_str().is_some_and(|found| found.contains(words)) {
                return;
            }
        }
        panic!("Tab does not lead to {words:?} at {}", self.browser.address().await);
    }

    pub(crate) async fn tab_to_and_press(&self, words: &str) {
        self.tab_to(words).await;
        self.key(Key::Enter).await;
    }
}

#[tokio::test]
async fn sign_in_and_choice_need_no_mouse() {
    on_stage(async |stage| {
        stage.browser.go(&stage.demo.url).await;
        stage.tab_to_and_press("Skip to content").await;
        stage.tab_to_and_press("Log in with Zoho").await;
        stage.tab_to_and_press("bea@example.com").await;
        stage.tab_to_and_press("Accept").await;
        stage.arrive("/connections").await;

        stage.open("/login?product=salesiq").await;
        stage.tab_to_and_press("Accept").await;
        stage.tab_to("Portal novak").await;
        stage.key(Key::Down).await;
        stage.tab_to_and_press("Use this organization").await;
        stage.browser.see("Working").await;
        stage.open("/connections").await;
        stage.browser.see("Portal novakshop").await;

        stage.tab_to_and_press("Your account").await;
        stage.tab_to_and_press("Sign out").await;
        stage.browser.see("You are signed out").await;
    })
    .await;
}

#[tokio::test]
async fn a_key_is_made_and_revoked_without_a_mouse() {
    on_stage(async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.tab_to_and_press("API keys of").await;
        stage.tab_to("What it is for").await;
        stage.browser.driver.action_chain().send_keys("ci").perform().await.expect("keys");
        stage.tab_to("connections:read").await;
        stage.key(Key::Space).await;
        stage.tab_to_and_press("Make the key").await;
        stage.tab_to("Copy the key").await;
        stage.tab_to_and_press("Revoke").await;
        stage.tab_to_and_press("Revoke the key").await;
        stage.browser.see("Keys that have ended (1)").await;
    })
    .await;
}
