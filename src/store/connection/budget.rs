//! Zoho's budget of refresh tokens: of one client and person it keeps the newest 20, and deletes the
//! oldest without a word when another is granted (security.md D-9).
//!
//! What we know of are the tokens in `connection`, granted at `consented_at`, and those in
//! `revocation`, alive until Zoho has confirmed. A connection that needs a reconnect holds a token
//! that is dead already. A person's imported connections may belong to clients of their own, which
//! Zoho counts apart. A person is of one data centre: to name it, too, would lead the planner to everybody's connections
//! there.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    domain::ids::{ConnectionId, PersonId},
    store::StoreError,
};

/// The refresh tokens that are alive as far as we know: in use, or waiting to be revoked.
pub(crate) async fn count_refresh_tokens(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
    client_id: &str,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select (select count(*) from connection
                   where person_id = $1 and client_id = $2
                     and refresh_token_sealed is not null and status <> 'needs_reconnect')
                + (select count(*) from revocation
                   where person_id = $1 and client_id = $2 and done_at is null) as "count!""#,
        person_id as PersonId,
        client_id,
    )
    .fetch_one(db)
    .await?)
}

/// The connection that pays for the next consent: of the `most` newest tokens, which are all that
/// Zoho keeps, it holds the oldest. `None` while there is room, and where that token is one that is
/// being revoked anyway.
pub(crate) async fn find_at_stake(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
    client_id: &str,
    most: i64,
) -> Result<Option<ConnectionId>, StoreError> {
    let oldest = sqlx::query_scalar!(
        r#"select connection_id as "connection_id: ConnectionId"
           from (select consented_at as granted_at, connection_id from connection
                 where person_id = $1 and client_id = $2
                   and refresh_token_sealed is not null and status <> 'needs_reconnect'
                 union all
                 select granted_at, null from revocation
                 where person_id = $1 and client_id = $2 and done_at is null) alive
           order by granted_at desc, connection_id desc offset $3 limit 1"#,
        person_id as PersonId,
        client_id,
        most - 1,
    )
    .fetch_optional(db)
    .await?;
    Ok(oldest.flatten())
}

