//! docs/emulator.md keeps its word: every example of it is run.

use super::*;

/// The part between quotes, or the word, after `flag`.
fn after<'a>(line: &'a str, flag: &str) -> Option<&'a str> {
    let rest = line.split_once(flag)?.1;
    match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next(),
        None => rest.split_whitespace().next(),
    }
}

#[tokio::test]
async fn every_curl_example_succeeds_in_the_order_of_the_document() {
    let zoho = Zoho::start().await;
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/emulator.md")).unwrap();
    let mut count = 0;
    for line in text.lines().filter(|line| line.starts_with("curl ")) {
        let url = line.split_once("http://127.0.0.1:").unwrap().1;
        let url = url.split(['\'', ' ']).next().unwrap();
        let (port, path) = url.split_once('/').unwrap();
        let base = if port == "9100" { zoho.emulator.control_url() } else { zoho.emulator.accounts_url("us") };
        let method = after(line, "-X ").unwrap_or("GET").parse().unwrap();
        let body = after(line, "-d ").unwrap_or_default().to_owned();
        let answer = zoho.http.request(method, format!("{base}/{path}")).body(body).send().await.unwrap();
        assert!([200, 303].contains(&answer.status().as_u16()), "{line}: {}", answer.text().await.unwrap());
        count += 1;
    }
    assert!(count > 25, "{count} examples");
}

#[tokio::test]
async fn every_setting_is_documented() {
    let zoho = Zoho::start().await;
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/emulator.md")).unwrap();
    let settings = zoho.control(Method::GET, "/control/settings", json!({})).await;
    for (name, value) in settings.as_object().unwrap() {
        let members = value.as_object().map(|members| members.keys().map(|member| format!(".{member}`")).collect());
        for word in members.unwrap_or_else(|| vec![format!("`{name}`")]) {
            assert!(text.contains(&word), "{name} {word}");
        }
    }
}
