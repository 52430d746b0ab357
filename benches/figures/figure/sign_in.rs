//! The whole sign-in: `/login`, consent at the emulator, `/oauth/callback`, the landing page. Sixteen browsers, a new
//! person each time; browsers, emulator, site and Postgres share the cores, as does `pgbench`. Beside it, the rows of a
//! sign-in alone, as fast as Postgres writes them one sign-in at a time.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use super::routes::beside;
use crate::{
    Failure, Outcome,
    floor::Script,
    http::{Connection, get, split},
    load::{count, histogram, median, microseconds},
    report::{Goal, Line, Report},
    stage::Stage,
};

const BROWSERS: usize = 16;

pub(super) async fn measure(stage: &mut Stage, report: &mut Report) -> Outcome {
    let people = Arc::new(stage.emulator.people(stage.scale.count(20_000)).await?);
    sqlx::raw_sql(include_str!("sign_in_rows.sql")).execute(&mut stage.database).await?;
    let (mut values, mut rows, mut floors, mut p99) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut first = 0;
    for _ in 0..stage.scale.rounds() {
        floors.push(stage.pgbench.measure(Script::SimpleUpdate, stage.scale.turn())?);
        let (latency, seconds) = sign_ins(stage.replica.address, &people, first, stage.scale.turn()).await?;
        first += usize::try_from(latency.len())?;
        values.push(count(latency.len()) / seconds);
        p99.push(count(latency.value_at_quantile(0.99)) / 1000.0);
        rows.push(stage.pgbench.measure(Script::SignIn, stage.scale.turn())?);
    }
    sqlx::raw_sql("drop schema bench cascade").execute(&mut stage.database).await?;
    report.add(&beside("sign_in", values, &floors, "sign-ins/s").goal(Goal::Ratio(0.2)))?;
    report.add(&beside("sign_in_rows", rows, &floors, "sign-ins/s"))?;
    report.add(&Line::plain("sign_in_p99", median(p99), "ms"))
}

/// On one thread, like every load.
async fn sign_ins(
    site: SocketAddr,
    people: &Arc<Vec<String>>,
    first: usize,
    duration: Duration,
) -> Outcome<(Histogram<u64>, f64)> {
    let people = Arc::clone(people);
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio::task::LocalSet::new().block_on(&runtime, browse(site, people, first, duration))
    })
    .await?
}

async fn browse(
    site: SocketAddr,
    people: Arc<Vec<String>>,
    first: usize,
    duration: Duration,
) -> Outcome<(Histogram<u64>, f64)> {
    let next = Rc::new(Cell::new(first));
    let started = Instant::now();
    let browsers = (0..BROWSERS).map(|_| {
        let (people, next) = (Arc::clone(&people), Rc::clone(&next));
        tokio::task::spawn_local(async move {
            let mut latency = histogram();
            let mut browser = Browser::open(site).await?;
            while started.elapsed() < duration {
                let person = &people[next.get() % people.len()];
                next.set(next.get() + 1);
                let begun = Instant::now();
                browser.sign_in(person).await?;
                latency.saturating_record(microseconds(begun.elapsed()));
            }
            Ok::<_, Failure>(latency)
        })
    });
    let mut latency = histogram();
    for browser in browsers.collect::<Vec<_>>() {
        latency.add(browser.await??)?;
    }
    Ok((latency, started.elapsed().as_secs_f64()))
}

pub(super) struct Browser {
    site: Connection,
    zoho: Option<Connection>,
}

impl Browser {
    pub(super) async fn open(site: SocketAddr) -> Outcome<Self> {
        Ok(Self { site: Connection::open(site).await?, zoho: None })
    }

    /// As somebody who was never here: with no cookie. Returns the line with those of the session.
    pub(super) async fn sign_in(&mut self, person: &str) -> Outcome<String> {
        let answer = self.site.ask(&get("/login", "")).await?;
        answer.expect(303)?;
        let (consent, cookies) = (answer.location()?, cookies(answer.cookies()));
        let (address, path) = split(&consent)?;
        let zoho = match &mut self.zoho {
            Some(zoho) => zoho,
            none => none.insert(Connection::open(address).await?),
        };
        let callback = zoho.ask(&get(&format!("{path}&emulator_person={person}"), "")).await?.location()?;
        let answer = self.site.ask(&get(split(&callback)?.1, &cookies)).await?;
        answer.expect(303)?;
        let (landing, cookies) = (answer.location()?, self::cookies(answer.cookies()));
        if !landing.starts_with("/connections") {
            return Err(format!("a sign-in ended at {landing}").into());
        }
        self.site.ask(&get(&landing, &cookies)).await?.expect(200)?;
        Ok(cookies)
    }
}

fn cookies<'a>(pairs: impl Iterator<Item = &'a str>) -> String {
    format!("cookie: {}\r\n", pairs.collect::<Vec<_>>().join("; "))
}
