//! What holds when processes, connections and the database die at the worst moment (security.md §3).
//!
//! These tests run the real program against a Postgres of their own, and end either as crashes do.

mod commit_in_doubt;
mod database_lost;
mod installation;
mod network;
mod pooler;
mod pressure;
mod program_lost;
mod refresh_lost;
mod reset;
mod start;
mod webhook_lost;

use std::time::Duration;

use socket2::SockRef;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

pub use installation::{Installation, browser, encryption_key};

use crate::harness::{
    Visitor,
    process::{Program, until},
};

/// Opens a callback, and the finishing page after it, until it leads somewhere; an outage on the way is waited for.
pub async fn land(visitor: &Visitor, callback: &str, bound: Duration) -> String {
    let mut address = callback.to_owned();
    until("the attempt lands", bound, async || {
        let page = visitor.get(&address).await;
        if page.status != 303 {
            assert!(page.status == 200 || page.status == 503, "{address}: {} {}", page.status, page.text);
            return None;
        }
        page.location().clone_into(&mut address);
        (!address.starts_with("/login/finishing/")).then(|| address.clone())
    })
    .await
}

/// Opens an address and resets the connection once `moment` has come.
async fn reset_at(visitor: &Visitor, replica: &Program, target: &str, moment: impl Future<Output = ()>) {
    let path = target.strip_prefix(installation::PUBLIC_URL).unwrap_or(target);
    let (host, cookies) = (visitor.host(), visitor.cookie_header());
    let mut stream = TcpStream::connect(replica.address()).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    moment.await;
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket");
}
