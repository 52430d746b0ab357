//! Time, from the only place that may ask for it (security.md §4.4).
//!
//! - *Shared time* decides ages, expiry, leases and budgets, and is Postgres's: [`Clock::observe`]
//!   is told what Postgres's clock said and how long the question took; between observations the
//!   monotonic clock carries it on. A replica whose wall clock is wrong, or jumps, is no different
//!   from any other.
//! - The wall clock only stands in until the first observation, and is compared with shared time
//!   to warn of a machine that is off.
//! - Durations inside one process are measured by [`Instant`], which this module is not needed
//!   for.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// Digits of a second that Postgres keeps: what is written must compare equal when read back.
const POSTGRES_DIGITS: u16 = 6;

/// A cheap handle; clones share the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    System { anchor: Mutex<Option<Anchor>>, started: Instant },
    Manual { now: Mutex<DateTime<Utc>>, start: DateTime<Utc> },
}

/// Postgres's clock at one instant of ours.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    at: Instant,
    time: DateTime<Utc>,
}

impl Anchor {
    fn time_at(self, instant: Instant) -> DateTime<Utc> {
        match instant.checked_duration_since(self.at) {
            Some(later) => self.time + signed(later),
            None => self.time - signed(self.at.duration_since(instant)),
        }
    }
}

impl Clock {
    /// The clock of a real program.
    pub fn system() -> Self {
        Self(Arc::new(Source::System { anchor: Mutex::new(None), started: Instant::now() }))
    }

    /// A clock that only moves by [`Clock::advance`] and [`Clock::set`].
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Arc::new(Source::Manual { now: Mutex::new(start), start }))
    }

    /// Postgres's time as this replica reckons it, in Postgres's resolution.
    pub fn shared_now(&self) -> DateTime<Utc> {
        let now = match &*self.0 {
            Source::System { anchor, .. } => match *lock(anchor) {
                Some(anchor) => anchor.time_at(Instant::now()),
                None => wall_now(),
            },
            Source::Manual { now, .. } => *lock(now),
        };
        now.trunc_subsecs(POSTGRES_DIGITS)
    }

    /// Postgres's clock read `postgres_now` somewhere between two instants of ours; the middle is
    /// the best guess, and half the round trip how wrong it can be. An estimate within that error
    /// is kept, so that a slow answer does not shake a good one.
    pub fn observe(&self, postgres_now: DateTime<Utc>, round_trip_start: Instant, round_trip_end: Instant) {
        let Source::System { anchor, .. } = &*self.0 else { return };
        let error = round_trip_end.saturating_duration_since(round_trip_start) / 2;
        let middle = Anchor { at: round_trip_start + error, time: postgres_now };
        let mut anchor = lock(anchor);
        let agrees = |known: Anchor| (known.time_at(middle.at) - middle.time).abs() <= signed(error);
        if !anchor.is_some_and(agrees) {
            *anchor = Some(middle);
        }
    }

    /// For how long this clock has been running: what decides how long this process pauses. No jump of
    /// anybody's clock changes it; a manual clock counts what it was moved.
    pub fn monotonic(&self) -> Duration {
        match &*self.0 {
            Source::System { started, .. } => started.elapsed(),
            Source::Manual { now, start } => (*lock(now) - *start).to_std().unwrap_or_default(),
        }
    }

    /// How far this machine's wall clock is from shared time; zero while nothing was observed.
    pub fn skew(&self) -> Duration {
        let Source::System { anchor, .. } = &*self.0 else { return Duration::ZERO };
        let Some(anchor) = *lock(anchor) else { return Duration::ZERO };
        (wall_now() - anchor.time_at(Instant::now())).abs().to_std().unwrap_or(Duration::MAX)
    }

    /// Moves a manual clock forward.
    ///
    /// # Panics
    /// If this is the system's clock, which nobody moves.
    pub fn advance(&self, by: Duration) {
        let mut now = self.manual_time();
        *now += signed(by);
    }

    /// Sets a manual clock.
    ///
    /// # Panics
    /// If this is the system's clock, which nobody sets.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.manual_time() = to;
    }

    fn manual_time(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        match &*self.0 {
            Source::Manual { now, .. } => lock(now),
            Source::System { .. } => panic!("only a manual clock can be moved"),
        }
    }
}

/// A panic elsewhere leaves a time as valid as before.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signed(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
fn wall_now() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn off_by(clock: &Clock, expected: TimeDelta) -> Duration {
        (clock.shared_now() - (wall_now() + expected)).abs().to_std().unwrap()
    }

    const TEST_RUNS_SLOWLY: Duration = Duration::from_secs(2);

    #[test]
    fn r17_shared_time_is_postgres_time_whatever_the_wall_clock_says() {
        let clock = Clock::system();
        assert!(off_by(&clock, TimeDelta::zero()) < TEST_RUNS_SLOWLY);
        assert_eq!(clock.skew(), Duration::ZERO);
        let now = Instant::now();
        clock.observe(wall_now() + TimeDelta::hours(1), now, now);
        assert!(off_by(&clock, TimeDelta::hours(1)) < TEST_RUNS_SLOWLY);
        assert!(clock.skew() > Duration::from_secs(3_590) && clock.skew() < Duration::from_secs(3_610));
    }

    #[test]
    fn r17_a_jump_of_postgres_is_followed_and_a_slow_answer_is_not() {
        let clock = Clock::system();
        let now = Instant::now();
        let postgres = wall_now();
        clock.observe(postgres, now, now);
        let before = clock.shared_now();
        clock.observe(postgres + TimeDelta::milliseconds(100), now, now + Duration::from_secs(1));
        assert!(clock.shared_now() >= before, "within the error of a slow round trip nothing changes");
        clock.observe(postgres - TimeDelta::hours(1), now, now);
        assert!(off_by(&clock, TimeDelta::hours(-1)) < TEST_RUNS_SLOWLY);
    }

    #[test]
    fn the_middle_of_the_round_trip_is_when_postgres_answered() {
        let clock = Clock::system();
        let start = Instant::now();
        let postgres = wall_now();
        clock.observe(postgres, start, start + Duration::from_secs(20));
        assert!(off_by(&clock, TimeDelta::seconds(-10)) < TEST_RUNS_SLOWLY);
    }

    #[test]
    fn shared_time_has_the_resolution_of_postgres() {
        let clock = Clock::manual(noon() + TimeDelta::nanoseconds(1_234_567));
        assert_eq!(clock.shared_now(), noon() + TimeDelta::microseconds(1_234));
    }

    #[test]
    fn a_manual_clock_moves_by_hand_only_and_for_all_its_clones() {
        let clock = Clock::manual(noon());
        let other = clock.clone();
        let now = Instant::now();
        clock.observe(noon() + TimeDelta::hours(5), now, now);
        other.advance(Duration::from_secs(61));
        assert_eq!(clock.shared_now(), noon() + TimeDelta::seconds(61));
        assert_eq!(clock.monotonic(), Duration::from_secs(61));
        clock.set(noon());
        assert_eq!(other.shared_now(), noon());
        assert_eq!(clock.skew(), Duration::ZERO);
    }
}
