//! A host outside the servers table. It must see no TCP connection at all.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::net::{TcpListener, TcpStream};

use super::wait_for;

pub struct Outside {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
}

impl Outside {
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        Self { address, seen }
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Connections are accepted in their order: once ours was, none before it was missed.
    pub async fn assert_untouched(&self) {
        let before = self.seen.load(Ordering::SeqCst);
        TcpStream::connect(self.address).await.unwrap();
        wait_for("our own connection", || async { (self.seen.load(Ordering::SeqCst) > before).then_some(()) }).await;
        assert_eq!(self.seen.swap(0, Ordering::SeqCst), 1, "an outside host was contacted");
    }
}
