//! E-8: the journal.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn e8_requests_are_complete() {
    let zoho = Zoho::start().await;
    zoho.connect(SAM, &[]).await;
    let entries = zoho.journal("listener=accounts:us&path=/oauth/v2/token").await;
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!((&entry["method"], &entry["status"], &entry["kind"]), (&json!("POST"), &json!(200), &json!("request")));
    assert!(entry["body"].as_str().unwrap().contains("grant_type=authorization_code"));
    assert!(
        entry["headers"].as_array().unwrap().contains(&json!(["content-type", "application/x-www-form-urlencoded"]))
    );
    assert_eq!((&entry["query"], &entry["secret_in_request_line"]), (&json!(""), &json!(false)));
}

#[tokio::test]
async fn e8_a_secret_in_a_request_line_is_flagged_by_name_or_by_value() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    zoho.control(Method::DELETE, "/control/journal", json!({})).await;
    let secret = zoho.secret("eu");
    for target in [
        "/x?client_secret=anything",
        &format!("/x?innocent={}", tokens.access),
        &format!("/x?name={secret}"),
        &format!("/x/{}", tokens.refresh),
        "/x?state=1000&scope=a",
    ] {
        zoho.http.get(zoho.accounts("us", target)).send().await.unwrap();
    }
    let entries = zoho.journal("path=/x").await;
    let flags: Vec<bool> = entries.iter().map(|entry| entry["secret_in_request_line"].as_bool().unwrap()).collect();
    assert_eq!(flags, [true, true, true, true, false]);
    assert_eq!((&entries[1]["secret"], &entries[3]["secret"]), (&json!("innocent"), &json!("path")));
}

#[tokio::test]
async fn e8_bare_connections_are_seen() {
    let zoho = Zoho::start().await;
    let address = zoho.emulator.api_url("sg").replace("http://", "");
    let mut bare = TcpStream::connect(&address).await.unwrap();
    bare.write_all(b"GET").await.unwrap();
    for _ in 0..200 {
        if !zoho.journal("listener=api:sg").await.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let entries = zoho.journal("listener=api:sg").await;
    assert_eq!(
        (entries.len(), &entries[0]["kind"], &entries[0]["peer"]),
        (1, &json!("connection"), &json!(bare.local_addr().unwrap().to_string()))
    );
}

#[tokio::test]
async fn e8_the_journal_is_read_in_pieces_and_bounded() {
    let zoho = Zoho::start().await;
    zoho.settings(json!({"journal_limit": 3})).await;
    for number in 0..6 {
        zoho.http.get(zoho.accounts("us", &format!("/number/{number}"))).send().await.unwrap();
    }
    let entries = zoho.journal("").await;
    assert_eq!(entries.len(), 3);
    let last = entries[2]["seq"].as_u64().unwrap();
    assert_eq!(entries[2]["path"], "/number/5");
    assert!(zoho.journal(&format!("after={last}")).await.is_empty());
    assert_eq!(zoho.journal(&format!("after={}&limit=1", last - 2)).await[0]["path"], "/number/4");
}

#[tokio::test]
async fn e8_the_control_port_is_not_journaled() {
    let zoho = Zoho::start().await;
    zoho.control(Method::GET, "/control/settings", json!({})).await;
    assert!(zoho.journal("").await.is_empty());
}
