//! A TCP proxy that misbehaves on demand, to stand before Postgres or before an emulated host.
//!
//! A fault holds for all connections from the moment it is set, at the next bytes that pass. One fault knows Postgres's
//! protocol: [`Fault::CutAfterCommitOf`] lets a statement and the commit that makes it last through, and resets the
//! client's connection before the acknowledgement returns, so that the client cannot know (security.md R-3).

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Every chunk, in both directions.
    Latency(Duration),
    /// One byte at a time towards the client, with this pause.
    Drip(Duration),
    /// Connections are accepted and read from; nothing is passed on.
    BlackHole,
    /// The client is told that no more will come; what it says still passes.
    HalfClose,
    /// RST at the next bytes.
    Reset,
    /// RST after so many more bytes towards the client.
    CutAfter(u64),
    /// Once: RST in place of the acknowledgement of the commit of the first statement that holds this text.
    CutAfterCommitOf(&'static str),
}

#[derive(Debug)]
pub struct FaultProxy {
    pub port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    fault: Mutex<Fault>,
    passed: AtomicU64,
    cuts: AtomicU64,
    stop: CancellationToken,
}

impl Shared {
    fn fault(&self) -> Fault {
        *self.fault.lock().expect("no panic while it is held")
    }
}

impl FaultProxy {
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            fault: Mutex::new(Fault::None),
            passed: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            stop: CancellationToken::new(),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(connect(Arc::clone(&shared), client, port));
                }
            })
        };
        Self { port: own, shared, accepting }
    }

    pub fn set(&self, fault: Fault) {
        self.shared.passed.store(0, Ordering::SeqCst);
        *self.shared.fault.lock().expect("no panic while it is held") = fault;
    }

    /// How often a connection was reset on purpose.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.shared.stop.cancel();
    }
}

/// One connection; both directions end together.
async fn connect(shared: Arc<Shared>, client: TcpStream, port: u16) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let ended = shared.stop.child_token();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let watched = Arc::new(AtomicBool::new(false));
    let there = Statements {
        shared: Arc::clone(&shared),
        watched: Arc::clone(&watched),
        by_name: HashMap::new(),
        rest: Vec::new(),
        started: false,
    };
    let back = Acknowledgements { shared, watched, held: Vec::new(), rest: Vec::new() };
    tokio::select! {
        () = ended.cancelled() => {}
        _ = back.pump(from_server, to_client) => {}
        _ = there.pump(from_client, to_server) => {}
    }
}

/// From client to server: which statement is run is known from Parse and Bind.
#[derive(Debug)]
struct Statements {
    shared: Arc<Shared>,
    watched: Arc<AtomicBool>,
    by_name: HashMap<Vec<u8>, Vec<u8>>,
    rest: Vec<u8>,
    started: bool,
}

impl Statements {
    async fn pump(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let size = from.read(&mut buffer).await?;
            if size == 0 {
                to.shutdown().await?;
                return std::future::pending().await;
            }
            self.observe(&buffer[..size]);
            match self.shared.fault() {
                Fault::BlackHole => continue,
                Fault::Latency(pause) => tokio::time::sleep(pause).await,
                _ => {}
            }
            to.write_all(&buffer[..size]).await?;
        }
    }

    /// Reads along; what is not Postgres's protocol finds no message.
    fn observe(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        loop {
            let head = usize::from(self.started);
            let Some(length) = length_at(&self.rest, head) else { return };
            if self.rest.len() < head + length {
                return;
            }
            let message: Vec<u8> = self.rest.drain(..head + length).collect();
            if !self.started {
                // A request for TLS comes first, and is declined by the server.
                self.started = message[4..8] != 80_877_103_u32.to_be_bytes();
                continue;
            }
            let mut texts = message[5..].split(|byte| *byte == 0);
            let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
            match message[0] {
                b'P' => drop(self.by_name.insert(first.to_vec(), second.to_vec())),
                b'B' => {
                    let statement = self.by_name.get(second).cloned().unwrap_or_default();
                    self.watch(&statement);
                }
                b'Q' => self.watch(first),
                _ => {}
            }
        }
    }

    fn watch(&self, statement: &[u8]) {
        if let Fault::CutAfterCommitOf(text) = self.shared.fault()
            && statement.windows(text.len()).any(|part| part == text.as_bytes())
        {
            self.watched.store(true, Ordering::SeqCst);
        }
    }
}

/// From server to client: held back while a watched statement may be about to be acknowledged.
#[derive(Debug)]
struct Acknowledgements {
    shared: Arc<Shared>,
    watched: Arc<AtomicBool>,
    held: Vec<u8>,
    rest: Vec<u8>,
}

impl Acknowledgements {
    async fn pump(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let size = from.read(&mut buffer).await?;
            if size == 0 {
                return to.shutdown().await;
            }
            let bytes = &buffer[..size];
            if self.watched.load(Ordering::SeqCst) {
                self.held.extend_from_slice(bytes);
                match self.transaction_is_open(bytes) {
                    None => continue,
                    Some(true) => {
                        to.write_all(&std::mem::take(&mut self.held)).await?;
                        continue;
                    }
                    Some(false) => {
                        self.shared.fault.lock().expect("no panic while it is held").clone_from(&Fault::None);
                        return self.reset(&to);
                    }
                }
            }
            match self.shared.fault() {
                Fault::BlackHole => {}
                Fault::Reset => return self.reset(&to),
                Fault::HalfClose => to.shutdown().await?,
                Fault::Latency(pause) => {
                    tokio::time::sleep(pause).await;
                    to.write_all(bytes).await?;
                }
                Fault::Drip(pause) => {
                    for byte in bytes {
                        to.write_all(&[*byte]).await?;
                        tokio::time::sleep(pause).await;
                    }
                }
                Fault::CutAfter(most) => {
                    let before = self.shared.passed.fetch_add(size as u64, Ordering::SeqCst);
                    let left = usize::try_from(most.saturating_sub(before)).unwrap_or(usize::MAX);
                    to.write_all(&bytes[..size.min(left)]).await?;
                    if left < size {
                        return self.reset(&to);
                    }
                }
                Fault::None | Fault::CutAfterCommitOf(_) => to.write_all(bytes).await?,
            }
        }
    }

    /// What the last complete ReadyForQuery says; `None` if there was none yet.
    fn transaction_is_open(&mut self, bytes: &[u8]) -> Option<bool> {
        self.rest.extend_from_slice(bytes);
        let mut open = None;
        while let Some(length) = length_at(&self.rest, 1) {
            if self.rest.len() < 1 + length {
                break;
            }
            let message: Vec<u8> = self.rest.drain(..=length).collect();
            if message[0] == b'Z' {
                open = Some(message[5] != b'I');
            }
        }
        open
    }

    fn reset(&self, to: &OwnedWriteHalf) -> io::Result<()> {
        self.shared.cuts.fetch_add(1, Ordering::SeqCst);
        SockRef::from(to.as_ref()).set_linger(Some(Duration::ZERO))
    }
}

fn length_at(bytes: &[u8], head: usize) -> Option<usize> {
    let length = bytes.get(head..head + 4)?;
    usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok().filter(|length| *length >= 4)
}
