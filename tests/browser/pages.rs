//! A tour of every page a person can come to, each examined (`appearance`).

use serde_json::json;

use crate::{Stage, on_stage};

#[tokio::test]
async fn pages_on_the_way_in() {
    on_stage(async |stage| {
        stage.open("/").await;
        stage.examine("sign-in").await;
        themes(stage).await;
        stage.browser.press("Log in with Zoho").await;
        stage.browser.see("Who are you?").await;
        stage.examine("emulator-sign-in").await;
        stage.pick_person("eu", "ann@example.com").await;
        stage.browser.see("Which organization?").await;
        stage.examine("emulator-consent").await;
        stage.browser.press("Reject").await;
        stage.browser.see("You said no at Zoho").await;
        stage.examine("problem-access-denied").await;

        for (path, name) in [
            ("/api/docs", "api-docs"),
            ("/api/docs/connections", "api-calls"),
            ("/api/docs/types/Connection", "api-type"),
            ("/problems", "problems"),
            ("/problems/zoho-throttled", "problem-zoho-throttled"),
            ("/problems/zoho-misconfigured", "problem-zoho-misconfigured"),
            ("/problems/needs-reconnect", "problem-needs-reconnect"),
            ("/no/such/page", "404"),
            ("/logout", "405"),
            ("/connections", "sign-in-first"),
        ] {
            stage.open(path).await;
            stage.examine(name).await;
        }

        // A state that this browser never had: the address is emptied, so that it does not stay in the history.
        stage.open("/oauth/callback?code=1000.a.b&state=nobody-began-this-in-this-browser-0123456789").await;
        stage.arrive("/problems/attempt-refused").await;
        stage.examine("callback-refused").await;
        stage.browser.forget_everything().await;
        a_slow_zoho_is_waited_for(stage).await;
    })
    .await;
}

/// Both are painted, by preference of the system and by the switch, which is remembered.
async fn themes(stage: &Stage) {
    stage.browser.prefer("light").await;
    let light = stage.background().await;
    stage.browser.prefer("dark").await;
    let dark = stage.background().await;
    assert_ne!(light, dark);
    stage.browser.press("System theme").await;
    stage.browser.see("Light theme").await;
    assert_eq!(stage.background().await, light);
    stage.open("/").await;
    assert_eq!(stage.background().await, light);
    stage.browser.press("Light theme").await;
    stage.browser.press("Dark theme").await;
    stage.browser.see("System theme").await;
    assert_eq!(stage.background().await, dark);
}

#[tokio::test]
async fn pages_of_a_signed_in_person() {
    on_stage(async |stage| {
        stage.open("/").await;
        stage.browser.press("Sign in only").await;
        stage.pick_person("eu", "bea@example.com").await;
        stage.browser.press("Accept").await;
        stage.browser.see("Nothing is connected yet").await;
        stage.examine("connections-none").await;

        stage.connect("assist").await;
        stage.browser.see("is connected").await;
        stage.examine("connections-one").await;
        stage.connect("salesiq").await;
        stage.browser.see("Which organization is this for?").await;
        stage.examine("choice-listed").await;
        stage.connect("zia_agents").await;
        stage.browser.see("Organization id").await;
        stage.examine("choice-typed").await;
        stage.browser.fill("organization", "no number").await;
        stage.browser.press("Use this organization").await;
        stage.browser.see("There is a problem").await;
        stage.examine("choice-typed-wrong").await;
        stage.connect("crm").await;
        stage.arrive("/connections").await;
        stage.browser.see("waits for your choice").await;
        stage.examine("connections-many").await;
        a_form_of_another_session_is_refused(stage).await;

        stage.browser.press("Zoho Assist").await;
        stage.browser.see("What you can do").await;
        stage.examine("connection").await;
        stage.browser.press("Disconnect…").await;
        stage.browser.see("This is what will happen").await;
        stage.examine("disconnect").await;
        stage.browser.press("Disconnect Novak Group").await;
        stage.browser.see("Rights it had").await;
        stage.examine("connection-disconnected").await;
    })
    .await;
}

async fn a_form_of_another_session_is_refused(stage: &mut Stage) {
    stage.browser.look("document.querySelectorAll('[name=csrf]').forEach((field) => { field.value = 'old'; })").await;
    stage.browser.press("Connect at Zoho").await;
    stage.browser.see("This form is too old").await;
    stage.examine("403").await;
    stage.browser.press("To your connections").await;
    stage.arrive("/connections").await;
}

/// The page says what goes on, shows nothing of the code in its address, and goes on by itself.
async fn a_slow_zoho_is_waited_for(stage: &Stage) {
    let slow = json!({ "listener": "accounts:us", "path": "/oauth/v2/token", "count": 1, "act": { "delay_ms": 7000 } });
    stage.demo.tell_emulator("/control/faults", slow).await;
    stage.sign_in_at_zoho("us", "sam@example.com").await;
    stage.browser.press("Accept").await;
    stage.browser.see("Finishing your sign-in at Zoho").await;
    let address = stage.browser.address().await;
    assert!(!address.contains('?'), "neither code nor state while waiting: {address}");
    stage.arrive("/connections").await;
    stage.browser.see("is connected").await;
}
