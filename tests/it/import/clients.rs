//! A self client has an id and a secret of its own.

use super::*;

const ID: &str = "1000.SELFCLIENTOFANNXXXXXXXXXXXXXXXXX";
const SECRET: &str = "5e1fc11e4700000000000000000000000000000001";

async fn register(office: &Office, secret: &str) {
    let client = json!({"client_id": ID, "redirect_uris": [], "secrets": {"eu": secret}, "data_centres": ["eu"]});
    office.app.zoho.call(Method::POST, "/control/clients", client).await;
}

async fn own_code(office: &Office) -> String {
    office.code(ANN, ASSIST, json!({"client_id": ID, "organization": "77000000"})).await
}

#[tokio::test]
async fn a_self_clients_code_comes_with_its_own_id_and_secret_kept_sealed() {
    let office = Office::open().await;
    register(&office, SECRET).await;
    let code = own_code(&office).await;
    let client = json!({"id": ID, "secret": SECRET});
    let (status, connection) = office.import(json!({"self_client_code": code, "client": client})).await;
    assert_eq!(status, 201, "{connection}");
    let calls = office.app.zoho.token_calls().await;
    assert_eq!((calls[0].form["client_id"].as_str(), calls[0].form["client_secret"].as_str()), (ID, SECRET));
    let stored = "select client_id || ' ' || (zoho_client_id is not null)::text from connection";
    assert_eq!(office.app.database.text(stored).await, format!("{ID} true"));
    let sealed = "select encode(client_secret_sealed, 'escape') from zoho_client";
    assert!(!office.app.database.text(sealed).await.contains(SECRET));

    // Zoho gave it another secret: the same row has it from the next import on.
    let before = office.app.database.text("select md5(client_secret_sealed) from zoho_client").await;
    let fresh = SECRET.replace('1', "2");
    register(&office, &fresh).await;
    let code = own_code(&office).await;
    let (status, _) = office.import(json!({"self_client_code": code, "client": {"id": ID, "secret": fresh}})).await;
    assert_eq!(status, 200);
    assert_eq!(office.app.database.count("zoho_client").await, 1);
    assert_ne!(office.app.database.text("select md5(client_secret_sealed) from zoho_client").await, before);
}

#[tokio::test]
async fn a_wrong_client_is_misconfigured_and_nothing_of_it_stays() {
    let office = Office::open().await;
    register(&office, SECRET).await;
    for client in [json!({"id": ID, "secret": "wrong"}), json!({"id": "1000.NOBODY", "secret": SECRET})] {
        let code = own_code(&office).await;
        let (status, problem) = office.import(json!({"self_client_code": code, "client": client})).await;
        assert_eq!((status, &problem["type"]), (503, &json!("/problems/zoho-misconfigured")));
    }
    // Right, but the code is our client's.
    let code = office.code(ANN, ASSIST, json!({})).await;
    let refused = office.import(json!({"self_client_code": code, "client": {"id": ID, "secret": SECRET}})).await;
    assert_eq!(members(&refused), ["self_client_code"]);
    assert_eq!(office.app.database.count("zoho_client").await, 0);
}

#[tokio::test]
async fn a_client_of_ones_own_works_where_ours_is_switched_off() {
    let app = App::builder()
        .config(|config| {
            config.zoho.enabled.remove(&"eu".parse().unwrap());
        })
        .start()
        .await;
    let office = Office::of(app).await;
    register(&office, SECRET).await;
    let refused = office.import(json!({"self_client_code": own_code(&office).await})).await;
    assert_eq!(members(&refused), ["data_centre"]);
    let client = json!({"id": ID, "secret": SECRET});
    let code = own_code(&office).await;
    assert_eq!(office.import(json!({"self_client_code": code, "client": client})).await.0, 201);
}
