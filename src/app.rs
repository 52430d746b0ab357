//! The application: everything a request or a worker needs, and its life from start to stop.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret as _;
use sqlx::{ConnectOptions as _, migrate::Migrator, postgres::PgConnectOptions};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    config::Config,
    domain::{api_key::Grant, data_centre::DataCentre, secret::ApiKey, servers::Hosts},
    http,
    limits::Limits,
    proxy::{limits::ProxyLimits, refused_tokens::RefusedTokens},
    readiness::{self, Readiness},
    store::{self, StoreError, audit_event, fitness::Unfit, installation, tx::Pools},
    telemetry::Metrics,
    vault::{
        access_token::known::KnownTokens,
        api_key::{self, KeyUses, KnownKeys},
        refresh::{self, Refreshes},
        seal::KeyRing,
        usage::{self, Usage},
    },
    webhooks::deliver::Webhooks,
    worker,
    zoho::Zoho,
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long the last step of background work may take.
const WRITE_OUT: Duration = Duration::from_secs(3);
/// How long requests in flight and then detached tasks may take when the program stops.
const DRAIN: Duration = Duration::from_secs(20);

/// What requests and workers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) pools: Pools,
    pub(crate) keys: KeyRing,
    pub(crate) zoho: Zoho,
    pub(crate) readiness: Readiness,
    pub(crate) limits: Limits,
    pub(crate) known_keys: KnownKeys,
    pub(crate) key_uses: KeyUses,
    pub(crate) refreshes: Refreshes,
    pub(crate) tokens: KnownTokens,
    pub(crate) usage: Usage,
    pub(crate) proxy_limits: ProxyLimits,
    pub(crate) refused_tokens: RefusedTokens,
    pub(crate) webhooks: Webhooks,
    pub(crate) metrics: Metrics,
    tasks: TaskTracker,
    /// The program's own: each worker of the HTTP server has one that ends with the worker.
    runtime: Handle,
    pub(crate) wake_revocations: Notify,
    pub(crate) wake_refreshes: Notify,
    pub(crate) wake_webhooks: Notify,
    pub(crate) wake_deletions: Notify,
    stopping: CancellationToken,
    /// Nothing is under way any more.
    pub(crate) drained: CancellationToken,
}

