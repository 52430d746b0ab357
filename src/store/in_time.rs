//! A pool's connection on which everything ends in time, whatever becomes of the server.
//!
//! Postgres ends what takes too long, as long as it is there to do so. A server or a network that falls silent without a
//! word says nothing for a quarter of an hour, and TCP believes it for as long. So each statement has a limit of ours,
//! a little beyond Postgres's own:
//!
//! 1. A statement that did not end in time has an unknown fate, and its connection is closed: an answer that comes late
//!    must not meet the next question.
//! 2. A connection that comes back is asked once more whether it lives, and in time as well; a transaction that was not
//!    committed, for whatever reason, is rolled back before anybody else gets it (security.md D-6).

use std::{io, time::Duration};

use futures_util::{
    TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Describe, Either, Error, Execute, Executor, PgPool, Postgres, SqlStr,
    pool::PoolConnection,
    postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

/// Postgres ends a statement after 3 s, and says so.
pub(crate) const STATEMENT: Duration = Duration::from_millis(3500);
/// How long a connection may take to be given back: something may still be under way there that nobody waits for.
const RETURN: Duration = Duration::from_secs(5);

/// A pool, for single statements: each takes a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct Pool(pub(super) PgPool);

impl Pool {
    pub(super) async fn acquire(&self, limit: Duration) -> Result<Connection, Error> {
        Ok(Connection { pooled: Some(self.0.acquire().await?), limit, in_transaction: false })
    }
}

/// What the functions of the store take inside a transaction.
#[derive(Debug)]
pub(crate) struct Connection {
    /// None once a statement did not end in time.
    pooled: Option<PoolConnection<Postgres>>,
    limit: Duration,
    in_transaction: bool,
}

impl Connection {
    /// For what Postgres has been allowed to take longer for, until it is given back.
    pub(super) fn allow(&mut self, limit: Duration) {
        self.limit = limit;
    }

    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        // Before it is: one that was begun and not told so must be rolled back, too.
        self.in_transaction = true;
        self.execute("begin").await?;
        Ok(())
    }

    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        self.execute("commit").await?;
        self.in_transaction = false;
        Ok(())
    }

    fn raw(&mut self) -> Result<&mut PgConnection, Error> {
        self.pooled.as_deref_mut().ok_or_else(too_late)
    }

    fn settle<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        if outcome.as_ref().is_err_and(is_too_late) {
            drop(self.pooled.take().map(PoolConnection::detach));
        }
        outcome
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut pooled) = self.pooled.take() else { return };
        let in_transaction = self.in_transaction;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return drop(pooled.detach()) };
        runtime.spawn(async move {
            if in_transaction && in_time(RETURN, pooled.execute("rollback")).await.is_err() {
                return drop(pooled.detach());
            }
            let _ = tokio::time::timeout(RETURN, pooled.return_to_pool()).await;
        });
    }
}

/// Whether nobody knows what became of a statement, because its answer did not come.
pub(super) fn is_too_late(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

fn too_late() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time"))
}

async fn in_time<T>(limit: Duration, statement: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(limit, statement).await.unwrap_or_else(|_elapsed| Err(too_late()))
}

type Part = Either<PgQueryResult, PgRow>;

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    /// All of it before the first part is passed on: in time means to the end.
    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Part, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let whole = async move {
            let parts = in_time(self.limit, self.raw()?.fetch_many(query).try_collect::<Vec<Part>>()).await;
            self.settle(parts)
        };
        Box::pin(stream::once(whole).map_ok(|parts| stream::iter(parts.into_iter().map(Ok))).try_flatten())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let row = in_time(self.limit, self.raw()?.fetch_optional(query)).await;
            self.settle(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let statement = in_time(self.limit, self.raw()?.prepare_with(sql, parameters)).await;
            self.settle(statement)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let described = in_time(self.limit, self.raw()?.describe(sql)).await;
            self.settle(described)
        })
    }
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Part, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let whole = async move {
            let mut connection = self.acquire(STATEMENT).await?;
            (&mut connection).fetch_many(query).try_collect::<Vec<Part>>().await
        };
        Box::pin(stream::once(whole).map_ok(|parts| stream::iter(parts.into_iter().map(Ok))).try_flatten())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move { self.acquire(STATEMENT).await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire(STATEMENT).await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire(STATEMENT).await?.describe(sql).await })
    }
}
