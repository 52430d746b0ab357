//! Connections to Postgres that are shared: made when they are first needed, tested where they have rested, closed
//! when they are old.
//!
//! deadpool lends them out, and not sqlx's pool, which asks Postgres whether all is well after each use, however short: a
//! round trip more for each statement (docs/adr/0025). What state a connection is in is known here anyway (`in_time`).

use std::time::Duration;

use deadpool::managed::{self, Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::{
    ConnectOptions as _, Connection as _, Error,
    postgres::{PgConnectOptions, PgConnection},
};

/// How long a caller waits for a connection (security.md R-19).
const ACQUIRE: Duration = Duration::from_millis(1500);
/// Pauses between tries to connect, while the server starts.
const AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(300));
/// A connection is used no longer than this: a backend's memory grows with what it has seen.
const OLD: Duration = Duration::from_secs(30 * 60);
/// Unused for this long it is closed.
const UNUSED: Duration = Duration::from_secs(10 * 60);
/// How long connections may take to be closed.
const CLOSE: Duration = Duration::from_secs(5);

/// A pool, for single statements: each takes a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct Pool(managed::Pool<Opener>);

/// What a pool's connections have in common.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) most: u32,
    /// What each is told when it is made.
    pub(super) settings: &'static [&'static str],
    /// One that was not used for longer is tested first: it may have died with its server.
    pub(super) untested: Duration,
}

#[derive(Debug)]
pub(super) struct Opener {
    options: PgConnectOptions,
    kind: Kind,
}

/// A connection that is lent out, or waits to be.
#[derive(Debug)]
pub(super) struct Pooled {
    pub(super) postgres: PgConnection,
    pub(super) is_under_way: bool,
    pub(super) in_transaction: bool,
}

impl Pooled {
    /// Whoever leaves in the middle leaves it otherwise, and then nobody else is given it (security.md D-6).
    pub(super) const fn is_at_rest(&self) -> bool {
        !self.is_under_way && !self.in_transaction
    }
}

impl Pool {
    /// Opens no connection yet: a database that is down is found out by the probe.
    pub(super) fn new(options: &PgConnectOptions, kind: Kind) -> Self {
        let most = usize::try_from(kind.most).expect("a few dozen");
        let opener = Opener { options: options.clone(), kind };
        // The last one used is the warmest, and the others may rest.
        let pool = managed::Pool::builder(opener).max_size(most).queue_mode(QueueMode::Lifo).build();
        Self(pool.expect("without timeouts of its own a pool needs no runtime"))
    }

    pub(super) async fn get(&self) -> Result<Object<Opener>, Error> {
        let got = tokio::time::timeout(ACQUIRE, self.0.get()).await.map_err(|_elapsed| Error::PoolTimedOut)?;
        got.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => Error::PoolClosed,
            PoolError::Timeout(_) | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => Error::PoolTimedOut,
        })
    }

    /// Closes what nobody has used for a while.
    pub(super) async fn close_unused(&self) {
        close_all(self.0.retain(|_, metrics| metrics.last_used() < UNUSED).removed).await;
    }

    /// Nothing is lent out any more; what is lent out now is closed when it comes back.
    pub(super) async fn close(&self) {
        let unused = self.0.retain(|_, _| false).removed;
        self.0.close();
        close_all(unused).await;
    }
}

/// A server that is gone without a word would keep us waiting.
async fn close_all(connections: Vec<Pooled>) {
    let closing = connections.into_iter().map(|pooled| pooled.postgres.close());
    let _ = tokio::time::timeout(CLOSE, futures_util::future::join_all(closing)).await;
}

pub(super) fn is_old(lent: &Object<Opener>) -> bool {
    Object::metrics(lent).age() > OLD
}

impl Manager for Opener {
    type Type = Pooled;
    type Error = Error;

    async fn create(&self) -> Result<Pooled, Error> {
        let policy =
            backon::ExponentialBuilder::default().with_min_delay(AGAIN.0).with_max_delay(AGAIN.1).without_max_times();
        // Whoever waits ends it.
        backon::Retryable::retry(|| self.open(), policy).when(is_starting).await
    }

    async fn recycle(&self, pooled: &mut Pooled, metrics: &Metrics) -> RecycleResult<Error> {
        if !pooled.is_at_rest() {
            return Err(RecycleError::message("somebody left it in the middle"));
        }
        if metrics.last_used() > self.kind.untested {
            pooled.postgres.ping().await?;
        }
        Ok(())
    }
}

impl Opener {
    async fn open(&self) -> Result<Pooled, Error> {
        let mut postgres = self.options.connect().await?;
        for setting in self.kind.settings {
            sqlx::query(*setting).execute(&mut postgres).await?;
        }
        Ok(Pooled { postgres, is_under_way: false, in_transaction: false })
    }
}

/// The server does not take connections yet, or has no place for one at the moment.
fn is_starting(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Error::Database(error) => matches!(error.code().as_deref(), Some("53300" | "57P03")),
        _ => false,
    }
}
