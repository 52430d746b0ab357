//! The way to one data centre's token endpoint: how many calls at once, how far apart, and when none
//! at all. Kept by each replica for itself; correctness never rests on it (security.md 4.3).
//!
//! - 32 calls at once; of these 8 may be the worker's, so that callers find a place.
//! - *Breaker*: 5 calls in 10 s without a sensible answer, and nobody calls for 10 s; then one call
//!   tries, and the rest waits for how it goes.
//! - *Slow*: 20 throttled answers in a minute, and calls keep a distance for five minutes.
//! - *Misconfigured*: a client that was refused is not shown again for 30 s.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const AT_ONCE: usize = 32;
const UNASKED: usize = 8;

const FAILURES: usize = 5;
const FAILURES_WITHIN: Duration = Duration::from_secs(10);
const OPEN: Duration = Duration::from_secs(10);
/// A probe whose outcome nobody told is given up after this long.
const PROBE: Duration = Duration::from_secs(12);

const THROTTLED: usize = 20;
const THROTTLED_WITHIN: Duration = Duration::from_secs(60);
const SLOW: Duration = Duration::from_secs(300);
const DISTANCE: Duration = Duration::from_millis(500);

const MISCONFIGURED: Duration = Duration::from_secs(30);

/// Clients that were refused, remembered at once: imported ones may be many.
const MOST_CLIENTS: usize = 1000;

/// All times are of `Clock::monotonic`.
#[derive(Debug)]
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    unasked: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: VecDeque<Duration>,
    /// Since when nobody calls.
    opened: Option<Duration>,
    /// Since when one call tries.
    probing: Option<Duration>,
    throttled: VecDeque<Duration>,
    slow_since: Option<Duration>,
    /// When the next call may go, while slow.
    next_call: Duration,
    misconfigured: HashMap<String, Duration>,
}

/// Why nobody calls now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    Broken {
        wait: Duration,
    },
    Misconfigured {
        wait: Duration,
    },
    /// Zoho throttles the data centre, and the turns of the next seconds are taken.
    Slow {
        wait: Duration,
    },
}

/// How a call ended, as far as the way to Zoho is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Zoho answered, whatever it said.
    Answered,
    Throttled,
    Misconfigured,
    NoAnswer,
}

/// A place among the calls under way.
#[derive(Debug)]
pub(crate) struct Place {
    _place: OwnedSemaphorePermit,
    _unasked: Option<OwnedSemaphorePermit>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            unasked: Arc::new(Semaphore::new(UNASKED)),
            state: Mutex::default(),
        }
    }
}

impl Gate {
    /// For a caller: waits until a place is free.
    pub(crate) async fn place(&self) -> Place {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed");
        Place { _place: place, _unasked: None }
    }

    /// For the worker: places that are free now.
    pub(crate) fn unasked_places(&self) -> Vec<Place> {
        let free = || {
            let unasked = Arc::clone(&self.unasked).try_acquire_owned().ok()?;
            let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
            Some(Place { _place: place, _unasked: Some(unasked) })
        };
        std::iter::from_fn(free).collect()
    }

    /// Whether a call in the name of this client may go. Lets one through to try, where nobody else may.
    pub(crate) fn check(&self, client_id: &str, now: Duration) -> Result<(), Shut> {
        let mut state = self.lock();
        if let Some(since) = state.misconfigured.get(client_id).copied() {
            if let Some(wait) = left(since, MISCONFIGURED, now) {
                return Err(Shut::Misconfigured { wait });
            }
            state.misconfigured.remove(client_id);
        }
        let Some(opened) = state.opened else { return Ok(()) };
        if let Some(wait) = left(opened, OPEN, now) {
            return Err(Shut::Broken { wait });
        }
        match state.probing {
            Some(since) if left(since, PROBE, now).is_some() => Err(Shut::Broken { wait: Duration::from_secs(1) }),
            _ => {
                state.probing = Some(now);
                Ok(())
            }
        }
    }

    /// How long nobody calls at all, whoever the client is: looked at before a lease is taken.
    pub(crate) fn broken_for(&self, now: Duration) -> Option<Duration> {
        let state = self.lock();
        let probed = || state.probing.is_some_and(|since| left(since, PROBE, now).is_some());
        left(state.opened?, OPEN, now).or_else(|| probed().then_some(Duration::from_secs(1)))
    }

