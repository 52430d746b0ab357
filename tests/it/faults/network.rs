//! The network between us and the others: slow, silent, torn (security.md ).

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Installation, browser, land};
use crate::harness::{
    SAM,
    fault_proxy::{Fault, FaultProxy},
    process::until,
};

#[tokio::test(flavor = "multi_thread")]
async fn r14_an_answer_of_zoho_that_does_not_come_whole_ends_on_a_failure_page_in_time() {
    let site = Installation::prepare().await;
    let servers = std::fs::read_to_string(&site.environment["ZOHO_SERVERS"]).expect("ours");
    let table: toml::Table = servers.parse().expect("TOML");
    let accounts = table["us"]["accounts"].as_str().expect("an address");
    let port = url::Url::parse(accounts).expect("a URL").port().expect("a port");
    let proxy = FaultProxy::before(port).await;
    let file = site.directory.path().join("proxied.toml");
    std::fs::write(&file, servers.replace(accounts, &format!("http://127.0.0.1:{}", proxy.port))).expect("written");
    // Its own address is not the one that we know it by here.
    site.zoho.settings(json!({"callback": {"accounts_server": false}})).await;
    let replica = site.replica_with("one", &[("ZOHO_SERVERS", file.to_str().expect("text"))]).await;

    let failed = "/problems/zoho-unavailable";
    for (index, (fault, landing)) in [
        (Fault::Latency(Duration::from_millis(200)), "/connections"),
        (Fault::Reset, failed),
        (Fault::CutAfter(60), failed),
        (Fault::HalfClose, failed),
        (Fault::BlackHole, failed),
        (Fault::Drip(Duration::from_millis(200)), failed),
    ]
    .into_iter()
    .enumerate()
    {
        proxy.set(Fault::None);
        let (visitor, callback) = site.consented(&[&replica], SAM).await;
        proxy.set(fault);
        let began = Instant::now();
        assert_eq!(land(&visitor, &callback, Duration::from_secs(25)).await, landing, "{fault:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{fault:?}: {:?}", began.elapsed());
        assert!(site.exchanges().await <= index + 1, "{fault:?}: a code is presented once");
    }
    assert_eq!(site.connections().await, "active");
    assert_eq!(site.ask("select count(*) from token_escrow").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_a_database_that_falls_silent_is_an_outage_and_not_a_wait() {
    let site = Installation::prepare().await;
    let proxy = FaultProxy::before(site.postgres.port()).await;
    let url = site.postgres.url().replace(&format!(":{}/", site.postgres.port()), &format!(":{}/", proxy.port));
    let replica = site.replica_with("one", &[("DATABASE_URL", &url)]).await;
    let (visitor, callback) = site.consented(&[&replica], SAM).await;
    proxy.set(Fault::BlackHole);
    until("nobody is sent to consent", Duration::from_secs(3), async || {
        (browser(&[&replica]).get("/login").await.status == 503).then_some(())
    })
    .await;
    let began = Instant::now();
    let refused = visitor.get(&callback).await;
    refused.assert_status(503);
    assert_ne!(refused.header("retry-after"), "");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(site.exchanges().await, 0);

    proxy.set(Fault::None);
    site.until_ready(&replica, true).await;
    assert_eq!(land(&visitor, &callback, Duration::from_secs(30)).await, "/connections");
}
