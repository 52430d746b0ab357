//! Load: so many connections ask without pause, on one thread, for a while; and turns of that with a floor.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    Failure, Outcome,
    http::{Answer, Connection},
};

/// What is asked, whom, and what the answer has to be.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) connections: usize,
    /// Asked in turn, over and over.
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
    pub(crate) check: fn(&Answer<'_>) -> Outcome,
    /// Of each connection before it asks again.
    pub(crate) pause: Duration,
}

/// What a turn came to.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    /// In microseconds.
    pub(crate) latency: Histogram<u64>,
}

impl Measured {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a request are far below 2^52")]
    pub(crate) fn milliseconds(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1000.0
    }
}

pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("bounds in order")
}

impl Load {
    /// Asks for as long as told; ends early, with the reason, if an answer is wrong.
    pub(crate) async fn run(&self, duration: Duration) -> Outcome<Measured> {
        self.run_until(move |started| started.elapsed() >= duration).await
    }

    /// Asks so many times.
    pub(crate) async fn run_times(&self, times: usize) -> Outcome<Measured> {
        self.run_while(move |asked, _| asked < times).await
    }

    /// Asks until `is_over` says so.
    pub(crate) async fn run_until(&self, is_over: impl Fn(Instant) -> bool + Send + 'static) -> Outcome<Measured> {
        self.run_while(move |_, started| !is_over(started)).await
    }

    /// Asks as long as `goes_on`, told how often was asked and since when.
    async fn run_while(&self, goes_on: impl Fn(usize, Instant) -> bool + Send + 'static) -> Outcome<Measured> {
        let load = self.clone();
        tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            tokio::task::LocalSet::new().block_on(&runtime, load.ask(Rc::new(goes_on)))
        })
        .await?
    }

    async fn ask(self, goes_on: Rc<dyn Fn(usize, Instant) -> bool>) -> Outcome<Measured> {
        let next = Rc::new(Cell::new(0));
        let mut connections = Vec::with_capacity(self.connections);
        for index in 0..self.connections {
            connections.push(Connection::open(self.addresses[index % self.addresses.len()]).await?);
        }
        let started = Instant::now();
        let mut running = Vec::with_capacity(self.connections);
        for mut connection in connections {
            let (next, goes_on, load) = (Rc::clone(&next), Rc::clone(&goes_on), self.clone());
            running.push(tokio::task::spawn_local(async move {
                let mut latency = histogram();
                while goes_on(next.get(), started) {
                    let index = next.get();
                    next.set(index + 1);
                    let asked = Instant::now();
                    (load.check)(&connection.ask(&load.requests[index % load.requests.len()]).await?)?;
                    latency.saturating_record(microseconds(asked.elapsed()));
                    if !load.pause.is_zero() {
                        tokio::time::sleep(load.pause).await;
                    }
                }
                Ok::<_, Failure>(latency)
            }));
        }
        let mut latency = histogram();
        for task in running {
            latency.add(task.await??)?;
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(Measured { per_second: count(latency.len()) / seconds, latency })
    }
}

pub(crate) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^52 in a run")]
pub(crate) const fn count(number: u64) -> f64 {
    number as f64
}

/// The middle one.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
