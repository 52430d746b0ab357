//! The receiving side, by the official library of Standard Webhooks for Python (`scripts/test` installs it).

use std::process::Command;

use super::*;

/// Verifies what it is given with the official library, at the time of the delivery.
const VERIFY: &str = r#"
import datetime, json, sys
import standardwebhooks.webhooks as library

given = json.load(sys.stdin)

class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(given["now"], tz)

library.datetime = Clock
for secret in given["secrets"]:
    try:
        data = library.Webhook(secret).verify(given["body"], given["headers"])
        print("verified", data["type"])
    except library.WebhookVerificationError as refused:
        print("refused", refused)
"#;

/// What the library says of a webhook, with each of these secrets.
fn verify(received: &Received, body: &str, secrets: &[&str], seconds_later: i64) -> Vec<String> {
    let now = received.header("webhook-timestamp").parse::<i64>().unwrap() + seconds_later;
    let given = json!({"headers": received.headers, "body": body, "secrets": secrets, "now": now});
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("given.json");
    std::fs::write(&file, given.to_string()).unwrap();
    let ran = Command::new("python3").args(["-c", VERIFY]).stdin(std::fs::File::open(file).unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        !said.contains("No module named 'standardwebhooks'"),
        "Python's package `standardwebhooks` is missing: scripts/test installs it, or `pip install standardwebhooks`"
    );
    assert!(ran.status.success(), "{said}");
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn s72_the_official_library_verifies_deliveries_and_refuses_what_was_altered() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let endpoint = listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await;
    let secret = endpoint["secret"].as_str().unwrap();
    connect(&app, ISHA).await;
    let got = receiver.until(1).await;
    let (received, body) = (&got[0], got[0].body.as_str());
    assert_eq!(verify(received, body, &[secret], 0), ["verified connection.connected"]);
    let another = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(verify(received, body, &[another], 0), ["refused No matching signature found"]);
    let altered = body.replace("connection.connected", "connection.recovered");
    assert_eq!(verify(received, &altered, &[secret], 0), ["refused No matching signature found"]);
    assert_eq!(verify(received, body, &[secret], 301), ["refused Message timestamp too old"]);
}

#[tokio::test]
async fn s72_after_a_rotation_both_secrets_verify_for_a_day_and_then_the_new_one() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let endpoint = listen_to(&back_end, &receiver.url("/"), &[]).await;
    let path = format!("/webhook-endpoints/{}", id_of(&endpoint));
    let old = endpoint["secret"].as_str().unwrap();
    let rotated = send(&back_end, Method::POST, &format!("{path}/rotate-secret"), None).await.json();
    let new = rotated["secret"].as_str().unwrap();
    assert_ne!(old, new);
    assert_eq!(rotated["previous_secret_until"], "2026-11-22T10:00:00Z");
    let (yes, no) = ("verified webhook.test", "refused No matching signature found");
    for (after, expected) in [(0, [yes, yes]), (86_399, [yes, yes]), (1, [yes, no])] {
        app.advance(Duration::from_secs(after)).await;
        receiver.forget();
        send(&back_end, Method::POST, &format!("{path}/test"), None).await;
        let got = receiver.until(1).await;
        assert_eq!(verify(&got[0], &got[0].body, &[new, old], 0), expected, "{after}");
    }
}
