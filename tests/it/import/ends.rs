//! `DELETE /connections/{id}`: unusable at once, revoked with a receipt.

use super::*;

async fn imported(office: &Office) -> Value {
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let (status, connection) = office.import(json!({"refresh_token": token})).await;
    assert!(status < 300, "{connection}");
    connection["id"].clone()
}

#[tokio::test]
async fn a_connection_ends_and_zoho_confirms() {
    let office = Office::open().await;
    let id = imported(&office).await;
    assert_eq!(office.delete(&id).await, (200, json!({"status": "disconnected", "revoked_at_zoho": "yes"})));
    assert!(office.live(ANN).await.is_empty());
    let (_, connection) = office.get(&format!("/connections/{}", id.as_str().unwrap())).await;
    assert_eq!(connection["status"], "disconnected");
    assert_eq!(office.delete(&id).await, (200, json!({"status": "disconnected", "revoked_at_zoho": "already"})));
    let audited = office.audited().await;
    assert_eq!(audited.iter().filter(|event| *event == "api_key disconnected done").count(), 1, "{audited:?}");

    let again = imported(&office).await;
    assert_eq!(again, id, "it comes back under its own id");
    let person = json!({"person": ANN});
    office.app.zoho.call(Method::POST, "/control/grants/revoke", person).await;
    assert_eq!(office.delete(&id).await.1["revoked_at_zoho"], "already");
}

#[tokio::test]
async fn r27_what_zoho_does_not_confirm_is_pending_and_the_token_can_be_had_back() {
    let office = Office::open().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let (_, connection) = office.import(json!({"refresh_token": token})).await;
    office.app.zoho.fault(json!({"path": "/oauth/v2/token/revoke", "act": {"status": 503, "html": "down"}})).await;
    let (status, told) = office.delete(&connection["id"]).await;
    assert_eq!((status, &told["revoked_at_zoho"]), (200, &json!("pending")));
    assert_eq!(office.delete(&connection["id"]).await.1["revoked_at_zoho"], "pending", "still");
    office.app.zoho.clear_faults().await;
    office.app.advance(std::time::Duration::from_secs(3600)).await;
    office.wait_for_live(ANN, 0).await;
    wait_for("the receipt", || async {
        (office.delete(&connection["id"]).await.1["revoked_at_zoho"] == "already").then_some(())
    })
    .await;
}
