//! What the commands share that change something in the database and end: settings, the database,
//! the clock, and words for what goes wrong.

use std::sync::Arc;

use super::{Failure, process, serve};
use crate::{
    app::{self, App},
    clock::Clock,
    config::{Config, Environment, Settings},
    private_postgres::{self, PrivatePostgres, PrivatePostgresError},
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        tx::Pools,
    },
    telemetry,
    vault::seal::KeyRing,
};

/// A command's way to the database.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) config: Config,
    pub(super) pools: Pools,
    pub(super) clock: Clock,
}

impl Database {
    pub(super) fn keys(&self) -> KeyRing {
        app::key_ring(&self.config)
    }
}

/// Runs `work` with the database of these settings: the one `DATABASE_URL` names, else the private
/// one, which is started for it unless a program that serves runs it already.
pub(super) fn with_database<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Database) -> Result<T, Failure>,
) -> Result<T, Failure> {
    process::forbid_core_dumps()?;
    let mut config = Config::read(settings, &Environment::of_this_process(), false)?;
    telemetry::start(config.log_format);
    let postgres = postgres(&mut config)?;
    let done = serve::runtime()?.block_on(async {
        let clock = Clock::system();
        let pools = app::open_database(&config, &clock).await?;
        let database = Database { config, pools, clock };
        let done = work(&database).await;
        database.pools.close().await;
        done
    });
    serve::stop_postgres(postgres)?;
    done
}

/// As `with_database`, for work that talks to Zoho too.
pub(super) fn with_app<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Arc<App>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    process::forbid_core_dumps()?;
    let mut config = Config::read(settings, &Environment::of_this_process(), false)?;
    telemetry::start(config.log_format);
    let postgres = postgres(&mut config)?;
    let done = serve::runtime()?.block_on(async {
        let app = app::open(config, Clock::system()).await?;
        let done = work(&app).await;
        app.finish().await;
        app.pools.close().await;
        done
    });
    serve::stop_postgres(postgres)?;
    done
}

fn postgres(config: &mut Config) -> Result<Option<PrivatePostgres>, Failure> {
    let refused = match serve::private_postgres(config) {
        Err(Failure::Postgres(refused @ PrivatePostgresError::InUse { .. })) => refused,
        other => return other,
    };
    let running = private_postgres::url_of_running(&config.data_dir.join("postgres"))?;
    config.database_url = Some(running.ok_or(refused)?);
    Ok(None)
}

/// An event of a command, about no connection.
pub(super) fn event(action: &'static str, outcome: &'static str, detail: String) -> AuditEvent {
    AuditEvent {
        actor: Actor::Command,
        action,
        outcome,
        tenant_id: None,
        connection_id: None,
        peer: None,
        request_id: None,
        detail: Some(detail),
    }
}

/// A change and its event in one transaction; the change says whether there is anything to tell.
pub(super) async fn audited<T>(
    database: &Database,
    change: impl AsyncFnOnce(&mut crate::store::tx::Connection) -> Result<(T, Option<AuditEvent>), StoreError>,
) -> Result<T, StoreError> {
    let mut tx = database.pools.begin_as_engine().await?;
    let (done, event) = change(&mut tx).await?;
    if let Some(event) = event {
        audit_event::insert(&mut *tx, &event, database.clock.shared_now()).await?;
    }
    tx.commit().await?;
    Ok(done)
}
