//! Who is asking: pools and transactions, each with its actor named to row-level security.
//!
//! A query that names no actor sees no row. Three kinds exist:
//! - *engine*: the program's own work (sessions, attempts, queues). Its pools name the actor once a
//!   connection, so that a look-up is one round trip.
//! - *tenant*: whatever is done in a tenant, in a transaction that names it.
//! - *operator*: what those who run the installation look at, in a transaction that says so; it sees every
//!   tenant's rows and no session, attempt or secret of the engine's.
//!
//! A transaction is begun in a task of its own, which a caller who leaves does not stop: what was begun
//! is then dropped, and so rolled back (security.md D-6). Whatever is asked of a pool ends in time
//! (`in_time`).

use std::time::Duration;

use sqlx::{
    Connection as _,
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
};

pub(crate) use super::in_time::{Connection, Pool};
use super::{StoreError, in_time::STATEMENT};
use crate::domain::ids::TenantId;

/// How long a caller waits for a connection (security.md R-19).
const ACQUIRE: Duration = Duration::from_millis(1500);
/// How long a statement may take that reads by primary key, for callers who come in crowds.
const READ_STATEMENT: Duration = Duration::from_secs(2);
/// How long connections may take to be closed.
const CLOSE: Duration = Duration::from_secs(5);
/// A connection that has been idle for longer is tested before it is used.
const UNTESTED: Duration = Duration::from_millis(500);

/// A transaction with its actor named. Dropped without `commit`, it changes nothing.
#[derive(Debug)]
pub(crate) struct Tx(Connection);

impl Tx {
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

impl std::ops::Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Pools {
    /// Acts as engine; for the reads that come in crowds, so that nothing else waits for them.
    read: Pool,
    /// Names no actor until a transaction does.
    web: Pool,
    /// Acts as engine.
    engine: Pool,
    /// Acts as engine; for what must go through when all else is busy: taking an attempt, escrow,
    /// revocation.
    critical: Pool,
}

/// How many connections each pool may hold.
const READ: u32 = 5;
const WEB: u32 = 7;
const ENGINE: u32 = 10;
// Commits that wait for the disk wait together.
const CRITICAL: u32 = 8;
/// Of one replica together, the probe's own connection included.
#[expect(clippy::cast_possible_wrap, reason = "a few dozen; Postgres counts in integers")]
pub(crate) const CONNECTIONS: i32 = (READ + WEB + ENGINE + CRITICAL + 1) as i32;

/// Limits for every statement, set per connection because poolers drop start-up options. And no compiling: row-level
/// security lets Postgres expect high costs of what takes milliseconds.
const SETTINGS: &str = "select set_config('statement_timeout', '3s', false), set_config('lock_timeout', '1s', false), \
                        set_config('idle_in_transaction_session_timeout', '5s', false), set_config('jit', 'off', false)";
const ACT_AS_ENGINE: &str = "select set_config('app.actor', 'engine', false)";

impl Pools {
    /// Opens no connection yet: a database that is down is found out by the probe.
    pub(crate) fn new(options: &PgConnectOptions, web: Option<u32>) -> Self {
        let pool = |most, engine| Pool(Self::options(most, engine, UNTESTED).connect_lazy_with(options.clone()));
        // A statement whose fate nobody knows is worse there than a round trip more.
        let critical = Pool(Self::options(CRITICAL, true, Duration::ZERO).connect_lazy_with(options.clone()));
        Self { read: pool(READ, true), web: pool(web.unwrap_or(WEB), false), engine: pool(ENGINE, true), critical }
    }

    fn options(most: u32, engine: bool, untested: Duration) -> PgPoolOptions {
        PgPoolOptions::new()
            .max_connections(most)
            .min_connections(0)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(Duration::from_secs(600))
            // A round trip before every statement is too much for what it finds out; one that has not been
            // used for a while may have died with its server.
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                Box::pin(async move { Ok(meta.idle_for <= untested || connection.ping().await.is_ok()) })
            })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    sqlx::query(SETTINGS).execute(&mut *connection).await?;
                    if engine {
                        sqlx::query(ACT_AS_ENGINE).execute(connection).await?;
                    }
                    Ok(())
                })
            })
    }

    /// A connection for one read by primary key, given back when it is dropped.
    pub(crate) async fn acquire_to_read(&self) -> Result<Connection, StoreError> {
        Ok(self.read.acquire(READ_STATEMENT).await?)
    }

    pub(crate) fn engine(&self) -> &Pool {
        &self.engine
    }

    pub(crate) fn critical(&self) -> &Pool {
        &self.critical
    }

    pub(crate) async fn begin_as_engine(&self) -> Result<Tx, StoreError> {
        Ok(Tx(begin(&self.engine).await?))
    }

    pub(crate) async fn begin_as_tenant(&self, tenant: TenantId) -> Result<Tx, StoreError> {
        let mut connection = begin(&self.web).await?;
        sqlx::query("select set_config('app.tenant_id', $1, true)")
            .bind(tenant.to_string())
            .execute(&mut connection)
            .await?;
        Ok(Tx(connection))
    }

    /// Sees the rows of every tenant. Whoever begins one leaves an audit event in it (`http::operator`).
    pub(crate) async fn begin_as_operator(&self) -> Result<Tx, StoreError> {
        let mut connection = begin(&self.web).await?;
        sqlx::query("select set_config('app.actor', 'operator', true)").execute(&mut connection).await?;
        Ok(Tx(connection))
    }

    pub(crate) async fn close(&self) {
        // A server that is gone without a word would keep them waiting.
        let closed = async {
            tokio::join!(self.read.0.close(), self.web.0.close(), self.engine.0.close(), self.critical.0.close())
        };
        let _ = tokio::time::timeout(CLOSE, closed).await;
    }
}

/// For migrations: one replica waits for another's, and a change of a large table takes its time.
pub(crate) async fn lift_timeouts(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("select set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)")
        .execute(connection)
        .await?;
    Ok(())
}

async fn begin(pool: &Pool) -> Result<Connection, sqlx::Error> {
    let pool = pool.clone();
    let beginning = tokio::spawn(async move {
        let mut connection = pool.acquire(STATEMENT).await?;
        connection.begin().await?;
        Ok(connection)
    });
    // The task ends by an error only with its runtime, and then nobody waits for it.
    beginning.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
