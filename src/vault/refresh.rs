//! The refresh engine: one token call per connection, whoever asks, on however many replicas
//! (design.md §7, security.md 4.3).
//!
//! 1. Callers of one process share one *flight* per connection ([`refresh`]).
//! 2. The flight finds a place at the data centre's [`gate`], then claims the connection's lease: one
//!    statement for lease, fence and budget (`store/connection/refresh.rs`). No transaction, lock or
//!    connection of the pool is held while Zoho is asked.
//! 3. Who gets the lease asks Zoho ([`attempt`]), at most 10 s after the claim, and writes what came of
//!    it, named by owner and fence. Who comes later than that finds its lease gone and writes nothing.
//! 4. Who does not get it follows: reads the row again until there is another token, or until it is
//!    clear that there will be none.
//! 5. The worker ([`due`]) refreshes connections in use before their tokens end, with jitter, and
//!    each other one once a day.
//!
//! What an answer means for the connection is [`consequence`]'s.

mod attempt;
mod consequence;
pub(crate) mod due;
pub(crate) mod gate;
pub(crate) mod health;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::time::sleep;
use uuid::Uuid;

use self::gate::{Gate, Shut};
use crate::{
    app::App,
    domain::{
        connection::Health,
        data_centre::DataCentre,
        ids::{ConnectionId, TenantId},
    },
    store::{
        StoreError,
        connection::refresh::{self as store, BELIEVED_LEASE, BELIEVED_WAIT, BUDGET_SPAN, Standing},
    },
    telemetry::chain,
};

/// How long a caller follows somebody else's refresh.
pub(crate) const FOLLOW: Duration = Duration::from_secs(8);
/// How often a follower looks, at random between the two.
const LOOK: std::ops::RangeInclusive<u64> = 25..=100;

/// Flights and gates of this replica.
#[derive(Debug)]
pub(crate) struct Refreshes {
    /// Who we are where leases are written.
    owner: Uuid,
    health: health::Health,
    flights: Mutex<HashMap<ConnectionId, Flight>>,
    gates: BTreeMap<DataCentre, Gate>,
}

#[derive(Clone)]
struct Flight {
    seen_version: i64,
    landing: Shared<BoxFuture<'static, Outcome>>,
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").field("seen_version", &self.seen_version).finish_non_exhaustive()
    }
}

impl Default for Refreshes {
    fn default() -> Self {
        Self {
            owner: Uuid::now_v7(),
            health: health::Health::default(),
            flights: Mutex::default(),
            gates: DataCentre::ALL.into_iter().map(|data_centre| (data_centre, Gate::default())).collect(),
        }
    }
}

impl Refreshes {
    pub(crate) fn gate(&self, data_centre: DataCentre) -> &Gate {
        self.gates.get(&data_centre).expect("there is a gate for every data centre")
    }
}

/// The connection, and the token that is not good enough any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stale {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) data_centre: DataCentre,
    pub(crate) token_version: i64,
}

/// What came of a refresh; the row says the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is another token than the one seen.
    Fresh,
    /// The connection is not active any more.
    Ended,
    Failed(Trouble),
}

/// Why there is no new token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// By Zoho, or because our own count of its budget is full.
    Throttled {
        wait: Duration,
    },
    Unavailable {
        wait: Duration,
    },
    Misconfigured {
        wait: Duration,
    },
    Misbehaved,
    Unreadable,
    /// Ours: the database, or nobody was done in time.
    Busy,
}

/// For callers who have nothing better to be told.
pub(crate) const SOON: Duration = Duration::from_secs(2);

/// Asks for a newer token, together with whoever else asks for it here. The flight goes on whether or
/// not anybody waits for it to land.
pub(crate) fn refresh(app: &Arc<App>, stale: Stale) -> impl Future<Output = Outcome> + use<> {
    let mut flights = app.refreshes.flights.lock().unwrap_or_else(PoisonError::into_inner);
    match flights.get(&stale.connection_id) {
        // One that has landed and is still there ended by a panic.
        Some(flight) if flight.seen_version >= stale.token_version && flight.landing.peek().is_none() => {
            flight.landing.clone()
        }
        _ => {
            let landing = take_off(app, stale);
            let flight = Flight { seen_version: stale.token_version, landing: landing.clone() };
            flights.insert(stale.connection_id, flight);
            landing
        }
    }
}

/// Runs on the program's own runtime: nobody who leaves can stop it.
fn take_off(app: &Arc<App>, stale: Stale) -> Shared<BoxFuture<'static, Outcome>> {
    let task = {
        let app = Arc::clone(app);
        app.clone().spawn(async move {
            let outcome = fly(&app, stale).await;
            let mut flights = app.refreshes.flights.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever has seen a newer token may have taken off since.
            if flights.get(&stale.connection_id).is_some_and(|flight| flight.seen_version == stale.token_version) {
                flights.remove(&stale.connection_id);
            }
            outcome
        })
    };
    task.map(|landed| landed.unwrap_or(Outcome::Failed(Trouble::Busy))).boxed().shared()
}

