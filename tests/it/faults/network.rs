//! The network between us and the others: slow, silent, torn (security.md ).

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;

use super::{Installation, browser, installation::PUBLIC_URL, land};
use crate::harness::{
    Backend, SAM,
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

/// An answer, as whoever asked saw it.
struct Seen {
    status: u16,
    says_when: bool,
    took: Duration,
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_no_statement_waits_for_a_silent_database_and_the_pools_are_whole_afterwards() {
    let site = Installation::prepare().await;
    let proxy = FaultProxy::before(site.postgres.port()).await;
    let url = site.postgres.url().replace(&format!(":{}/", site.postgres.port()), &format!(":{}/", proxy.port));
    let replica = site.replica_with("one", &[("DATABASE_URL", &url)]).await;
    let visitor = browser(&[&replica]);
    visitor.sign_in_as(SAM).await.assert_status(303);
    let tenant = site.ask("select tenant_id from tenant").await;
    let (back_end, insert) = Backend::new(
        &PUBLIC_URL.parse().expect("a URL"),
        vec![replica.address()],
        Some(&tenant),
        &["connections:read", "tokens:read"],
    );
    site.execute(&insert).await;
    let slug = site.ask("select slug from tenant").await;
    let connection = site.ask("select connection_id from connection").await;
    // Of every pool something: reads by engine, a tenant's transactions, keys and tokens.
    let pages = ["/connections".to_owned(), format!("/tenants/{slug}/organizations")];
    let calls =
        ["/api/v1/connections".to_owned(), format!("/api/v1/connections/{connection}/access-token?minimum_seconds=0")];
    let ask = async |index: usize| {
        let began = Instant::now();
        let (status, when) = if index.is_multiple_of(2) {
            let page = visitor.get(&pages[index / 2 % 2]).await;
            (page.status, page.header("retry-after").to_owned())
        } else {
            let told = back_end.get(&calls[index / 2 % 2]).await;
            (told.status, told.header("retry-after").to_owned())
        };
        Seen { status, says_when: !when.is_empty(), took: began.elapsed() }
    };
    let over = AtomicBool::new(false);
    let crowd = join_all((0..24).map(async |index| {
        let mut seen = Vec::new();
        while !over.load(Ordering::SeqCst) {
            seen.push(ask(index).await);
        }
        seen
    }));
    let silence = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        proxy.set(Fault::BlackHole);
        // Longer than anything of ours waits.
        tokio::time::sleep(Duration::from_secs(8)).await;
        proxy.set(Fault::None);
        site.until_ready(&replica, true).await;
        over.store(true, Ordering::SeqCst);
    };
    let (seen, ()) = tokio::join!(crowd, silence);
    let seen: Vec<_> = seen.into_iter().flatten().collect();
    assert!(seen.iter().all(|seen| seen.status == 200 || (seen.status == 503 && seen.says_when)));
    assert!(seen.iter().any(|seen| seen.status == 503) && seen.iter().any(|seen| seen.status == 200));
    let slowest = seen.iter().map(|seen| seen.took).max().expect("some");
    assert!(slowest < Duration::from_secs(6), "{slowest:?}");

    // More at once than the pools hold.
    until("all is well again", Duration::from_secs(5), async || {
        let seen = join_all((0..48).map(&ask)).await;
        seen.iter().all(|seen| seen.status == 200).then_some(())
    })
    .await;
}
