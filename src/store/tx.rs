//! Who is asking: pools and transactions, each with its actor named to row-level security.
//!
//! A query that names no actor sees no row. Two kinds exist:
//! - *engine*: the program's own work (sessions, attempts, queues). Its pools name the actor once a
//!   connection, so that a look-up is one round trip.
//! - *tenant*: whatever is done in a tenant, in a transaction that names it.
//!
//! sqlx's `begin()` is not cancel-safe (security.md D-6): a connection whose transaction was left
//! open is rolled back before anybody else gets it.

use std::time::Duration;

use sqlx::{
    PgPool, Postgres, Row as _, Transaction,
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
};

use super::StoreError;
use crate::domain::ids::TenantId;

/// How long a caller waits for a connection (security.md R-19).
const ACQUIRE: Duration = Duration::from_millis(1500);

#[derive(Debug, Clone)]
pub(crate) struct Pools {
    /// Names no actor until a transaction does.
    web: PgPool,
    /// Acts as engine.
    engine: PgPool,
    /// Acts as engine; for what must go through when all else is busy: taking an attempt, escrow,
    /// revocation.
    critical: PgPool,
}

/// How many connections each pool may hold.
const WEB: u32 = 8;
const ENGINE: u32 = 10;
const CRITICAL: u32 = 4;
/// Of one replica together, the probe's own connection included.
#[expect(clippy::cast_possible_wrap, reason = "a few dozen; Postgres counts in integers")]
pub(crate) const CONNECTIONS: i32 = (WEB + ENGINE + CRITICAL + 1) as i32;

/// Limits for every statement, set per connection because poolers drop start-up options.
const TIMEOUTS: &str = "select set_config('statement_timeout', '3s', false), set_config('lock_timeout', '1s', false), \
                        set_config('idle_in_transaction_session_timeout', '5s', false)";
const ACT_AS_ENGINE: &str = "select set_config('app.actor', 'engine', false)";

impl Pools {
    /// Opens no connection yet: a database that is down is found out by the probe.
    pub(crate) fn new(options: &PgConnectOptions) -> Self {
        let pool = |most: u32, engine: bool| {
            PgPoolOptions::new()
                .max_connections(most)
                .min_connections(0)
                .acquire_timeout(ACQUIRE)
                .idle_timeout(Duration::from_secs(600))
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        sqlx::query(TIMEOUTS).execute(&mut *connection).await?;
                        if engine {
                            sqlx::query(ACT_AS_ENGINE).execute(connection).await?;
                        }
                        Ok(())
                    })
                })
                .after_release(|connection, _| Box::pin(leave_no_transaction(connection)))
                .connect_lazy_with(options.clone())
        };
        Self { web: pool(WEB, false), engine: pool(ENGINE, true), critical: pool(CRITICAL, true) }
    }

    pub(crate) fn engine(&self) -> &PgPool {
        &self.engine
    }

    pub(crate) fn critical(&self) -> &PgPool {
        &self.critical
    }

    pub(crate) async fn begin_as_engine(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        Ok(self.engine.begin().await?)
    }

    pub(crate) async fn begin_as_tenant(&self, tenant: TenantId) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut transaction = self.web.begin().await?;
        sqlx::query("select set_config('app.tenant_id', $1, true)")
            .bind(tenant.to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }

    pub(crate) async fn close(&self) {
        tokio::join!(self.web.close(), self.engine.close(), self.critical.close());
    }
}

/// Inside a transaction `now()` stands still while `statement_timestamp()` moves on. Asked by the simple protocol: in the
/// extended one they differ always, because Bind begins the transaction and Execute the statement; every release would
/// be rolled back, and Postgres would warn of each (security.md R-20).
async fn leave_no_transaction(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let answer = sqlx::raw_sql("select now() = statement_timestamp()").fetch_one(&mut *connection).await;
    let outside = answer.and_then(|row| row.try_get::<bool, _>(0));
    if !matches!(outside, Ok(true)) {
        sqlx::raw_sql("rollback").execute(&mut *connection).await?;
    }
    Ok(true)
}
