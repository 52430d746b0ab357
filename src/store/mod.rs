//! All SQL, a file per table. Functions say what they do to rows; what a row's absence means is
//! judged by whoever calls.
//!
//! Times are parameters: statements decide nothing by Postgres's `now()` (security.md 4.4).

pub(crate) mod api_key;
pub(crate) mod audit_event;
pub(crate) mod browser_session;
pub(crate) mod connection;
pub(crate) mod console_list;
pub(crate) mod fitness;
pub(crate) mod imported_code;
mod in_time;
pub(crate) mod installation;
pub(crate) mod login_attempt;
pub(crate) mod membership;
pub(crate) mod onboarding_link;
pub(crate) mod operator;
pub(crate) mod organization;
pub(crate) mod person;
mod pool;
pub(crate) mod refresh_minute;
pub(crate) mod revocation;
pub(crate) mod rewrap;
pub(crate) mod shut_gate;
pub(crate) mod tenant;
pub(crate) mod token_escrow;
pub(crate) mod token_vend;
pub(crate) mod tx;
pub(crate) mod webhook_delivery;
pub(crate) mod webhook_endpoint;
pub(crate) mod zoho_client;

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the database did not do it")]
    Database(#[from] sqlx::Error),
    #[error("a stored row makes no sense: {0}")]
    Inconsistent(&'static str),
}

impl StoreError {
    /// The schema is older than this program: a table or column is not there.
    pub(crate) fn lacks_schema(&self) -> bool {
        let Self::Database(sqlx::Error::Database(refused)) = self else { return false };
        matches!(refused.code().as_deref(), Some("42P01" | "42703"))
    }

    /// The connection broke: whoever only read may read again. Where it was silent, the next one is, too.
    pub(crate) fn lost_its_connection(&self) -> bool {
        matches!(self, Self::Database(error @ sqlx::Error::Io(_)) if !in_time::is_too_late(error))
            || matches!(self, Self::Database(sqlx::Error::Protocol(_)))
            || matches!(self, Self::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some("57P01"))
    }

    /// The statement was never sent: no connection could be had.
    pub(crate) fn is_certain_not_to_have_run(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed))
    }
}

/// A stored key that its type no longer knows.
pub(crate) fn known<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Inconsistent(what))
}