    /// What keeps calls from going as they would, for whoever looks on.
    pub(crate) fn shut(&self, now: Duration) -> Option<&'static str> {
        let state = self.lock();
        if state.opened.is_some() {
            return Some("broken");
        }
        if state.misconfigured.values().any(|since| left(*since, MISCONFIGURED, now).is_some()) {
            return Some("misconfigured");
        }
        state.slow_since.and_then(|since| left(since, SLOW, now)).map(|_| "slow")
    }

    /// How long to hold this call back, where calls keep a distance. Whose turn would come later than it
    /// may wait takes none, so that no turn is lost.
    pub(crate) fn distance(&self, may_wait: Duration, now: Duration) -> Result<Duration, Shut> {
        let mut state = self.lock();
        if state.slow_since.and_then(|since| left(since, SLOW, now)).is_none() {
            state.slow_since = None;
            return Ok(Duration::ZERO);
        }
        let at = state.next_call.max(now);
        let wait = at.saturating_sub(now);
        if wait >= may_wait {
            return Err(Shut::Slow { wait });
        }
        state.next_call = at + DISTANCE;
        Ok(wait)
    }

    /// True where this has just broken the way, or shown a client to be refused: somebody must be told.
    pub(crate) fn ended(&self, client_id: &str, ended: Ended, now: Duration) -> bool {
        let mut state = self.lock();
        state.probing = None;
        if ended == Ended::NoAnswer {
            return state.no_answer(now);
        }
        state.opened = None;
        state.failures.clear();
        match ended {
            Ended::Throttled => {
                let throttled = within(&mut state.throttled, now, THROTTLED_WITHIN);
                if throttled >= THROTTLED {
                    if state.slow_since.is_none() {
                        state.next_call = now;
                    }
                    state.slow_since = Some(now);
                }
                false
            }
            Ended::Misconfigured => {
                state.misconfigured.retain(|_, since| left(*since, MISCONFIGURED, now).is_some());
                state.misconfigured.len() < MOST_CLIENTS
                    && state.misconfigured.insert(client_id.to_owned(), now).is_none()
            }
            Ended::Answered | Ended::NoAnswer => false,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn no_answer(&mut self, now: Duration) -> bool {
        let was_open = self.opened.is_some();
        if was_open || within(&mut self.failures, now, FAILURES_WITHIN) >= FAILURES {
            self.failures.clear();
            self.opened = Some(now);
        }
        !was_open && self.opened.is_some()
    }
}

/// What is left of a span that began at `since`, if anything is.
fn left(since: Duration, span: Duration, now: Duration) -> Option<Duration> {
    span.checked_sub(now.saturating_sub(since)).filter(|left| !left.is_zero())
}

/// Adds one, forgets the old, counts the rest.
fn within(times: &mut VecDeque<Duration>, now: Duration, span: Duration) -> usize {
    times.push_back(now);
    while times.front().is_some_and(|first| now.saturating_sub(*first) > span) {
        times.pop_front();
    }
    times.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn r9_five_failures_break_the_way_and_one_call_tries_again() {
        let gate = Gate::default();
        for second in 0..4 {
            assert!(!gate.ended("c", Ended::NoAnswer, s(second)));
        }
        assert_eq!(gate.check("c", s(4)), Ok(()));
        assert!(gate.ended("c", Ended::NoAnswer, s(4)), "somebody is told");
        assert_eq!(gate.check("c", s(10)), Err(Shut::Broken { wait: s(4) }));
        assert_eq!((gate.broken_for(s(10)), gate.broken_for(s(14))), (Some(s(4)), None));
        assert_eq!(gate.check("c", s(14)), Ok(()), "one tries");
        assert!(gate.check("c", s(14)).is_err(), "and only one");
        assert!(!gate.ended("c", Ended::NoAnswer, s(15)));
        assert!(gate.check("c", s(24)).is_err());
        assert_eq!(gate.check("c", s(25)), Ok(()));
        gate.ended("c", Ended::Answered, s(25));
        assert_eq!(gate.check("c", s(25)), Ok(()));
    }

    #[test]
    fn failures_far_apart_break_nothing() {
        let gate = Gate::default();
        for second in 0..20 {
            assert!(!gate.ended("c", Ended::NoAnswer, s(second * 5)));
        }
        assert_eq!(gate.check("c", s(100)), Ok(()));
    }

    #[test]
    fn r11_a_refused_client_waits_and_no_other() {
        let gate = Gate::default();
        assert!(gate.ended("ours", Ended::Misconfigured, s(0)));
        assert_eq!(gate.check("ours", s(10)), Err(Shut::Misconfigured { wait: s(20) }));
        assert_eq!(gate.check("theirs", s(10)), Ok(()));
        assert_eq!(gate.check("ours", s(30)), Ok(()));
    }

    #[test]
    fn r10_many_throttled_answers_slow_the_data_centre() {
        let gate = Gate::default();
        for _ in 0..20 {
            assert_eq!(gate.distance(s(10), s(0)), Ok(s(0)));
            gate.ended("c", Ended::Throttled, s(1));
        }
        let waits = [gate.distance(s(10), s(2)), gate.distance(s(10), s(2)), gate.distance(s(10), s(2))];
        assert_eq!(waits, [Ok(s(0)), Ok(DISTANCE), Ok(DISTANCE * 2)]);
        for _ in 0..100 {
            let refused = gate.distance(s(1), s(2));
            assert_eq!(refused, Err(Shut::Slow { wait: DISTANCE * 3 }), "who cannot wait takes no turn");
        }
        assert_eq!(gate.distance(s(10), s(2)), Ok(DISTANCE * 3));
        assert_eq!(gate.distance(s(1), s(302)), Ok(s(0)), "for five minutes");
    }

    #[tokio::test]
    async fn r8_the_worker_leaves_places_for_callers() {
        let gate = Gate::default();
        let unasked = gate.unasked_places();
        assert_eq!(unasked.len(), UNASKED);
        assert!(gate.unasked_places().is_empty());
        let mut callers = Vec::new();
        for _ in 0..AT_ONCE - UNASKED {
            callers.push(gate.place().await);
        }
        assert!(tokio::time::timeout(Duration::from_millis(5), gate.place()).await.is_err());
        drop(unasked);
        assert!(tokio::time::timeout(Duration::from_millis(50), gate.place()).await.is_ok());
    }
}