impl App {
    fn new(config: Config, clock: Clock, database: &PgConnectOptions) -> Result<Self, StartError> {
        Ok(Self {
            pools: Pools::new(database, config.web_connections),
            keys: key_ring(&config),
            zoho: Zoho::new()?,
            webhooks: Webhooks::new(config.webhooks_to_loopback)?,
            readiness: Readiness::new(),
            limits: Limits::new(config.failed_exchanges_per_minute, config.failed_keys_per_minute),
            known_keys: KnownKeys::default(),
            key_uses: KeyUses::default(),
            proxy_limits: ProxyLimits::default(),
            refused_tokens: RefusedTokens::default(),
            metrics: Metrics::start(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            wake_revocations: Notify::new(),
            wake_refreshes: Notify::new(),
            wake_webhooks: Notify::new(),
            wake_deletions: Notify::new(),
            refreshes: Refreshes::default(),
            tokens: KnownTokens::default(),
            usage: Usage::default(),
            stopping: CancellationToken::new(),
            drained: CancellationToken::new(),
            clock,
            config,
        })
    }

    /// Waits for what must finish; nothing new is to begin.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("some work was still under way when the program stopped");
        }
        self.drained.cancel();
    }

    /// The row of a data centre that was placed or stored: the table had it.
    pub(crate) fn hosts(&self, data_centre: DataCentre) -> &Hosts {
        self.config.zoho.servers.hosts(data_centre).expect("a data centre is placed only where the table has a row")
    }

    /// Runs what must finish although the browser has gone, and although the program is stopping.
    pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn_on(task, &self.runtime)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    pub(crate) async fn stopping(&self) {
        self.stopping.cancelled().await;
    }
}

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Config(#[from] crate::config::ConfigErrors),
    #[error("DATABASE_URL is no address of a Postgres")]
    DatabaseUrl,
    #[error("DATABASE_URL: the database cannot be reached ({0}); start it, or correct the address")]
    DatabaseUnreachable(#[source] sqlx::Error),
    #[error("DATABASE_URL: {0}")]
    DatabaseUnfit(String),
    #[error("the schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("{setting}: cannot listen on {address} ({source}); free the port, or choose another")]
    Listen { setting: &'static str, address: SocketAddr, source: std::io::Error },
    #[error("DATABASE_URL: {0}")]
    Store(String),
    #[error(transparent)]
    Tls(#[from] crate::zoho::TlsUnavailable),
}

impl From<Unfit> for StartError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Unreachable(error) => Self::DatabaseUnreachable(error),
            Unfit::Problems(_) => Self::DatabaseUnfit(unfit.to_string()),
        }
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

/// A program that is ready to run: sockets are bound, the schema is there.
pub struct Application {
    app: Arc<App>,
    servers: http::Servers,
    database: PgConnectOptions,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// Brings the schema up to date, over a direct connection. Idempotent; replicas wait for each other.
pub async fn migrate(config: &Config) -> Result<(), StartError> {
    let options = database_options(config)?;
    // Before anything is made: what a superuser makes, the site's own role cannot own.
    store::fitness::check(&options).await?;
    let mut connection = options.connect().await.map_err(StartError::DatabaseUnreachable)?;
    store::tx::lift_timeouts(&mut connection).await?;
    MIGRATIONS.run(&mut connection).await?;
    // Before the first event of the month is written, by whichever command.
    let now = installation::probe(&mut connection).await?.at;
    Ok(audit_event::ensure_month(&mut connection, now).await?)
}

/// The database for a command that does its work and ends: checked like that of a start, with the
/// clock set by Postgres's.
pub(crate) async fn open_database(config: &Config, clock: &Clock) -> Result<Pools, StartError> {
    let options = database_options(config)?;
    crate::store::fitness::check(&options).await?;
    let pools = Pools::new(&options, None);
    let asked = Instant::now();
    let now = installation::now(pools.engine()).await?;
    clock.observe(now, asked, Instant::now());
    Ok(pools)
}

/// The same for a command that does what the site does: no sockets, no workers.
pub(crate) async fn open(config: Config, clock: Clock) -> Result<Arc<App>, StartError> {
    let pools = open_database(&config, &clock).await?;
    pools.close().await;
    let database = database_options(&config)?;
    Ok(Arc::new(App::new(config, clock, &database)?))
}

pub(crate) fn key_ring(config: &Config) -> KeyRing {
    KeyRing::new(config.encryption_keys.ids().map(|id| {
        let key = config.encryption_keys.get(id).expect("an id of the ring has its key");
        (id.to_owned(), Zeroizing::new(*key))
    }))
}

fn database_options(config: &Config) -> Result<PgConnectOptions, StartError> {
    let url = config.database_url.as_ref().ok_or(StartError::DatabaseUrl)?;
    let options: PgConnectOptions = url.expose_secret().parse().map_err(|_| StartError::DatabaseUrl)?;
    // A pooler refuses the start-up parameter that sqlx sends by default.
    Ok(options.application_name("login-with-zoho").extra_float_digits(None).disable_statement_logging())
}

impl Application {
    /// Checks the settings and the database, binds the sockets. The schema must be there.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, StartError> {
        config.validate()?;
        let database = database_options(&config)?;
        store::fitness::check(&database).await?;
        let app = Arc::new(App::new(config, clock, &database)?);
        readiness::probe(&app.readiness, &app.clock, &database, None).await;
        // Before the first event of the month is written.
        worker::ensure_partitions_or_log(&app).await;
        let servers = http::bind(&app)?;
        Ok(Self { app, servers, database })
    }

    /// Where the site really listens.
    pub fn listening(&self) -> SocketAddr {
        self.servers.listening()
    }

    pub fn management(&self) -> SocketAddr {
        self.servers.management()
    }

    /// A key for whoever tries the demo: every grant, for a day.
    pub(crate) async fn make_demo_key(&self) -> Result<ApiKey, StartError> {
        let now = self.app.clock.shared_now();
        let make = api_key::Make {
            name: "demo",
            tenant_id: None,
            grants: &Grant::ALL,
            created_by: "demo",
            expires_at: Some(now + chrono::TimeDelta::days(1)),
        };
        let made = api_key::make(self.app.pools.engine(), &make, now).await?;
        Ok(made.key)
    }

    /// Serves until `stop` is cancelled, then says that it is not ready, serves on for `linger` (until
    /// load balancers have noticed), and finishes what is under way (security.md 4.9).
    pub async fn run_until(self, stop: CancellationToken, linger: Duration) -> std::io::Result<()> {
        let Self { app, servers, database } = self;
        let probe = {
            let app = Arc::clone(&app);
            tokio::spawn(async move { readiness::probe_for_ever(&app.readiness, &app.clock, &database).await })
        };
        let mut worker = tokio::spawn(worker::run(Arc::clone(&app)));
        let (handles, running) = servers.run();
        let running = tokio::spawn(running);
        stop.cancelled().await;
        app.readiness.stop();
        tokio::time::sleep(linger).await;
        app.stopping.cancel();
        app.wake_revocations.notify_one();
        app.wake_refreshes.notify_one();
        for handle in &handles {
            handle.stop(true).await;
        }
        running.await??;
        app.finish().await;
        // What the worker has in hand is written by it.
        let _ = tokio::time::timeout(WRITE_OUT, &mut worker).await;
        if let Err(error) = api_key::write_uses(&app).await {
            tracing::warn!(error = %error, "when keys were last used is not written");
        }
        if let Err(error) = usage::write(&app).await {
            tracing::error!(error = %error, "who was handed tokens in the last half second is not written");
        }
        if let Err(error) = refresh::health::write(&app).await {
            tracing::warn!(error = %error, "how the last refreshes went is not written");
        }
        worker.abort();
        probe.abort();
        app.pools.close().await;
        Ok(())
    }
}
