//! Whether the database answers, asked over a connection of its own (security.md S-1, 4.9).

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgConnection},
};

use crate::{
    clock::Clock,
    store::{StoreError, installation},
    telemetry::chain,
};

/// Between two probes.
const EVERY: Duration = Duration::from_millis(500);
/// A probe that fails says so at once; this is for a program too busy to probe.
const COUNTS_FOR: Duration = Duration::from_secs(3);
/// A database that takes longer is as good as none.
const ROUND_TRIP: Duration = Duration::from_millis(300);
const CONNECT: Duration = Duration::from_millis(900);
/// A wall clock that is further off is a broken machine (security.md R-17).
const SKEW_NOT_READY: Duration = Duration::from_secs(60);
const SKEW_WARNED: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Readiness {
    answered_at: Mutex<Option<Instant>>,
    attempts_from_micros: AtomicI64,
    skewed: AtomicBool,
    warned: AtomicBool,
    stopping: AtomicBool,
}

impl Readiness {
    pub(crate) fn new() -> Self {
        Self {
            answered_at: Mutex::new(None),
            attempts_from_micros: AtomicI64::new(i64::MAX),
            skewed: AtomicBool::new(false),
            warned: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    /// The last probe succeeded, and not long ago.
    pub(crate) fn database_answers(&self) -> bool {
        let answered_at = *self.answered_at.lock().unwrap_or_else(PoisonError::into_inner);
        answered_at.is_some_and(|at| at.elapsed() <= COUNTS_FOR)
    }

    /// For load balancers: the database answers, the wall clock is sane, nobody asked us to stop.
    pub(crate) fn is_ready(&self) -> bool {
        self.database_answers() && !self.skewed.load(Ordering::Relaxed) && !self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Attempts begun before are refused (security.md R-30).
    pub(crate) fn attempts_from(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.attempts_from_micros.load(Ordering::Relaxed))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn answered(&self, at: Option<Instant>) {
        *self.answered_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// Probes for as long as the program runs.
pub(crate) async fn probe_for_ever(readiness: &Readiness, clock: &Clock, options: &PgConnectOptions) {
    let mut connection = None;
    loop {
        connection = probe(readiness, clock, options, connection).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// One probe; hands back the connection if it is still good.
pub(crate) async fn probe(
    readiness: &Readiness,
    clock: &Clock,
    options: &PgConnectOptions,
    connection: Option<PgConnection>,
) -> Option<PgConnection> {
    match ask(clock, options, connection).await {
        Ok((connection, asked_at, attempts_from)) => {
            readiness.attempts_from_micros.store(attempts_from.timestamp_micros(), Ordering::Relaxed);
            readiness.answered(Some(asked_at));
            let skew = clock.skew();
            readiness.skewed.store(skew > SKEW_NOT_READY, Ordering::Relaxed);
            let is_off = skew > SKEW_WARNED;
            if is_off && !readiness.warned.swap(is_off, Ordering::Relaxed) {
                tracing::warn!(skew_seconds = skew.as_secs(), "this machine's clock differs from the database's");
            }
            Some(connection)
        }
        Err(error) => {
            if readiness.database_answers() {
                tracing::error!(error = chain(&error), "the database does not answer");
            }
            readiness.answered(None);
            None
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ProbeError {
    #[error("no answer in time")]
    Late,
    #[error("no connection")]
    Connect(#[source] sqlx::Error),
    #[error("no answer")]
    Ask(#[source] StoreError),
}

async fn ask(
    clock: &Clock,
    options: &PgConnectOptions,
    connection: Option<PgConnection>,
) -> Result<(PgConnection, Instant, DateTime<Utc>), ProbeError> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => tokio::time::timeout(CONNECT, options.connect())
            .await
            .map_err(|_| ProbeError::Late)?
            .map_err(ProbeError::Connect)?,
    };
    let asked_at = Instant::now();
    let probe = tokio::time::timeout(ROUND_TRIP, installation::probe(&mut connection))
        .await
        .map_err(|_| ProbeError::Late)?
        .map_err(ProbeError::Ask)?;
    clock.observe(probe.at, asked_at, Instant::now());
    Ok((connection, asked_at, probe.attempts_from))
}
