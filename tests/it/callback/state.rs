//! The state: whose browser, which age, how often.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn s2_whatever_is_wrong_with_a_state_one_constant_page_says_so_and_nothing_happens() {
    let app = App::start().await;
    let sam = app.visitor();
    let good = callback(&sam, SAM).await;
    let state = parameter(&good, "state").unwrap();
    let flipped = format!("{}{}", if state.starts_with('A') { 'B' } else { 'A' }, &state[1..]);
    let before = app.database.row_counts().await;
    let mut pages = Vec::new();
    for wrong in [None, Some(""), Some(&state[..42]), Some(&flipped), Some("a".repeat(43).as_str())] {
        pages.push(sam.come_back(&with_parameter(&good, "state", wrong)).await);
    }
    pages.push(sam.request(reqwest::Method::GET, &good).without_cookies().send().await);
    let (name, value) = sam.cookie("lwz_attempt_").unwrap();
    for altered in [value[1..].to_owned(), format!("{value}A"), String::new(), value.replace(&value[20..24], "AAAA")] {
        let browser = sam.copy();
        browser.put_cookie(&name, &altered);
        pages.push(browser.come_back(&good).await);
    }
    for page in &pages {
        assert_refused(page);
        assert_eq!(without_ids(&page.text), without_ids(&pages[0].text));
    }
    assert!(pages[0].has("/login") || pages[0].has("href=\"/\""), "a way to begin again:\n{}", pages[0].text);
    assert_eq!(app.database.row_counts().await, before);
    assert_eq!(exchanges(&app).await, 0);
    assert_eq!(sam.come_back(&good).await.location(), "/connections");
}

#[tokio::test]
async fn s2_an_attempt_counts_for_600_seconds_of_shared_time() {
    let app = App::start().await;
    let (quick, slow) = (app.visitor(), app.visitor());
    app.zoho.settings(serde_json::json!({"limits": {"code_seconds": 3600}})).await;
    let (in_time, late) = (callback(&quick, SAM).await, callback(&slow, SAM).await);
    app.advance(Duration::from_secs(600)).await;
    assert_eq!(quick.come_back(&in_time).await.location(), "/connections");
    app.advance(Duration::from_secs(1)).await;
    assert_refused(&slow.come_back(&late).await);
    assert_eq!(exchanges(&app).await, 1);
}

#[tokio::test]
async fn s2_a_cookie_of_a_key_that_is_gone_does_not_open_and_one_of_an_older_key_does() {
    const OLD: &str = "old:ZnVydGhlcm1vcmVfYW5vdGhlcl9rZXlfb2ZfMzJfYnk=";
    let old = OLD.parse::<login_with_zoho::settings::EncryptionKeys>().unwrap();
    let both = format!("new:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=,{OLD}");
    let both = both.parse::<login_with_zoho::settings::EncryptionKeys>().unwrap();
    let before = App::builder().config(move |config| config.encryption_keys = old.clone()).start().await;
    let after = App::builder().config(move |config| config.encryption_keys = both.clone()).start().await;
    let gone = App::start().await;
    let sealed_before = before.visitor();
    let state = parameter(&sealed_before.begin("/login").await, "state").unwrap();
    let (name, value) = sealed_before.cookie("lwz_attempt_").unwrap();
    for (app, status) in [(&gone, 400), (&after, 303)] {
        let browser = app.visitor();
        browser.put_cookie(&name, &value);
        browser.come_back(&format!("/oauth/callback?error=access_denied&state={state}")).await.assert_status(status);
    }
}

#[tokio::test]
async fn s3_a_stranger_can_neither_use_nor_burn_a_callback() {
    let app = App::start().await;
    let (sam, stranger) = (app.visitor(), app.visitor());
    let url = callback(&sam, SAM).await;
    let of_their_own = stranger.begin("/login").await;
    assert_refused(&stranger.come_back(&url).await);
    assert!(parameter(&of_their_own, "state").is_some());
    assert_eq!(exchanges(&app).await, 0);
    let landing = sam.come_back(&url).await;
    assert_eq!(landing.location(), "/connections");
    assert!(landing.session_cookie().is_some());
    assert!(!stranger.is_signed_in().await);
}

#[tokio::test]
async fn s8_the_first_code_delivered_with_a_state_is_the_only_one() {
    let app = App::start().await;
    let sam = app.visitor();
    let consent = sam.begin("/login").await;
    let first = sam.go_to_zoho(&consent, SAM).await;
    let second = sam.go_to_zoho(&consent, SAM).await;
    assert_eq!(sam.come_back(&first).await.location(), "/connections");
    assert_refused(&sam.come_back(&second).await);
    assert_eq!(exchanges(&app).await, 1);
    let unused = parameter(&second, "code").unwrap();
    assert_eq!(app.zoho.ledger(&format!("kind=code&state=live&value={unused}")).await.len(), 1);
}

#[tokio::test]
async fn s8_a_code_seen_under_another_state_is_not_presented_again() {
    let app = App::start().await;
    let sam = app.visitor();
    let (first, second) = (callback(&sam, SAM).await, callback(&sam, SAM).await);
    assert_eq!(sam.come_back(&first).await.location(), "/connections");
    let code = parameter(&first, "code").unwrap();
    assert_refused(&sam.come_back(&with_parameter(&second, "code", Some(&code))).await);
    assert_refused(&sam.come_back(&second).await);
    assert_eq!(exchanges(&app).await, 1);
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await.len(), 1);
}

#[tokio::test]
async fn s8_the_verifier_is_sent_and_a_code_of_another_challenge_connects_nothing() {
    let app = App::start().await;
    let (sam, thief) = (app.visitor(), app.visitor());
    let stolen = parameter(&callback(&sam, SAM).await, "code").unwrap();
    let own = callback(&thief, BEA).await;
    let landing = thief.come_back(&with_parameter(&own, "code", Some(&stolen))).await;
    // The thief's data centre is another one: there the code is unknown.
    assert_eq!(landing.location(), "/problems/code-expired");
    let stolen = parameter(&callback(&sam, SAM).await, "code").unwrap();
    let own = callback(&thief, SAM).await;
    let landing = thief.come_back(&with_parameter(&own, "code", Some(&stolen))).await;
    assert_eq!(landing.location(), "/problems/code-expired");
    assert_eq!(landing.session_cookie(), None);
    let calls = app.zoho.token_calls().await;
    assert!(calls.iter().all(|call| call.form["code_verifier"].len() == 43), "{calls:?}");
    assert_eq!(app.database.count("connection").await, 0);
    assert_eq!(app.database.count("browser_session").await, 0);
}
