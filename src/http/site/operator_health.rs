//! `/operator/health`: how the installation fares at each of Zoho's data centres, and who comes near a limit.
//!
//! The figures renew themselves by `/operator/health/figures`, which names neither tenants nor people. That the page was
//! opened is in the audit; that it is still open is not.

mod plots;

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::plot::Plot;
use crate::{
    app::App,
    domain::data_centre::DataCentre,
    http::{
        operator::Operator,
        page::{self, Label, Place, Shell},
        problem::Problem,
    },
    store::{
        StoreError,
        console_list::Counted,
        operator::health::{Standing, list_crowded_people, list_hot_connections, list_pieces, list_standing},
        tx::Tx,
    },
    vault::deposit::near_limit,
};
use plots::Hour;

#[derive(Template)]
#[template(path = "operator_health.html")]
pub(crate) struct OperatorHealthPage {
    pub(crate) shell: Shell,
    pub(crate) figures: Figures,
    pub(crate) hot: Vec<HotConnection>,
    pub(crate) crowded: Vec<CrowdedPerson>,
    /// Zoho's limits, as they are kept here.
    pub(crate) refreshes: u32,
    pub(crate) refresh_tokens: u32,
}

/// The part that renews itself.
#[derive(Template)]
#[template(path = "operator/figures_alone.html")]
pub(crate) struct FiguresPage {
    pub(crate) figures: Figures,
    pub(crate) favicon: &'static str,
}

pub(crate) struct Figures {
    pub(crate) data_centres: Vec<DataCentreRow>,
    /// Of those where there was something to count, in the same order.
    pub(crate) plots: Vec<DataCentrePlots>,
}

pub(crate) struct DataCentreRow {
    pub(crate) key: &'static str,
    pub(crate) way: Way,
    pub(crate) due: Counted,
    pub(crate) throttled: Counted,
    pub(crate) unavailable: Counted,
    pub(crate) broken: Counted,
    /// In the last hour.
    pub(crate) refreshed: i64,
    pub(crate) failed: i64,
    /// In milliseconds; absent where none was counted.
    pub(crate) took: Option<(i64, i64)>,
}

/// How replicas call Zoho there; with the number of those that do not call as they would.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// They keep a distance, because Zoho throttles.
    Slow(i64),
    /// Zoho refused a client.
    Misconfigured(i64),
    /// The breaker is open: Zoho gives no sensible answer.
    Broken(i64),
}

impl Way {
    fn of(standing: &Standing) -> Self {
        match (standing.broken_gates, standing.misconfigured_gates, standing.slow_gates) {
            (broken @ 1.., ..) => Self::Broken(broken),
            (_, misconfigured @ 1.., _) => Self::Misconfigured(misconfigured),
            (_, _, slow @ 1..) => Self::Slow(slow),
            _ => Self::Open,
        }
    }
}

pub(crate) struct DataCentrePlots {
    pub(crate) key: &'static str,
    pub(crate) since: String,
    pub(crate) refreshed: Plot,
    pub(crate) failed: Plot,
    /// Mean milliseconds.
    pub(crate) took: Plot,
}

impl DataCentrePlots {
    /// From when on, refreshed, failed, mean milliseconds: the table behind the three.
    fn numbers(&self) -> impl Iterator<Item = (&str, i64, i64, i64)> {
        let others = self.failed.bars.iter().zip(&self.took.bars);
        let bars = self.refreshed.bars.iter().zip(others);
        bars.map(|(refreshed, (failed, took))| (refreshed.day.as_str(), refreshed.count, failed.count, took.count))
    }
}

pub(crate) struct HotConnection {
    pub(crate) id: String,
    pub(crate) product: String,
    pub(crate) tenant: Label,
    pub(crate) calls: i64,
}

pub(crate) struct CrowdedPerson {
    pub(crate) name: Label,
    pub(crate) email: Label,
    pub(crate) data_centre: String,
    pub(crate) tokens: i64,
}

/// Minutes of one bar, and bars: an hour.
const MINUTES: i32 = 3;
const BARS: i32 = 20;

impl Figures {
    async fn read(tx: &mut Tx, data_centres: &[DataCentre], now: DateTime<Utc>) -> Result<Self, StoreError> {
        // Bars begin at full pieces of time, so that they do not flicker.
        let end = now.duration_trunc(TimeDelta::minutes(i64::from(MINUTES))).unwrap_or(now);
        let since = end - TimeDelta::minutes(i64::from(MINUTES * (BARS - 1)));
        let pieces = list_pieces(tx, since, MINUTES, BARS).await?;
        let standing = list_standing(tx, data_centres, now).await?;
        let hours: Vec<_> = data_centres.iter().map(|data_centre| Hour::of(*data_centre, &pieces, BARS)).collect();
        let rows = standing.iter().zip(&hours).map(|(standing, hour)| DataCentreRow {
            key: standing.data_centre.key(),
            way: Way::of(standing),
            due: Counted::of(standing.due),
            throttled: Counted::of(standing.throttled),
            unavailable: Counted::of(standing.unavailable),
            broken: Counted::of(standing.broken),
            refreshed: hour.refreshed.iter().sum(),
            failed: hour.failed.iter().sum(),
            took: hour.took(),
        });
        Ok(Self {
            data_centres: rows.collect(),
            plots: hours.iter().filter_map(|hour| hour.plots(since, MINUTES)).collect(),
        })
    }
}

/// In the order of the table of hosts.
fn data_centres(app: &App) -> Vec<DataCentre> {
    app.config.zoho.servers.data_centres().map(|(data_centre, _)| data_centre).collect()
}

/// `GET /operator/health`
pub(crate) async fn get_health(app: web::Data<App>, operator: Operator) -> Result<HttpResponse, Problem> {
    let now = app.clock.shared_now();
    let mut tx = operator.look(&app, "health").await?;
    let figures = Figures::read(&mut tx, &data_centres(&app), now).await?;
    let hot = list_hot_connections(&mut *tx, now).await?;
    let crowded = list_crowded_people(&mut *tx, near_limit(&app.config)).await?;
    tx.commit().await?;
    let page = OperatorHealthPage {
        shell: operator.shell(&app, Place::OperatorHealth),
        figures,
        hot: hot
            .into_iter()
            .map(|hot| HotConnection {
                id: hot.connection_id.to_string(),
                product: hot.product,
                tenant: Label::new(&hot.tenant_name),
                calls: hot.calls,
            })
            .collect(),
        crowded: crowded
            .into_iter()
            .map(|person| CrowdedPerson {
                name: Label::new(&person.display_name),
                email: Label::new(&person.email),
                data_centre: person.data_centre,
                tokens: person.tokens,
            })
            .collect(),
        refreshes: app.config.refreshes_per_10_minutes,
        refresh_tokens: app.config.refresh_tokens_per_person,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `GET /operator/health/figures`: what the page fetches while somebody looks at it, which is one look at it.
pub(crate) async fn get_figures(app: web::Data<App>, operator: Operator) -> Result<HttpResponse, Problem> {
    let mut tx = operator.go_on_looking(&app, "health").await?;
    let figures = Figures::read(&mut tx, &data_centres(&app), app.clock.shared_now()).await?;
    tx.commit().await?;
    let favicon = operator.shell(&app, Place::OperatorHealth).favicon();
    Ok(page::respond(StatusCode::OK, &FiguresPage { figures, favicon })?)
}

#[cfg(test)]
mod samples;
