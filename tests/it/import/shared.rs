//! One refresh token in several connections: whoever ends one must not end it for the others.

use std::time::Duration;

use super::*;

const ID: &str = "1000.SELFCLIENTOFANNXXXXXXXXXXXXXXXXX";
const SECRET: &str = "5e1fc11e4700000000000000000000000000000001";
const BOTH: &str = "AaaServer.profile.READ,ZohoAssist.userapi.READ,SalesIQ.portals.READ";

const RECEIPTS: &str = "select concat_ws(' ', reason, outcome) from revocation order by created_at, revocation_id";

impl Office {
    /// With a second tenant, `globex`.
    async fn with_globex() -> Self {
        let office = Self::open().await;
        let globex = json!({"external_id": "globex", "name": "Globex", "slug": "globex"});
        assert_eq!(office.post("/tenants", globex).await.0, 201);
        office
    }

    async fn end(&self, connection: &Value) -> String {
        let (status, told) = self.delete(&connection["id"]).await;
        assert_eq!(status, 200, "{told}");
        told["revoked_at_zoho"].as_str().unwrap().to_owned()
    }

    /// Asks for an access token, an hour later: Zoho has to grant another one.
    async fn works(&self, connection: &Value) -> bool {
        self.app.advance(Duration::from_secs(3600)).await;
        let reader = self.key("{tokens:read}", None).await;
        let url = format!("/api/v1/connections/{}/access-token", connection["id"].as_str().unwrap());
        let url = format!("http://{}{url}", self.app.address(0));
        self.http.get(url).bearer_auth(reader).send().await.unwrap().status() == 200
    }
}

