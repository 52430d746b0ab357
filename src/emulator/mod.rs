//! Zoho in miniature: accounts servers, consent pages and product APIs of all eleven data centres on loopback ports.
//!
//! A product of its own, for anybody who develops against Zoho. It shares nothing with the rest of the crate and answers
//! in literal JSON, so that a client is tested against Zoho's words and not against its own. What is enforced, which
//! dialects there are, and how the control port moves clock and faults is described in docs/emulator.md.

mod accounts;
mod answer;
mod clock;
mod control;
mod data_centre;
mod faults;
mod journal;
mod ledger;
mod listener;
mod products;
mod request;
mod sample;
mod scopes;
mod server;
mod settings;
mod state;
mod world;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use tokio::task::JoinHandle;

pub use sample::{ClientOptions, SamplePerson, sample_client};

use data_centre::DataCentre;
use listener::{Addresses, Listener};
use settings::Settings;
use state::{First, Shared};
use world::World;

/// How an emulator is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// `Some(9100)`: control on 9100, accounts servers from 9101, API and product hosts from 9201, in the order us eu in au
    /// jp ca sa uk cn ae sg. `None`: whatever ports are free.
    pub base_port: Option<u16>,
    /// Consent without a page.
    pub auto_approve: bool,
    /// Where everything issued survives a restart.
    pub state_file: Option<PathBuf>,
    pub clients: Vec<ClientOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self { base_port: None, auto_approve: false, state_file: None, clients: vec![sample_client()] }
    }
}

/// A running emulator; it stops when told to, or when dropped.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
    saving: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Binds all ports and answers from then on.
    ///
    /// # Errors
    /// If a port is taken, or the state file cannot be read.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (addresses, sockets) = Addresses::bind(options.base_port)?;
        let clients = options.clients.iter().map(Into::into).collect();
        let first = First {
            world: World { people: sample::people().into(), clients },
            settings: Settings { auto_approve: options.auto_approve, ..Settings::default() },
        };
        let shared = Arc::new(Shared::open(addresses, first, options.state_file)?);
        let (handling, connecting) = (shared.clone(), shared.clone());
        let mut server = HttpServer::new(move || {
            let shared = web::Data::new(handling.clone());
            App::new().app_data(shared).default_service(web::to(server::handle))
        })
        .on_connect(move |connection, extensions| server::on_connect(&connecting, connection, extensions))
        .workers(2)
        .shutdown_timeout(0)
        // Longer than clients keep idle connections: a close that crosses a request would look like a fault.
        .keep_alive(Duration::from_mins(2))
        .client_request_timeout(Duration::from_secs(30))
        .disable_signals();
        for socket in sockets {
            server = server.listen(socket)?;
        }
        let server = server.run();
        let handle = server.handle();
        let running = tokio::spawn(server);
        let saving = shared.is_saved().then(|| tokio::spawn(keep_saved(shared.clone())));
        tokio::task::yield_now().await;
        Ok(Self { shared, server: handle, running, saving })
    }

    #[must_use]
    pub fn control_url(&self) -> String {
        self.shared.addresses.url(Listener::Control)
    }

    /// The accounts server of a data centre, by key; empty for a key that Zoho does not have.
    #[must_use]
    pub fn accounts_url(&self, data_centre: &str) -> String {
        DataCentre::from_key(data_centre).map(|place| self.shared.addresses.accounts(place)).unwrap_or_default()
    }

    /// The API domain and product host of a data centre, by key.
    #[must_use]
    pub fn api_url(&self, data_centre: &str) -> String {
        DataCentre::from_key(data_centre).map(|place| self.shared.addresses.api(place)).unwrap_or_default()
    }

    /// All hosts as a TOML table per data centre.
    #[must_use]
    pub fn servers_toml(&self) -> String {
        self.shared.addresses.servers_toml()
    }

    /// Everybody one can sign in as.
    #[must_use]
    pub fn people(&self) -> Vec<SamplePerson> {
        self.shared.read().world.people.iter().map(Into::into).collect()
    }

    /// Stops answering and writes the state file.
    pub async fn stop(mut self) {
        self.server.stop(false).await;
        let _ = tokio::time::timeout(Duration::from_secs(1), &mut self.running).await;
        if let Some(saving) = self.saving.take() {
            saving.abort();
            let _ = saving.await;
        }
        let shared = self.shared.clone();
        let saved = tokio::task::spawn_blocking(move || shared.save()).await;
        if let Ok(Err(error)) = saved {
            tracing::error!(%error, "the emulator's state was not saved");
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The order to stop is sent by the call itself; the future only waits for it.
        drop(self.server.stop(false));
        if let Some(saving) = self.saving.take() {
            saving.abort();
        }
    }
}

/// Writes the state file soon after a change, and not more often than a large ledger can bear.
async fn keep_saved(shared: Arc<Shared>) {
    let mut saved = shared.changes();
    let mut pause = Duration::from_millis(200);
    loop {
        tokio::time::sleep(pause).await;
        let changes = shared.changes();
        if changes == saved {
            continue;
        }
        let writing = shared.clone();
        let began = tokio::time::Instant::now();
        match tokio::task::spawn_blocking(move || writing.save()).await {
            Ok(Ok(())) => saved = changes,
            Ok(Err(error)) => tracing::error!(%error, "the emulator's state was not saved"),
            Err(_) => return,
        }
        pause = Duration::from_millis(200).max(began.elapsed() * 10);
    }
}
