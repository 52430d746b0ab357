//! Whether this machine can reach the hosts of every data centre that is switched on.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use reqwest::redirect::Policy;

use super::Finding;
use crate::{
    config::Config,
    domain::{data_centre::DataCentre, organization::Environment},
};

const PATIENCE: Duration = Duration::from_secs(3);
const AREA: &str = "zoho";

/// Any answer will do: what counts is that there is a way, with TLS that we trust. As for every
/// call to Zoho, no redirect is followed and no proxy of the environment used (security.md S-18).
pub(super) async fn reach(config: &Config) -> Vec<Finding> {
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            let cure = "install the system's certificates (package ca-certificates)";
            return vec![Finding::wrong(AREA, format!("no TLS on this machine ({error})"), cure)];
        }
    };
    let all = config.zoho.enabled.iter().map(|data_centre| reach_one(&client, config, *data_centre));
    join_all(all).await.into_iter().flatten().collect()
}

/// One line for a data centre that is well, else one for each host that is not.
async fn reach_one(client: &reqwest::Client, config: &Config, data_centre: DataCentre) -> Vec<Finding> {
    let Some(hosts) = config.zoho.servers.hosts(data_centre) else { return Vec::new() };
    let product = hosts.product(config.login_product, Environment::Production);
    let origins: BTreeSet<_> =
        [Some(hosts.accounts.as_str()), Some(hosts.api.as_str()), product].into_iter().flatten().collect();
    let trouble: Vec<_> = join_all(origins.iter().map(|origin| trouble_at(client, data_centre, origin))).await;
    let trouble: Vec<_> = trouble.into_iter().flatten().collect();
    if trouble.is_empty() {
        let all: Vec<_> = origins.into_iter().collect();
        return vec![Finding::well(AREA, format!("{data_centre}: {} answered", all.join(", ")))];
    }
    trouble
}

async fn trouble_at(client: &reqwest::Client, data_centre: DataCentre, origin: &str) -> Option<Finding> {
    match client.head(origin).send().await {
        Ok(answer) if answer.status().is_server_error() => {
            let found = format!("{data_centre}: {origin} answers {}", answer.status().as_u16());
            Some(Finding::wrong(AREA, found, "nothing here: Zoho has an outage, see https://status.zoho.com"))
        }
        Ok(_) => None,
        Err(error) => {
            let found = format!("{data_centre}: {origin} cannot be reached ({})", cause(error));
            let cure = "let this machine connect to that host (name resolution, firewall, certificates), or leave the data centre out of ZOHO_DATA_CENTRES";
            Some(Finding::wrong(AREA, found, cure))
        }
    }
}

/// The innermost reason, which is the one that helps; never the URL.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        return format!("no answer within {} s", PATIENCE.as_secs());
    }
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        command::doctor::Verdict,
        config::{Environment as Variables, Settings},
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    /// A configuration whose only data centre has its hosts there.
    fn config(accounts: &str, api: &str) -> Config {
        let servers = tempfile::NamedTempFile::new().expect("a file");
        let table = format!("[eu]\naccounts = \"{accounts}\"\napi = \"{api}\"\nassist = \"{api}\"\n");
        std::fs::write(&servers, table).expect("a written file");
        let settings = Settings {
            public_url: Some("http://localhost:8080".to_owned()),
            zoho_servers: Some(servers.path().into()),
            zoho_home: Some("eu".to_owned()),
            zoho_client_id: Some("1000.OURS".to_owned()),
            ..Settings::default()
        };
        let key = format!("k1:{}", "A".repeat(43));
        let secrets: Variables = [("ENCRYPTION_KEYS", key.as_str()), ("ZOHO_CLIENT_SECRET", "x")].into_iter().collect();
        Config::read(&settings, &secrets, true).expect("a good configuration")
    }

    #[tokio::test]
    async fn s18_a_host_that_redirects_answers_and_is_not_followed() {
        let host = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", host.local_addr().expect("bound"));
        let target = elsewhere.local_addr().expect("bound");
        let served = tokio::spawn(async move {
            let (mut connection, _) = host.accept().await.expect("a caller");
            let mut request = vec![0; 1024];
            let length = connection.read(&mut request).await.expect("a request");
            let answer = format!("HTTP/1.1 302 Found\r\nLocation: http://{target}/\r\nContent-Length: 0\r\n\r\n");
            connection.write_all(answer.as_bytes()).await.expect("an answer");
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let findings = reach(&config(&origin, &origin)).await;
        assert_eq!(findings, [Finding::well(AREA, format!("eu: {origin} answered"))]);
        assert!(served.await.expect("no panic").starts_with("HEAD / HTTP/1.1"));
        let visit = tokio::time::timeout(Duration::from_millis(50), elsewhere.accept()).await;
        assert!(visit.is_err(), "the redirect was followed");
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_reached_is_named_with_the_reason() {
        let findings = reach(&config("http://127.0.0.1:1", "http://127.0.0.1:2")).await;
        assert_eq!(findings.len(), 2);
        for (finding, origin) in findings.iter().zip(["http://127.0.0.1:1", "http://127.0.0.1:2"]) {
            assert_eq!(finding.verdict, Verdict::Wrong);
            assert!(
                finding.found.starts_with(&format!("eu: {origin} cannot be reached (Connection refused")),
                "{finding}"
            );
        }
    }
}
