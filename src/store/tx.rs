//! Who is asking: pools and transactions, each with its actor named to row-level security.
//!
//! A query that names no actor sees no row. Three kinds exist:
//! - *engine*: the program's own work (sessions, attempts, queues). Its pools name the actor once a
//!   connection, so that a look-up is one round trip.
//! - *tenant*: whatever is done in a tenant, in a transaction that names it.
//! - *operator*: what those who run the installation look at, in a transaction that says so; it sees every
//!   tenant's rows and no session, attempt or secret of the engine's.
//!
//! sqlx's `begin()` is not cancel-safe (security.md D-6): it runs in a task of its own, which a caller
//! who leaves does not stop. What it began is then dropped, and so rolled back.

use std::time::Duration;

use sqlx::{
    Connection as _, PgPool, Postgres, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
};

use super::StoreError;
use crate::domain::ids::TenantId;

/// How long a caller waits for a connection (security.md R-19).
const ACQUIRE: Duration = Duration::from_millis(1500);
/// How long connections may take to be closed.
const CLOSE: Duration = Duration::from_secs(5);
/// A connection that has been idle for longer is tested before it is used.
const UNTESTED: Duration = Duration::from_millis(500);

/// What the functions of the store take inside a transaction.
pub(crate) type Connection = PgConnection;

/// A transaction with its actor named. Dropped without `commit`, it changes nothing.
#[derive(Debug)]
pub(crate) struct Tx(Transaction<'static, Postgres>);

impl Tx {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
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
    read: PgPool,
    /// Names no actor until a transaction does.
    web: PgPool,
    /// Acts as engine.
    engine: PgPool,
    /// Acts as engine; for what must go through when all else is busy: taking an attempt, escrow,
    /// revocation.
    critical: PgPool,
}

/// How many connections each pool may hold.
const READ: u32 = 3;
const WEB: u32 = 7;
const ENGINE: u32 = 10;
// Commits that wait for the disk wait together.
const CRITICAL: u32 = 8;
/// Of one replica together, the probe's own connection included.
#[expect(clippy::cast_possible_wrap, reason = "a few dozen; Postgres counts in integers")]
pub(crate) const CONNECTIONS: i32 = (READ + WEB + ENGINE + CRITICAL + 1) as i32;

/// Limits for every statement, set per connection because poolers drop start-up options.
const TIMEOUTS: &str = "select set_config('statement_timeout', '3s', false), set_config('lock_timeout', '1s', false), \
                        set_config('idle_in_transaction_session_timeout', '5s', false)";
const ACT_AS_ENGINE: &str = "select set_config('app.actor', 'engine', false)";

impl Pools {
    /// Opens no connection yet: a database that is down is found out by the probe.
    pub(crate) fn new(options: &PgConnectOptions) -> Self {
        let pool = |most, engine| Self::options(most, engine, UNTESTED).connect_lazy_with(options.clone());
        // A statement whose fate nobody knows is worse there than a round trip more.
        let critical = Self::options(CRITICAL, true, Duration::ZERO).connect_lazy_with(options.clone());
        Self { read: pool(READ, true), web: pool(WEB, false), engine: pool(ENGINE, true), critical }
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
                    sqlx::query(TIMEOUTS).execute(&mut *connection).await?;
                    if engine {
                        sqlx::query(ACT_AS_ENGINE).execute(connection).await?;
                    }
                    Ok(())
                })
            })
    }

    /// A connection for one read, given back when it is dropped.
    pub(crate) async fn acquire_to_read(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        Ok(self.read.acquire().await?)
    }

    pub(crate) fn engine(&self) -> &PgPool {
        &self.engine
    }

    pub(crate) fn critical(&self) -> &PgPool {
        &self.critical
    }

    pub(crate) async fn begin_as_engine(&self) -> Result<Tx, StoreError> {
        Ok(Tx(begin(&self.engine).await?))
    }

    pub(crate) async fn begin_as_tenant(&self, tenant: TenantId) -> Result<Tx, StoreError> {
        let mut transaction = begin(&self.web).await?;
        sqlx::query("select set_config('app.tenant_id', $1, true)")
            .bind(tenant.to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(Tx(transaction))
    }

    /// Sees the rows of every tenant. Whoever begins one leaves an audit event in it (`http::operator`).
    pub(crate) async fn begin_as_operator(&self) -> Result<Tx, StoreError> {
        let mut transaction = begin(&self.web).await?;
        // Row-level security lets Postgres expect few rows and high costs: it would compile what takes milliseconds.
        sqlx::query("select set_config('app.actor', 'operator', true), set_config('jit', 'off', true)")
            .execute(&mut *transaction)
            .await?;
        Ok(Tx(transaction))
    }

    pub(crate) async fn close(&self) {
        // A server that is gone without a word would keep them waiting.
        let closed =
            async { tokio::join!(self.read.close(), self.web.close(), self.engine.close(), self.critical.close()) };
        let _ = tokio::time::timeout(CLOSE, closed).await;
    }
}

/// For migrations: one replica waits for another's, and a change of a large table takes its time.
pub(crate) async fn lift_timeouts(connection: &mut Connection) -> Result<(), StoreError> {
    sqlx::query("select set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)")
        .execute(connection)
        .await?;
    Ok(())
}

async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    // The task ends by an error only with its runtime, and then nobody waits for it.
    tokio::spawn(async move { pool.begin().await }).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
