//! Where webhooks go: a receiver that answers as a test wants it to, and keeps what it got.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::wait_for;

/// One webhook, as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// `connection.connected`
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }
}

/// How it answers.
#[derive(Debug, Clone)]
pub enum Answer {
    Status(u16),
    /// It answers 200, but only once nobody listens any more.
    TooLate,
    /// Anything; raw.
    Raw(String),
}

#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    got: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Answers 200 until told otherwise.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Self { address, answer: Arc::new(Mutex::new(Answer::Status(200))), got: Arc::default() };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        receiver
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub fn got(&self) -> Vec<Received> {
        self.got.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.got.lock().unwrap().clear();
    }

    /// The kinds of all it got, in their order.
    pub fn kinds(&self) -> Vec<String> {
        self.got().iter().map(Received::kind).collect()
    }

    /// Waits until so many have come, and no more.
    pub async fn until(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} webhooks");
        wait_for(&what, || async { Some(self.got()).filter(|got| got.len() >= count) }).await;
        let got = self.got();
        assert_eq!(got.len(), count, "{:?}", self.kinds());
        got
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(received) = read(&mut stream).await else { return };
        self.got.lock().unwrap().push(received);
        let answer = self.answer.lock().unwrap().clone();
        let text = match answer {
            Answer::Status(status) => format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Answer::TooLate => {
                // The other side closes when it has waited long enough.
                let _gone = stream.read(&mut [0; 1]).await;
                "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n".to_owned()
            }
            Answer::Raw(text) => text,
        };
        let _sent = stream.write_all(text.as_bytes()).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let request = lines.next()?.to_owned();
    assert!(request.starts_with("POST "), "{request}");
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    while bytes.len() < head_end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let path = request.split(' ').nth(1)?.to_owned();
    let body = String::from_utf8(bytes[head_end..].to_vec()).unwrap();
    Some(Received { path, headers, body })
}
