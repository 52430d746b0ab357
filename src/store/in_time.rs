//! A pool's connection on which everything ends in time, whatever becomes of the server.
//!
//! Postgres ends what takes too long, as long as it is there to do so. A server or a network that falls silent without a
//! word says nothing for a quarter of an hour, and TCP believes it for as long. So each statement has a limit of ours,
//! a little beyond Postgres's own:
//!
//! 1. A statement that did not end in time has an unknown fate, and its connection is closed: an answer that comes late
//!    must not meet the next question.
//! 2. A connection that comes back in the middle of something is brought to an end first, in time as well: a statement that
//!    nobody waits for any more is waited for, and a transaction that was not committed, for whatever reason, is rolled
//!    back before anybody else gets it (security.md D-6).

use std::{io, time::Duration};

use deadpool::managed::Object;
use futures_util::{
    TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Connection as _, Describe, Either, Error, Execute, Executor, Postgres, SqlStr,
    postgres::{PgConnection, PgDatabaseError, PgQueryResult, PgRow, PgSeverity, PgStatement, PgTypeInfo},
};

use super::pool::{self, Opener, Pool, Pooled};

/// Postgres ends a statement after 3 s, and says so.
pub(crate) const STATEMENT: Duration = Duration::from_millis(3500);
/// How long a connection may take to be given back: something may still be under way there that nobody waits for.
const RETURN: Duration = Duration::from_secs(5);

impl Pool {
    pub(super) async fn acquire(&self, limit: Duration) -> Result<Connection, Error> {
        Ok(Connection { lent: Some(self.get().await?), limit })
    }
}

/// What the functions of the store take inside a transaction.
#[derive(Debug)]
pub(crate) struct Connection {
    /// None once it broke, or a statement did not end in time.
    lent: Option<Object<Opener>>,
    limit: Duration,
}

impl Connection {
    /// For what Postgres has been allowed to take longer for, until it is given back.
    pub(super) fn allow(&mut self, limit: Duration) {
        self.limit = limit;
    }

    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        // Before it is: one that was begun and not told so must be rolled back, too.
        self.lent()?.in_transaction = true;
        self.execute("begin").await?;
        Ok(())
    }

    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        self.execute("commit").await?;
        self.lent()?.in_transaction = false;
        Ok(())
    }

    fn lent(&mut self) -> Result<&mut Pooled, Error> {
        self.lent.as_deref_mut().ok_or_else(too_late)
    }

    /// For one statement, which is under way from here on until it has settled.
    fn under_way(&mut self) -> Result<&mut PgConnection, Error> {
        let lent = self.lent()?;
        lent.is_under_way = true;
        Ok(&mut lent.postgres)
    }

    fn settle<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        if outcome.as_ref().is_err_and(|error| !leaves_it_whole(error)) {
            drop(self.lent.take().map(Object::take));
        } else if let Some(lent) = &mut self.lent {
            lent.is_under_way = false;
        }
        outcome
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut lent) = self.lent.take() else { return };
        let is_old = pool::is_old(&lent);
        if lent.is_at_rest() && !is_old {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return drop(Object::take(lent)) };
        runtime.spawn(async move {
            if is_old {
                let _ = in_time(RETURN, Object::take(lent).postgres.close()).await;
                return;
            }
            let Pooled { postgres, is_under_way, in_transaction } = &mut *lent;
            let settled = async {
                if *in_transaction { postgres.execute("rollback").await.map(drop) } else { postgres.ping().await }
            };
            if in_time(RETURN, settled).await.is_err() {
                return drop(Object::take(lent));
            }
            (*is_under_way, *in_transaction) = (false, false);
        });
    }
}

/// Postgres refused a statement and serves the next.
fn leaves_it_whole(error: &Error) -> bool {
    let refused = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    refused.is_some_and(|refused| !matches!(refused.severity(), PgSeverity::Fatal | PgSeverity::Panic))
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
            let parts = in_time(self.limit, self.under_way()?.fetch_many(query).try_collect::<Vec<Part>>()).await;
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
            let row = in_time(self.limit, self.under_way()?.fetch_optional(query)).await;
            self.settle(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let statement = in_time(self.limit, self.under_way()?.prepare_with(sql, parameters)).await;
            self.settle(statement)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let described = in_time(self.limit, self.under_way()?.describe(sql)).await;
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

#[cfg(test)]
mod tests {
    use sqlx::{query, query_scalar};

    use super::*;
    use crate::store::pool::Kind;

    /// With one place, so that whoever comes next gets the same connection, or another where that one was closed.
    fn pool() -> Pool {
        let url = std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL is set: use scripts/test");
        Pool::new(&url.parse().unwrap(), Kind { most: 1, settings: &[], untested: Duration::from_secs(1) })
    }

    async fn backend(db: impl Executor<'_, Database = Postgres>) -> i32 {
        query_scalar("select pg_backend_pid()").fetch_one(db).await.unwrap()
    }

    /// Local to its own transaction, unless that is one which was left open.
    const LEAVE: &str = "select set_config('app.left', 'behind', true)";

    async fn left_behind(pool: &Pool) -> Option<String> {
        query_scalar("select nullif(current_setting('app.left', true), '')").fetch_one(pool).await.unwrap()
    }

    #[tokio::test]
    async fn d6_a_transaction_that_was_left_is_rolled_back_before_the_next_begins() {
        let pool = pool();
        let mut left = pool.acquire(STATEMENT).await.unwrap();
        left.begin().await.unwrap();
        query(LEAVE).execute(&mut left).await.unwrap();
        let before = backend(&mut left).await;
        drop(left);
        assert_eq!((left_behind(&pool).await, backend(&pool).await), (None, before));
    }

    #[tokio::test]
    async fn d6_a_statement_that_nobody_waits_for_ends_before_the_next_begins() {
        let pool = pool();
        let before = backend(&pool).await;
        let left = query("select pg_sleep(0.3)").execute(&pool);
        tokio::time::timeout(Duration::from_millis(50), left).await.unwrap_err();
        assert_eq!(backend(&pool).await, before);
    }

    #[tokio::test]
    async fn d6_who_leaves_while_a_transaction_begins_leaves_none() {
        let pool = pool();
        let mut left = pool.acquire(STATEMENT).await.unwrap();
        let before = backend(&mut left).await;
        // Sent, and its answer not awaited.
        assert!(futures_util::poll!(Box::pin(left.begin())).is_pending());
        drop(left);
        query(LEAVE).execute(&pool).await.unwrap();
        assert_eq!((left_behind(&pool).await, backend(&pool).await), (None, before));
    }

    #[tokio::test]
    async fn a_connection_outlives_what_postgres_refuses_and_no_other_failure() {
        let pool = pool();
        let before = backend(&pool).await;
        query("select 1 / 0").execute(&pool).await.unwrap_err();
        assert_eq!(backend(&pool).await, before, "refused");

        query("select pg_terminate_backend(pg_backend_pid())").execute(&pool).await.unwrap_err();
        let second = backend(&pool).await;
        assert_ne!(second, before, "ended by the server");

        let mut slow = pool.acquire(Duration::from_millis(50)).await.unwrap();
        let late = query("select pg_sleep(1)").execute(&mut slow).await.unwrap_err();
        assert!(is_too_late(&late));
        assert!(is_too_late(&query("select 1").execute(&mut slow).await.unwrap_err()), "and so for the rest");
        assert_ne!(backend(&pool).await, second, "too late");
    }
}