/// Whether a refresh token that is dead was evicted: when some later token was granted, `most` later
/// ones, itself among them, were alive, and Zoho keeps no more. Which of them died of the same
/// cause, and when, does not matter: whoever is older goes first.
pub(crate) async fn was_evicted(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
    client_id: &str,
    consented_at: DateTime<Utc>,
    most: i64,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"with later as (
               select consented_at as granted_at, dead_since as died_at from connection
               where person_id = $1 and client_id = $2
                 and refresh_token_sealed is not null and consented_at > $3
               union all
               select granted_at, done_at from revocation
               where person_id = $1 and client_id = $2 and granted_at > $3)
           select exists (
               select from later newest
               where (select count(*) from later
                      where later.granted_at <= newest.granted_at
                        and (later.died_at is null or later.died_at > newest.granted_at)) >= $4) as "was_evicted!""#,
        person_id as PersonId,
        client_id,
        consented_at,
        most,
    )
    .fetch_one(db)
    .await?)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use sqlx::{Connection as _, PgConnection};
    use uuid::Uuid;

    use super::*;

    const CLIENT: &str = "1000.OURS";

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    /// A person's tokens, in temporary tables that shadow those of the schema.
    struct Ledger {
        db: PgConnection,
        person_id: PersonId,
    }

    impl Ledger {
        async fn new() -> Self {
            let url = std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL is set: use scripts/test");
            let mut db = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(
                "create temp table connection (connection_id uuid, person_id uuid, client_id text, data_centre text, status text,
                     refresh_token_sealed bytea, consented_at timestamptz, dead_since timestamptz);
                 create temp table revocation (person_id uuid, client_id text, data_centre text, granted_at timestamptz,
                     done_at timestamptz);",
            )
            .execute(&mut db)
            .await
            .unwrap();
            Self { db, person_id: PersonId::new() }
        }

        async fn connect(&mut self, status: &str, granted: i64, dead_since: Option<i64>) -> ConnectionId {
            self.connect_with(CLIENT, status, granted, dead_since).await
        }

        async fn connect_with(
            &mut self,
            client_id: &str,
            status: &str,
            granted: i64,
            dead_since: Option<i64>,
        ) -> ConnectionId {
            let connection_id = ConnectionId::new();
            sqlx::query("insert into connection values ($1, $2, $3, 'eu', $4, '\\x00', $5, $6)")
                .bind(Uuid::from(connection_id))
                .bind(Uuid::from(self.person_id))
                .bind(client_id)
                .bind(status)
                .bind(at(granted))
                .bind(dead_since.map(at))
                .execute(&mut self.db)
                .await
                .unwrap();
            connection_id
        }

        async fn supersede(&mut self, granted: i64, done: Option<i64>) {
            sqlx::query("insert into revocation values ($1, $2, 'eu', $3, $4)")
                .bind(Uuid::from(self.person_id))
                .bind(CLIENT)
                .bind(at(granted))
                .bind(done.map(at))
                .execute(&mut self.db)
                .await
                .unwrap();
        }

        async fn count(&mut self) -> i64 {
            count_refresh_tokens(&mut self.db, self.person_id, CLIENT).await.unwrap()
        }

        async fn at_stake(&mut self, most: i64) -> Option<ConnectionId> {
            find_at_stake(&mut self.db, self.person_id, CLIENT, most).await.unwrap()
        }

        /// Of a token that was granted at minute 0, where Zoho keeps three.
        async fn was_evicted(&mut self) -> bool {
            was_evicted(&mut self.db, self.person_id, CLIENT, at(0), 3).await.unwrap()
        }
    }

    #[tokio::test]
    async fn d9_a_token_is_evicted_by_the_last_of_as_many_later_ones_as_zoho_keeps() {
        let mut ledger = Ledger::new().await;
        ledger.connect("active", 1, None).await;
        ledger.connect("choosing", 2, None).await;
        assert!(!ledger.was_evicted().await);
        ledger.supersede(3, None).await;
        assert!(ledger.was_evicted().await);
    }

    #[tokio::test]
    async fn d9_what_died_before_the_next_was_granted_evicted_nobody() {
        let mut ledger = Ledger::new().await;
        // A hundred consents for one connection, each revoked before the next.
        for granted in 1..=100 {
            ledger.supersede(granted * 10, Some(granted * 10 + 5)).await;
        }
        ledger.connect("active", 2000, None).await;
        ledger.connect("active", 2001, None).await;
        assert!(!ledger.was_evicted().await);
        // Alive at minute 2001 after all, whatever came of it later.
        ledger.supersede(1999, Some(2002)).await;
        assert!(ledger.was_evicted().await);
    }

    #[tokio::test]
    async fn d9_a_connection_that_was_found_dead_counts_until_then() {
        let mut ledger = Ledger::new().await;
        ledger.connect("needs_reconnect", 1, Some(5)).await;
        ledger.connect("active", 2, None).await;
        ledger.connect("active", 6, None).await;
        assert!(!ledger.was_evicted().await);
        ledger.connect("needs_reconnect", 3, Some(7)).await;
        assert!(ledger.was_evicted().await);
    }

    #[tokio::test]
    async fn d9_older_tokens_other_clients_and_other_people_evict_nobody() {
        let mut ledger = Ledger::new().await;
        for granted in [-3, -2, -1, 0] {
            ledger.connect("active", granted, None).await;
        }
        for granted in 1..=5 {
            ledger.connect_with("1000.SELFCLIENT", "active", granted, None).await;
        }
        let person_id = std::mem::replace(&mut ledger.person_id, PersonId::new());
        for granted in 1..=5 {
            ledger.connect("active", granted, None).await;
        }
        ledger.person_id = person_id;
        assert!(!ledger.was_evicted().await);
        assert_eq!(ledger.count().await, 4);
    }

    #[tokio::test]
    async fn d9_the_oldest_that_zoho_still_keeps_is_at_stake() {
        let mut ledger = Ledger::new().await;
        let dead = ledger.connect("needs_reconnect", 1, Some(2)).await;
        let first = ledger.connect("active", 3, None).await;
        let second = ledger.connect("active", 4, None).await;
        assert_eq!((ledger.count().await, ledger.at_stake(3).await), (2, None));
        ledger.connect("active", 5, None).await;
        assert_eq!((ledger.count().await, ledger.at_stake(3).await), (3, Some(first)));
        // One more: the first is gone at Zoho, though nobody has noticed yet.
        ledger.connect("active", 6, None).await;
        assert_eq!(ledger.at_stake(3).await, Some(second));
        assert_ne!(Some(dead), ledger.at_stake(5).await);
        // A token that is being revoked goes first, and nobody misses it.
        let mut ledger = Ledger::new().await;
        ledger.supersede(1, None).await;
        ledger.connect("active", 2, None).await;
        ledger.connect("active", 3, None).await;
        assert_eq!((ledger.count().await, ledger.at_stake(3).await), (3, None));
    }
}
