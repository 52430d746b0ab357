//! A server that keeps what it is told and misbehaves on demand, byte by byte.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What happens once a request has been read.
#[derive(Clone)]
pub(super) enum Then {
    /// These bytes, then the end of the connection.
    Say(String),
    /// These bytes, and a reset instead of an answer to the next request of the same connection.
    SayOnce(String),
    Silence,
    Reset,
    /// These bytes, then the others for ever; at once, or one piece every 10 ms.
    Endless(&'static str, &'static str, Duration),
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// An answer with a length.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> Then {
    Then::Say(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()))
}

pub(super) fn json(body: &str) -> Then {
    answer("200 OK", "Content-Type: application/json\r\n", body)
}

impl Server {
    pub async fn start(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    seen.lock().unwrap().connections += 1;
                    tokio::spawn(serve(stream, Arc::clone(&seen), then.clone()));
                }
            }
        });
        Self { address, seen }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// Whatever arrived, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub fn request(&self) -> String {
        let [request] = self.requests().try_into().expect("one request");
        request
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>, then: Then) {
    let request = read_request(&mut stream).await;
    seen.lock().unwrap().requests.push(request);
    match then {
        Then::Say(bytes) => {
            stream.write_all(bytes.as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
        Then::SayOnce(bytes) => {
            stream.write_all(bytes.as_bytes()).await.ok();
            let request = read_request(&mut stream).await;
            seen.lock().unwrap().requests.push(request);
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
        // Until the client gives up.
        Then::Silence => drop(stream.read_to_end(&mut Vec::new()).await),
        Then::Reset => SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap(),
        Then::Endless(first, piece, pause) => {
            let mut written = stream.write_all(first.as_bytes()).await;
            while written.is_ok() {
                if !pause.is_zero() {
                    tokio::time::timeout(pause, std::future::pending::<()>()).await.ok();
                }
                written = stream.write_all(piece.as_bytes()).await;
            }
        }
    }
}

/// A head and as much body as it announces; of what is no HTTP, the first piece.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if count == 0 || !text.starts_with(|first: char| first.is_ascii_uppercase()) {
            return text;
        }
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
    }
}
