//! One try of one delivery, over the network (security.md S-72).
//!
//! - A name is resolved once for each try, by a resolver that answers only if every address may be called:
//!   the connection goes to what was judged, and nothing is resolved in between. An address that stands
//!   in the URL itself is judged here, for no resolver is asked for it.
//! - No redirect, no proxy, no second try, no connection kept for another endpoint; TLS is checked.
//! - 5 s from the first byte sent to the head of the answer; of its body at most 64 KB are read, and
//!   dropped.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect, retry,
};

use crate::{
    domain::webhook_target::{WebhookTarget, may_be_called},
    zoho::TlsUnavailable,
};

const TIMEOUT: Duration = Duration::from_secs(5);
const MOST_READ: usize = 64 * 1024;

/// What is sent.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    pub(super) timestamp: i64,
    pub(super) signatures: &'a str,
    pub(super) body: String,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The URL, or what its name stands for, may not be called.
    NotPublic,
    Unresolved,
    Unreachable,
    TooSlow,
    BrokenOff,
}

impl Unanswered {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::NotPublic => "not_public",
            Self::Unresolved => "unresolved",
            Self::Unreachable => "unreachable",
            Self::TooSlow => "timeout",
            Self::BrokenOff => "broken_off",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Sender {
    http: Client,
    to_loopback: bool,
}

impl Sender {
    pub(super) fn new(to_loopback: bool) -> Result<Self, TlsUnavailable> {
        let http = Client::builder()
            .user_agent("login-with-zoho")
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(TIMEOUT)
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(Judging { to_loopback }))
            .build()
            .map_err(TlsUnavailable)?;
        Ok(Self { http, to_loopback })
    }

    /// The status of the answer, and how long it took.
    pub(super) async fn send(&self, url: &str, message: Message<'_>) -> (Result<u16, Unanswered>, Duration) {
        let started = Instant::now();
        let answer = tokio::time::timeout(TIMEOUT, self.answer(url, message)).await;
        let took = started.elapsed();
        let answer = match answer.unwrap_or(Err(Unanswered::TooSlow)) {
            Ok(answer) => answer,
            Err(unanswered) => return (Err(unanswered), took),
        };
        let status = answer.status().as_u16();
        // Whoever is still writing is listened to for a moment; what it says does not count.
        let _ignored = tokio::time::timeout(TIMEOUT.saturating_sub(took), drain(answer)).await;
        (Ok(status), took)
    }

    async fn answer(&self, url: &str, message: Message<'_>) -> Result<Response, Unanswered> {
        let target = WebhookTarget::parse(url, self.to_loopback).map_err(|_| Unanswered::NotPublic)?;
        let sent = self
            .http
            .post(target.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signatures)
            .body(message.body)
            .send()
            .await;
        sent.map_err(|error| why(&error))
    }
}

async fn drain(mut answer: Response) {
    let mut read = 0;
    while let Ok(Some(piece)) = answer.chunk().await {
        read += piece.len();
        if read > MOST_READ {
            return;
        }
    }
}

fn why(error: &reqwest::Error) -> Unanswered {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(refused) = current.downcast_ref::<NotResolved>() {
            return match refused {
                NotResolved::NotPublic => Unanswered::NotPublic,
                NotResolved::Unknown(_) => Unanswered::Unresolved,
            };
        }
        cause = current.source();
    }
    if error.is_timeout() {
        Unanswered::TooSlow
    } else if error.is_connect() {
        Unanswered::Unreachable
    } else {
        Unanswered::BrokenOff
    }
}

/// The system's resolver, whose answers are judged.
#[derive(Debug, Clone, Copy)]
struct Judging {
    to_loopback: bool,
}

#[derive(Debug, thiserror::Error)]
enum NotResolved {
    #[error("the name stands for an address that is not public")]
    NotPublic,
    #[error("the name is not known")]
    Unknown(#[source] Option<io::Error>),
}

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let to_loopback = self.to_loopback;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let addresses: Vec<SocketAddr> = found.map_err(|error| NotResolved::Unknown(Some(error)))?.collect();
            Ok(judged(addresses, to_loopback)?)
        })
    }
}

/// All of them or none: who mixes a public address with another one has something in mind.
fn judged(addresses: Vec<SocketAddr>, to_loopback: bool) -> Result<Addrs, NotResolved> {
    if addresses.is_empty() {
        return Err(NotResolved::Unknown(None));
    }
    if addresses.iter().all(|address| may_be_called(address.ip(), to_loopback)) {
        Ok(Box::new(addresses.into_iter()))
    } else {
        Err(NotResolved::NotPublic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message<'static> {
        Message { id: "id", timestamp: 0, signatures: "v1,", body: "{}".to_owned() }
    }

    #[test]
    fn s72_one_address_that_is_not_public_spoils_the_name() {
        let at = |ip: &str| SocketAddr::new(ip.parse().expect("an address"), 0);
        assert!(judged(vec![at("8.8.8.8"), at("2606:4700::1111")], false).is_ok());
        for other in ["10.0.0.1", "127.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254"] {
            assert!(judged(vec![at("8.8.8.8"), at(other)], false).is_err(), "{other}");
        }
        assert!(judged(vec![at("127.0.0.1")], true).is_ok());
        assert!(judged(Vec::new(), true).is_err());
    }

    #[tokio::test]
    async fn s72_a_name_that_leads_home_is_never_contacted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        listener.set_nonblocking(true).expect("it can be asked");
        // The address passes only here: the URL named no address to judge.
        let sender = Sender::new(false).expect("TLS");
        let answer = sender.http.get(format!("http://localhost:{port}/")).send().await;
        assert_eq!(why(&answer.expect_err("refused")), Unanswered::NotPublic);
        for url in [format!("https://127.0.0.1:{port}/"), format!("https://localhost:{port}/")] {
            assert_eq!(sender.send(&url, message()).await.0, Err(Unanswered::NotPublic), "{url}");
        }
        assert!(listener.accept().is_err(), "nobody came");
    }
}
