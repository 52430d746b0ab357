//! The connection to the database breaks after a commit, before its acknowledgement (security.md R-3).

use std::time::Duration;

use login_with_zoho::emulator::sample_client;
use reqwest::Method;
use serde_json::json;

use super::{Installation, installation::PUBLIC_URL, land};
use crate::harness::{
    ANN, BEA, Backend, Told,
    fault_proxy::{Fault, FaultProxy},
};

async fn in_doubt(statement: &'static str) {
    let site = Installation::prepare().await;
    let proxy = FaultProxy::before(site.postgres.port()).await;
    let url = site.postgres.url().replace(&format!(":{}/", site.postgres.port()), &format!(":{}/", proxy.port));
    let replica = site.replica_with("one", &[("DATABASE_URL", &url)]).await;
    let (visitor, callback) = site.consented(&[&replica], BEA).await;
    proxy.set(Fault::CutAfterCommitOf(statement));
    let landed = land(&visitor, &callback, Duration::from_secs(40)).await;
    assert_eq!(proxy.cuts(), 1, "the fault struck");
    assert_eq!(landed, "/connections");
    assert!(visitor.is_signed_in().await);
    site.until_connections("active", Duration::from_secs(5)).await;
    assert_eq!(site.ask("select stage from login_attempt").await, "settled");
    assert_eq!(site.ask("select count(*) from token_escrow").await, "0");
    assert_eq!(site.ask("select count(*) from browser_session").await, "1");
    assert_eq!(site.ask("select count(*) from revocation").await, "0");
    let twice = "select action || ' ' || count(*) from audit_event group by action, connection_id having count(*) > 1";
    assert_eq!(site.ask(twice).await, "", "one audit event each");
    assert_ne!(site.ask("select action from audit_event").await, "");
    assert_eq!(site.exchanges().await, 1, "a code is presented once");
    assert_eq!(site.live_refresh_tokens().await, 1, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_whether_an_attempt_was_taken_is_in_doubt() {
    in_doubt("insert into login_attempt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_whether_a_grant_was_kept_is_in_doubt() {
    in_doubt("insert into token_escrow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_whether_an_attempt_was_settled_is_in_doubt() {
    in_doubt("delete from token_escrow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_whether_an_import_was_settled_is_in_doubt() {
    let site = Installation::prepare().await;
    let proxy = FaultProxy::before(site.postgres.port()).await;
    let url = site.postgres.url().replace(&format!(":{}/", site.postgres.port()), &format!(":{}/", proxy.port));
    let replica = site.replica_with("one", &[("DATABASE_URL", &url)]).await;
    let grants = ["connections:write", "connections:read"];
    let (back_end, insert) = Backend::new(&PUBLIC_URL.parse().expect("a URL"), vec![replica.address()], None, &grants);
    site.execute(
        "insert into tenant (tenant_id, name, slug, created_at) values (gen_random_uuid(), 'Acme', 'acme', now())",
    )
    .await;
    site.execute(&insert).await;
    let client = sample_client();
    let token = refresh_token(&site, &client.client_id, &client.secrets["eu"]).await;
    let scopes = SCOPES.split(',').collect::<Vec<_>>();
    let body =
        json!({"tenant": "acme", "product": "assist", "data_centre": "eu", "scopes": scopes, "refresh_token": token});
    proxy.set(Fault::CutAfterCommitOf("set token_calls"));
    let request = back_end.request(Method::POST, "/api/v1/connections").json(&body);
    let told = Told::read(request.send().await.expect("an answer")).await;
    assert_eq!(proxy.cuts(), 1, "the fault struck");
    assert_eq!(told.status, 201, "it was not there before: {}", told.text);
    assert_eq!(site.ask("select cardinality(token_calls) from connection").await, "1", "one refresh");
    assert_eq!(site.ask("select action from audit_event where actor_kind = 'api_key'").await, "imported");
}

const SCOPES: &str = "AaaServer.profile.READ,ZohoAssist.userapi.READ";

/// One that somebody else had of our client.
async fn refresh_token(site: &Installation, client_id: &str, secret: &str) -> String {
    let made = site.zoho.call(Method::POST, "/control/approve", json!({"person": ANN, "scope": SCOPES})).await;
    let code = made["code"].as_str().expect("a code").to_owned();
    let servers = std::fs::read_to_string(site.directory.path().join("servers.toml")).expect("the table of hosts");
    let servers: toml::Table = servers.parse().expect("TOML");
    let accounts = servers["eu"]["accounts"].as_str().expect("a URL");
    let form =
        [("grant_type", "authorization_code"), ("client_id", client_id), ("client_secret", secret), ("code", &code)];
    let answer = site.http.post(format!("{accounts}/oauth/v2/token")).form(&form).send().await.expect("an answer");
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