#[tokio::test]
async fn a_self_clients_token_that_is_two_products_lives_until_the_last_one_ends() {
    let office = Office::open().await;
    let client = json!({"client_id": ID, "redirect_uris": [], "secrets": {"eu": SECRET}, "data_centres": ["eu"]});
    office.app.zoho.call(Method::POST, "/control/clients", client).await;
    let code = office.code(BEA, BOTH, json!({"client_id": ID})).await;
    let form = [("grant_type", "authorization_code"), ("client_id", ID), ("client_secret", SECRET), ("code", &code)];
    let url = format!("{}/oauth/v2/token", office.app.accounts("eu"));
    let granted: Value = office.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    let token = granted["refresh_token"].clone();
    let scopes: Vec<&str> = BOTH.split(',').collect();
    let imported = async |product: &str, organization: Option<Value>| {
        let mut members = json!({"refresh_token": token, "client": {"id": ID, "secret": SECRET}, "product": product});
        members["scopes"] = json!(scopes);
        if let Some(organization) = organization {
            members["organization"] = json!({"id": organization});
        }
        office.import(members).await
    };
    let (status, assist) = imported("assist", None).await;
    assert_eq!(status, 201, "{assist}");
    let (status, refused) = imported("salesiq", None).await;
    assert_eq!(status, 400, "{refused}");
    let named = detail(&(status, refused)).split(": ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let (status, salesiq) = imported("salesiq", Some(json!(named))).await;
    assert_eq!(status, 201, "{salesiq}");
    assert_ne!(assist["id"], salesiq["id"]);

    assert_eq!(office.end(&assist).await, "shared");
    assert!(office.works(&salesiq).await, "the other one lives");
    assert!(office.app.zoho.requests("/oauth/v2/token/revoke").await.is_empty());
    assert_eq!(office.end(&assist).await, "shared", "the receipt stays");
    assert_eq!(office.audited().await.iter().filter(|event| *event == "engine left_at_zoho shared").count(), 1);
    assert_eq!(office.end(&salesiq).await, "yes");
    assert!(office.live(BEA).await.is_empty());
    let receipts = "select concat_ws(' ', outcome, (token_sealed is null)::text) from revocation order by created_at";
    assert_eq!(office.app.database.column(receipts).await, ["shared true", "yes true"]);
    let digests = "select count(refresh_token_digest)::text from connection";
    assert_eq!(office.app.database.text(digests).await, "0", "nothing tells of a token that is gone");
}

#[tokio::test]
async fn another_token_for_one_of_two_tenants_leaves_it_to_the_other() {
    let office = Office::with_globex().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let newer = office.refresh_token(ANN, ASSIST, json!({})).await;
    let (_, acme) = office.import(json!({"refresh_token": token})).await;
    let (status, globex) = office.import(json!({"refresh_token": token, "tenant": "globex"})).await;
    assert_eq!(status, 201, "{globex}");
    assert_eq!(office.import(json!({"refresh_token": newer})).await.0, 200);
    office.app.advance(Duration::from_secs(301)).await;
    wait_for("the receipt", || async {
        (office.app.database.column(RECEIPTS).await == ["superseded shared"]).then_some(())
    })
    .await;
    assert!(office.works(&globex).await);
    assert_eq!(office.end(&globex).await, "yes");
    assert_eq!(office.live(ANN).await, [newer]);
    assert_eq!(office.end(&acme).await, "yes");
    assert!(office.live(ANN).await.is_empty());
}

#[tokio::test]
async fn of_two_that_end_at_once_the_last_one_revokes() {
    let office = Office::with_globex().await;
    for _ in 0..5 {
        let token = office.refresh_token(ANN, ASSIST, json!({})).await;
        let (_, acme) = office.import(json!({"refresh_token": token})).await;
        let (_, globex) = office.import(json!({"refresh_token": token, "tenant": "globex"})).await;
        office.app.zoho.forget_journal().await;
        let (one, other) = tokio::join!(office.end(&acme), office.end(&globex));
        let mut told = [one, other];
        told.sort();
        // Each may have found the other one gone already; Zoho takes the second word for it.
        assert!([["shared", "yes"], ["already", "yes"], ["yes", "yes"]].contains(&[&*told[0], &*told[1]]), "{told:?}");
        assert!(office.live(ANN).await.is_empty());
    }
}

#[tokio::test]
async fn a_token_that_waits_to_be_revoked_and_comes_back_in_another_tenant_lives() {
    let office = Office::with_globex().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let (_, acme) = office.import(json!({"refresh_token": token})).await;
    office.app.zoho.fault(json!({"path": "/oauth/v2/token/revoke", "act": {"status": 503, "html": "down"}})).await;
    assert_eq!(office.end(&acme).await, "pending");
    let (_, globex) = office.import(json!({"refresh_token": token, "tenant": "globex"})).await;
    office.app.zoho.clear_faults().await;
    assert!(office.works(&globex).await);
    wait_for("the receipt", || async { (office.end(&acme).await == "shared").then_some(()) }).await;
    assert!(office.works(&globex).await);
}

#[tokio::test]
async fn a_dead_connection_holds_nothing() {
    let office = Office::with_globex().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let (_, acme) = office.import(json!({"refresh_token": token})).await;
    office.import(json!({"refresh_token": token, "tenant": "globex"})).await;
    let dead = "update connection set status = 'needs_reconnect', status_reason = 'revoked'
                from tenant where tenant.tenant_id = connection.tenant_id and slug = 'globex'";
    office.app.database.execute(dead).await;
    assert_eq!(office.end(&acme).await, "yes");
    assert!(office.live(ANN).await.is_empty());
}

#[tokio::test]
async fn r26_a_token_that_the_version_before_writes_is_not_taken_for_the_one_it_replaces() {
    let office = Office::open().await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    office.import(json!({"refresh_token": token})).await;
    let known = "select count(refresh_token_digest)::text from connection";
    assert_eq!(office.app.database.text(known).await, "1");
    office
        .app
        .database
        .execute("update connection set scopes_granted = scopes_granted, refresh_token_sealed = refresh_token_sealed")
        .await;
    assert_eq!(office.app.database.text(known).await, "1", "the same token");
    office.app.database.execute("update connection set refresh_token_sealed = '\\x01ff'").await;
    assert_eq!(office.app.database.text(known).await, "0");
}
