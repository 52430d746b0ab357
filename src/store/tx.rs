//! Who is asking: pools and transactions, each with its actor named to row-level security.
//!
//! A query that names no actor sees no row. Three kinds exist:
//! - *engine*: the program's own work (sessions, attempts, queues). Its pools name the actor once a
//!   connection, so that a look-up is one round trip.
//! - *tenant*: whatever is done in a tenant, in a transaction that names it.
//! - *operator*: what those who run the installation look at, in a transaction that says so; it sees every
//!   tenant's rows and no session, attempt or secret of the engine's.
//!
//! Whoever leaves in the middle leaves nothing behind, and whatever is asked ends in time (`in_time`).

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::{StoreError, in_time::STATEMENT, pool::Kind};
pub(crate) use super::{in_time::Connection, pool::Pool};
use crate::domain::ids::TenantId;

/// How long a statement may take that reads by primary key, for callers who come in crowds.
const READ_STATEMENT: Duration = Duration::from_secs(2);
/// A connection that was not used for longer is tested first.
const UNTESTED: Duration = Duration::from_millis(500);
/// A statement whose fate nobody knows is worse there: only in a crowd they go untested.
const CRITICAL_UNTESTED: Duration = Duration::from_millis(50);

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
    pub(crate) fn new(options: &PgConnectOptions, web: Option<u32>) -> Self {
        let pool = |most, settings, untested| Pool::new(options, Kind { most, settings, untested });
        let engine = &[SETTINGS, ACT_AS_ENGINE];
        Self {
            read: pool(READ, engine, UNTESTED),
            web: pool(web.unwrap_or(WEB), &[SETTINGS], UNTESTED),
            engine: pool(ENGINE, engine, UNTESTED),
            critical: pool(CRITICAL, engine, CRITICAL_UNTESTED),
        }
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

    /// Closes connections that nobody has needed for a while.
    pub(crate) async fn close_unused(&self) {
        let Self { read, web, engine, critical } = self;
        tokio::join!(read.close_unused(), web.close_unused(), engine.close_unused(), critical.close_unused());
    }

    pub(crate) async fn close(&self) {
        let Self { read, web, engine, critical } = self;
        tokio::join!(read.close(), web.close(), engine.close(), critical.close());
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
    let mut connection = pool.acquire(STATEMENT).await?;
    connection.begin().await?;
    Ok(connection)
}
