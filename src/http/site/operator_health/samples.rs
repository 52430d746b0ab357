//! Samples of the page: typical, nothing yet, everything wrong.

use super::*;
use crate::{http::page::tests, store::operator::health::Piece};

fn row(data_centre: DataCentre, way: Way, failed: i64) -> DataCentreRow {
    DataCentreRow {
        key: data_centre.key(),
        way,
        due: Counted::of(12),
        throttled: Counted::of(failed / 10),
        unavailable: Counted::of(failed / 20),
        broken: Counted::of(0),
        refreshed: 4_213,
        failed,
        took: Some((212, 1_804)),
    }
}

fn idle(data_centre: DataCentre) -> DataCentreRow {
    DataCentreRow { due: Counted::of(0), refreshed: 0, took: None, ..row(data_centre, Way::Open, 0) }
}

fn plots(data_centre: DataCentre, failing: bool) -> Option<DataCentrePlots> {
    let piece = |piece: i32| Piece {
        data_centre,
        piece,
        refreshed: 120 + i64::from(piece * 7 % 40),
        failed: if failing && piece > 14 { i64::from(piece) } else { 0 },
        total_ms: 24_000 + i64::from(piece * 977 % 6_000),
        longest_ms: 900,
    };
    let pieces: Vec<_> = (0..BARS).map(piece).collect();
    Hour::of(data_centre, &pieces, BARS).plots(tests::now() - TimeDelta::minutes(57), MINUTES)
}

fn hot(tenant: &str, calls: i64) -> HotConnection {
    HotConnection {
        id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
        product: "crm".to_owned(),
        tenant: tenant.into(),
        calls,
    }
}

fn crowded(name: &str) -> CrowdedPerson {
    CrowdedPerson { name: name.into(), email: "ann@example.com".into(), data_centre: "eu".to_owned(), tokens: 17 }
}

impl OperatorHealthPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let page = |data_centres, plots: Vec<Option<DataCentrePlots>>| Self {
            shell: Shell::operator(Place::OperatorHealth),
            figures: Figures { data_centres, plots: plots.into_iter().flatten().collect() },
            hot: Vec::new(),
            crowded: Vec::new(),
            refreshes: 10,
            refresh_tokens: 20,
        };
        let (us, eu, india) = (DataCentre::Us, DataCentre::Eu, DataCentre::In);
        let rows = vec![row(us, Way::Open, 0), row(eu, Way::Slow(1), 214), idle(india)];
        let typical = Self {
            hot: vec![hot("Acme", 9), hot("Zylker", 7)],
            crowded: vec![crowded("Ann Lindqvist")],
            ..page(rows, vec![plots(us, false), plots(eu, true)])
        };
        let wrong = vec![row(us, Way::Broken(3), 9_000), row(eu, Way::Misconfigured(2), 40), idle(india)];
        let worst = Self {
            hot: vec![hot(tests::HOSTILE, 10), hot(tests::ENDLESS, 10)],
            crowded: vec![crowded(tests::HOSTILE), crowded(tests::ENDLESS)],
            shell: Shell { is_operator: true, ..Shell::worst(Place::OperatorHealth) },
            ..page(wrong, vec![plots(us, true)])
        };
        vec![("typical", typical), ("quiet", page(vec![idle(us), idle(eu)], Vec::new())), ("worst", worst)]
    }
}
