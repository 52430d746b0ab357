//! Invitations, as a webhook tells of them.

use super::*;
use crate::harness::receiver::Receiver;

#[tokio::test]
async fn who_has_connected_and_who_has_refused_is_told_by_webhook() {
    let site = Inviting::of(App::builder().config(|config| config.webhooks_to_loopback = true)).await;
    let receiver = Receiver::listen().await;
    let back_end = site.app.backend(&["webhooks:write", "connections:read"]).await;
    let wanted = json!({"url": receiver.url("/"), "events": ["onboarding.completed", "onboarding.refused"]});
    let made = back_end.request(Method::POST, "/api/v1/webhook-endpoints").json(&wanted).send().await.unwrap();
    assert_eq!(made.status(), 201);

    let (link, bea) = (site.invite("assist", PLAIN).await, site.app.visitor());
    consent(&bea, &link, BEA).await;
    confirm(&bea, &link, &[]).await;
    let data = receiver.until(1).await[0].json()["data"].clone();
    assert_eq!((&data["onboarding_link_id"], &data["status"]), (&json!(link.id), &json!("active")));
    assert_eq!(data["id"], site.told(&link).await["connection_id"]);

    let wishes = [("expected_email_domain", "elsewhere.example")];
    let (link, sam) = (site.invite("crm", &wishes).await, site.app.visitor());
    consent(&sam, &link, SAM).await;
    let refused = receiver.until(2).await.remove(1);
    assert_eq!(refused.kind(), "onboarding.refused");
    assert_eq!(refused.json()["data"]["onboarding_link_id"], link.id);
    assert!(refused.json()["data"]["reason"].is_string());
}