async fn fly(app: &Arc<App>, stale: Stale) -> Outcome {
    let give_up = Instant::now() + FOLLOW;
    loop {
        let step = match tokio::time::timeout_at(give_up.into(), step(app, stale)).await {
            Ok(Step::Claimed(claimed)) => return attempt::finish(app, *claimed).await,
            Ok(step) => step,
            Err(_elapsed) => return Outcome::Failed(Trouble::Busy),
        };
        match step {
            Step::Landed(outcome) => return outcome,
            Step::Wait(pause) if Instant::now() + pause < give_up => sleep(pause).await,
            Step::Wait(_) | Step::Claimed(_) => return Outcome::Failed(Trouble::Busy),
        }
    }
}

enum Step {
    Claimed(Box<attempt::Attempt>),
    Landed(Outcome),
    Wait(Duration),
}

async fn step(app: &Arc<App>, stale: Stale) -> Step {
    match try_to_claim(app, stale).await {
        Ok(step) => step,
        Err(error) => {
            tracing::warn!(error = chain(&error), connection.id = %stale.connection_id, "a refresh waits for the database");
            Step::Landed(Outcome::Failed(Trouble::Busy))
        }
    }
}

async fn try_to_claim(app: &Arc<App>, stale: Stale) -> Result<Step, StoreError> {
    let key = (stale.tenant_id, stale.connection_id);
    let gate = app.refreshes.gate(stale.data_centre);
    if let Some(wait) = gate.broken_for(app.clock.monotonic()) {
        return Ok(Step::Landed(Outcome::Failed(Trouble::Unavailable { wait })));
    }
    let place = gate.place().await;
    let clock = attempt::Started::now(app);
    let budget = app.config.refreshes_per_10_minutes;
    let budget = i32::try_from(budget).unwrap_or(i32::MAX);
    let owner = app.refreshes.owner;
    // The statement may be done though nobody waits for it any more: the lease then runs out.
    let claimed = store::claim(app.pools.critical(), key, stale.token_version, owner, budget, clock.shared).await?;
    if let Some(claimed) = claimed {
        return Ok(Step::Claimed(Box::new(attempt::Attempt::new(claimed, clock, place, attempt::Asked::ByCaller))));
    }
    drop(place);
    let Some(standing) = store::find_standing(app.pools.engine(), key).await? else {
        return Ok(Step::Landed(Outcome::Ended));
    };
    Ok(judge(&standing, stale.token_version, app.config.refreshes_per_10_minutes, app.clock.shared_now()))
}

/// Why a claim was refused, and what that means to who waits.
fn judge(standing: &Standing, seen_version: i64, budget: u32, now: DateTime<Utc>) -> Step {
    if !standing.is_active {
        return Step::Landed(Outcome::Ended);
    }
    if standing.token_version != seen_version {
        return Step::Landed(Outcome::Fresh);
    }
    if standing.lease_until.is_some_and(|until| until > now && until <= now + BELIEVED_LEASE) {
        return Step::Wait(Duration::from_millis(rand::random_range(LOOK)));
    }
    if let Some(retry_at) = standing.retry_at.filter(|at| *at > now && *at <= now + BELIEVED_WAIT) {
        return Step::Landed(Outcome::Failed(waiting(standing.health, until(retry_at, now))));
    }
    let calls = standing.token_calls.iter().rev().filter(|at| **at <= now + BELIEVED_LEASE);
    let first_that_counts = calls.into_iter().nth(usize::try_from(budget).unwrap_or(usize::MAX) - 1);
    match first_that_counts.map(|first| *first + BUDGET_SPAN).filter(|free_at| *free_at > now) {
        Some(free_at) => Step::Landed(Outcome::Failed(Trouble::Throttled { wait: until(free_at, now) })),
        // The lease has just been given back.
        None => Step::Wait(Duration::from_millis(rand::random_range(LOOK))),
    }
}

/// What a connection waits for that nobody may ask about yet.
pub(super) fn waiting(health: Health, wait: Duration) -> Trouble {
    match health {
        Health::Throttled => Trouble::Throttled { wait },
        Health::Misconfigured => Trouble::Misconfigured { wait },
        Health::Unreadable => Trouble::Unreadable,
        Health::Ok | Health::Unavailable => Trouble::Unavailable { wait },
    }
}

fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (at - now).to_std().unwrap_or_default()
}

impl Trouble {
    /// As metrics name it.
    const fn key(self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Misbehaved => "misbehaved",
            Self::Unreadable => "unreadable",
            Self::Busy => "busy",
        }
    }
}

impl From<Shut> for Trouble {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Broken { wait } => Self::Unavailable { wait },
            Shut::Misconfigured { wait } => Self::Misconfigured { wait },
            Shut::Slow { wait } => Self::Throttled { wait },
        }
    }
}

/// How long a connection that nobody uses keeps its tokens: one refresh a day keeps it healthy, and
/// tells when Zoho's side has ended.
pub(crate) fn idle_pause() -> TimeDelta {
    TimeDelta::hours(23) + TimeDelta::seconds(rand::random_range(0..=7200))
}

/// Who uses a connection has it refreshed so long before its token ends.
pub(crate) fn early() -> TimeDelta {
    TimeDelta::minutes(5) + TimeDelta::seconds(rand::random_range(0..=120))
}
