//! What protects Zoho's good opinion of our client, and us: counted per replica, correctness never
//! rests on it.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::data_centre::DataCentre;

/// Exchanges under way at one data centre at once (security.md S-14).
const EXCHANGES: usize = 32;

#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) failed_exchanges: FailuresPerMinute,
    /// Keys that were refused, by the peer that sent them and, apart, by the id they named: guessing
    /// one key from many addresses is limited too (security.md S-54).
    pub(crate) failed_keys: FailuresPerMinute,
    pub(crate) failed_key_ids: FailuresPerMinute,
    exchanges: BTreeMap<DataCentre, Arc<Semaphore>>,
}

impl Limits {
    pub(crate) fn new(failed_exchanges_per_minute: u32, failed_keys_per_minute: u32) -> Self {
        Self {
            failed_keys: FailuresPerMinute::new(failed_keys_per_minute),
            failed_key_ids: FailuresPerMinute::new(failed_keys_per_minute),
            failed_exchanges: FailuresPerMinute::new(failed_exchanges_per_minute),
            exchanges: DataCentre::ALL.into_iter().map(|dc| (dc, Arc::new(Semaphore::new(EXCHANGES)))).collect(),
        }
    }

    /// A place among the exchanges of that data centre, if one is free.
    pub(crate) fn exchanges(&self, data_centre: DataCentre) -> Option<OwnedSemaphorePermit> {
        Arc::clone(self.exchanges.get(&data_centre)?).try_acquire_owned().ok()
    }
}

/// Failures per peer and minute. Only failures count, so that nobody's success is in the way of
/// somebody else behind the same address.
#[derive(Debug)]
pub(crate) struct FailuresPerMinute {
    most: Option<NonZeroU32>,
    peers: Mutex<HashMap<String, (Instant, u32)>>,
}

const MINUTE: Duration = Duration::from_secs(60);
/// Peers remembered at once; beyond it those whose minute is over are forgotten first.
const MOST_PEERS: usize = 10_000;

impl FailuresPerMinute {
    /// 0 is off.
    pub(crate) fn new(most: u32) -> Self {
        Self { most: NonZeroU32::new(most), peers: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn count(&self, peer: &str) {
        if self.most.is_none() {
            return;
        }
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= MOST_PEERS {
            peers.retain(|_, (since, _)| since.elapsed() < MINUTE);
            // So many at once are no people; whoever is counted already stays so.
            if peers.len() >= MOST_PEERS && !peers.contains_key(peer) {
                return;
            }
        }
        let (since, failures) = peers.entry(peer.to_owned()).or_insert_with(|| (Instant::now(), 0));
        if since.elapsed() >= MINUTE {
            (*since, *failures) = (Instant::now(), 0);
        }
        *failures += 1;
    }

    /// How long this peer has to wait, if it failed too often.
    pub(crate) fn exceeded(&self, peer: &str) -> Option<Duration> {
        let most = self.most?.get();
        let peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, failures) = peers.get(peer)?;
        let left = MINUTE.checked_sub(since.elapsed())?;
        (*failures >= most).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s14_only_the_peer_that_failed_waits() {
        let failures = FailuresPerMinute::new(2);
        failures.count("10.0.0.1");
        assert_eq!(failures.exceeded("10.0.0.1"), None);
        failures.count("10.0.0.1");
        assert!(failures.exceeded("10.0.0.1").is_some_and(|wait| wait <= MINUTE));
        assert_eq!(failures.exceeded("10.0.0.2"), None);
    }

    #[test]
    fn zero_switches_a_limit_off() {
        let failures = FailuresPerMinute::new(0);
        for _ in 0..100 {
            failures.count("10.0.0.1");
        }
        assert_eq!(failures.exceeded("10.0.0.1"), None);
    }
}
