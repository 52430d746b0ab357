//! Connections whose token was refused although it was new.
//!
//! A new token that fails at once means a wrong organization, a missing right or another kind of no,
//! rarely an end (`zoho-oauth.md` §11; Books has one number for both). To renew it for every such
//! answer would spend the connection's ten refreshes in ten calls, and take the next token from
//! callers whose calls are good. So for a while refusals of its young tokens are passed on as they
//! are. Each replica finds out by itself, with one refresh.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::ids::ConnectionId;

/// For so long a refusal is remembered, and so old a token is young.
const REMEMBERED: TimeDelta = TimeDelta::minutes(5);
/// Beyond it nothing is remembered: the cost is a refresh.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct RefusedTokens(Mutex<HashMap<ConnectionId, DateTime<Utc>>>);

impl RefusedTokens {
    pub(crate) fn note(&self, connection_id: ConnectionId, now: DateTime<Utc>) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST {
            refused.retain(|_, since| now - *since < REMEMBERED);
        }
        if refused.len() < MOST {
            refused.insert(connection_id, now);
        }
    }

    /// Whether another token would be as good as this one, as far as we know.
    pub(crate) fn is_spared(
        &self,
        connection_id: ConnectionId,
        refreshed_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = |since: &DateTime<Utc>| now - *since < REMEMBERED;
        refused.get(&connection_id).is_some_and(lately) && refreshed_at.as_ref().is_some_and(lately)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_young_tokens_are_remembered_for_a_while() {
        let (refused, id, now) = (RefusedTokens::default(), ConnectionId::new(), DateTime::UNIX_EPOCH);
        refused.note(id, now);
        assert!(refused.is_spared(id, Some(now), now + TimeDelta::minutes(4)));
        assert!(!refused.is_spared(id, Some(now), now + REMEMBERED));
        assert!(!refused.is_spared(id, Some(now - REMEMBERED), now), "an old token may have ended");
        assert!(!refused.is_spared(id, None, now), "so may one that came with the consent");
        assert!(!refused.is_spared(ConnectionId::new(), Some(now), now));
    }
}
