//! The program of one test: emulator, database, replicas, all in this process.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::LazyLock,
    time::Duration,
};

use chrono::{DateTime, Utc};
use login_with_zoho::{
    Application, Clock, Config, StartError,
    emulator::{ClientOptions, Emulator, Options, sample_client},
    settings::{ClientSecret, DataCentre, LogFormat, PublicUrl, Servers, ZohoClient},
};
use secrecy::SecretString;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::{Control, Database, Visitor, database};

/// Where the site lives. Not in the test's own runtime: that one stands still while a database is dropped, and
/// Postgres would wait for whoever was just signing in to it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});

/// Where time begins.
const START: &str = "2026-11-21T10:00:00Z";

pub struct App {
    pub zoho: Control,
    pub database: Database,
    pub clock: Clock,
    pub config: Config,
    replicas: Vec<Replica>,
    stop: CancellationToken,
    emulator: Emulator,
}

struct Replica {
    address: SocketAddr,
}

/// The emulator's client, with another secret in each data centre.
pub fn client() -> ClientOptions {
    sample_client()
}

/// The settings of production, for hosts of one's own.
pub fn config(public_url: &str, database_url: SecretString, servers: Servers, client: &ClientOptions) -> Config {
    let secrets = client.secrets.iter().map(|(key, secret)| (key.parse().unwrap(), ClientSecret::new(secret.as_str())));
    Config {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        management_listen: (Ipv4Addr::LOCALHOST, 0).into(),
        public_url: public_url.parse().unwrap(),
        database_url: Some(database_url),
        data_dir: "nowhere".into(),
        encryption_keys: "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".parse().unwrap(),
        zoho: ZohoClient {
            servers,
            home: DataCentre::Us,
            enabled: DataCentre::ALL.into_iter().collect(),
            id: client.client_id.clone(),
            id_cn: Some(client.client_id.clone()),
            secret: None,
            secrets: secrets.collect(),
        },
        login_product: "assist".parse().unwrap(),
        scopes: std::collections::BTreeMap::default(),
        operators: std::collections::BTreeSet::default(),
        return_origins: Vec::new(),
        refreshes_per_10_minutes: 10,
        refresh_tokens_per_person: 20,
        failed_exchanges_per_minute: 0,
        failed_keys_per_minute: 0,
        webhooks_to_loopback: false,
        audit_retention: Duration::from_secs(400 * 86_400),
        trusted_proxies: Vec::new(),
        log_format: LogFormat::Json,
        demo: false,
        web_connections: None,
    }
}

type Change = Box<dyn Fn(&mut Config)>;

/// What a test wants to be different.
#[must_use]
pub struct Builder {
    https: bool,
    replicas: usize,
    auto_approve: bool,
    changes: Vec<Change>,
}

impl Builder {
    /// An https `PUBLIC_URL`, reached as plain HTTP through a trusted proxy.
    pub fn https(mut self) -> Self {
        self.https = true;
        self.trusted_proxies(&["127.0.0.1"])
    }

    /// So many programs with one `PUBLIC_URL` and one database.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// The emulator consents for everybody, unasked.
    pub fn auto_approve(mut self) -> Self {
        self.auto_approve = true;
        self
    }

    pub fn scopes(self, product: &str, scopes: &str) -> Self {
        let (product, scopes) = (product.parse().unwrap(), scopes.parse().unwrap());
        self.config(move |config| {
            config.scopes.insert(product, login_with_zoho::settings::ScopeSet::clone(&scopes));
        })
    }

    pub fn trusted_proxies(self, networks: &[&str]) -> Self {
        let networks: Vec<login_with_zoho::settings::Network> =
            networks.iter().map(|network| network.parse().unwrap()).collect();
        self.config(move |config| config.trusted_proxies.clone_from(&networks))
    }

    pub fn login_product(self, product: &str) -> Self {
        let product = product.parse().unwrap();
        self.config(move |config| config.login_product = product)
    }

    /// Anything else.
    pub fn config(mut self, change: impl Fn(&mut Config) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    pub async fn start(self) -> App {
        let database = database().await;
        for _ in 0..4 {
            // The port is free now; whoever takes it before we do makes us choose again.
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            match self.try_start(&database, port).await {
                Ok(started) => return started.with(database),
                Err(StartError::Listen { .. }) => {}
                Err(error) => panic!("the site does not start: {error}"),
            }
        }
        panic!("no port is free");
    }

    async fn try_start(&self, database: &Database, port: u16) -> Result<Started, StartError> {
        let public_url = format!("{}://localhost:{port}", if self.https { "https" } else { "http" });
        let client = ClientOptions { redirect_uris: vec![format!("{public_url}/oauth/callback")], ..client() };
        let options = Options { auto_approve: self.auto_approve, clients: vec![client.clone()], ..Options::default() };
        let emulator = Emulator::start(options).await.expect("the emulator starts");
        let zoho = Control::new(emulator.control_url());
        let servers = Servers::from_toml(&emulator.servers_toml()).expect("the emulator's table is good");
        let mut config = config(&public_url, database.url(), servers, &client);
        for change in &self.changes {
            change(&mut config);
        }
        zoho.set_clock(START).await;
        let clock = Clock::manual(START.parse::<DateTime<Utc>>().unwrap());
        let stop = CancellationToken::new();
        let mut replicas = Vec::new();
        for index in 0..self.replicas {
            config.listen = (Ipv4Addr::LOCALHOST, if index == 0 { port } else { 0 }).into();
            login_with_zoho::start_logging(LogFormat::Json);
            let build = Application::build(config.clone(), clock.clone());
            let application = RUNTIME.spawn(build).await.unwrap()?;
            replicas.push(Replica { address: application.listening() });
            RUNTIME.spawn(application.run_until(stop.clone(), Duration::ZERO));
        }
        Ok(Started { zoho, clock, config, replicas, stop, emulator })
    }
}

struct Started {
    zoho: Control,
    clock: Clock,
    config: Config,
    replicas: Vec<Replica>,
    stop: CancellationToken,
    emulator: Emulator,
}

impl Started {
    fn with(self, database: Database) -> App {
        let Self { zoho, clock, config, replicas, stop, emulator } = self;
        App { zoho, database, clock, config, replicas, stop, emulator }
    }
}

impl App {
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> Builder {
        Builder { https: false, replicas: 1, auto_approve: false, changes: Vec::new() }
    }

    /// A new browser.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.public_url().clone(), self.addresses())
    }

    /// Where the replicas really listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.replicas.iter().map(|replica| replica.address).collect()
    }

    pub fn public_url(&self) -> &PublicUrl {
        &self.config.public_url
    }

    /// Where replica `index` really listens.
    pub fn address(&self, index: usize) -> SocketAddr {
        self.replicas[index].address
    }

    pub fn accounts(&self, data_centre: &str) -> String {
        self.emulator.accounts_url(data_centre)
    }

    pub fn api(&self, data_centre: &str) -> String {
        self.emulator.api_url(data_centre)
    }

    /// Moves time, ours and Zoho's.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.zoho.advance(by).await;
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
