//! Tokens that were refused although they were new.
//!
//! A new token that fails at once means a wrong organization, a missing right or another kind of no,
//! rarely an end (`zoho-oauth.md` §11; Books has one number for both). To renew it for every such
//! answer would spend the connection's ten refreshes in ten calls, and take the next token from
//! callers whose calls are good. So for a while its refusals are passed on as they are.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::ids::ConnectionId;

/// Two renewals of ten in Zoho's ten minutes, at most, for calls that never succeed.
const REMEMBERED: TimeDelta = TimeDelta::minutes(5);
/// Beyond it nothing is remembered: the cost is a refresh.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct RefusedTokens(Mutex<HashMap<ConnectionId, (String, DateTime<Utc>)>>);

impl RefusedTokens {
    pub(crate) fn note(&self, connection_id: ConnectionId, token_id: &str, now: DateTime<Utc>) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST {
            refused.retain(|_, (_, since)| now - *since < REMEMBERED);
        }
        if refused.len() < MOST {
            refused.insert(connection_id, (token_id.to_owned(), now));
        }
    }

    pub(crate) fn knows(&self, connection_id: ConnectionId, token_id: &str, now: DateTime<Utc>) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(&connection_id).is_some_and(|(known, since)| known == token_id && now - *since < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_new_token_is_remembered_for_a_while() {
        let (refused, id, now) = (RefusedTokens::default(), ConnectionId::new(), DateTime::UNIX_EPOCH);
        refused.note(id, "a", now);
        assert!(refused.knows(id, "a", now + TimeDelta::minutes(4)));
        assert!(!refused.knows(id, "a", now + REMEMBERED));
        assert!(!refused.knows(id, "b", now));
        assert!(!refused.knows(ConnectionId::new(), "a", now));
    }
}
