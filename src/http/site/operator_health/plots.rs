//! The last hour at one data centre, as bars.

use chrono::{DateTime, TimeDelta, Utc};

use super::DataCentrePlots;
use crate::{domain::data_centre::DataCentre, http::site::plot::Plot, store::operator::health::Piece};

/// Counts piece by piece.
pub(super) struct Hour {
    data_centre: DataCentre,
    pub(super) refreshed: Vec<i64>,
    pub(super) failed: Vec<i64>,
    total_ms: Vec<i64>,
    longest_ms: i64,
}

impl Hour {
    pub(super) fn of(data_centre: DataCentre, pieces: &[Piece], bars: i32) -> Self {
        let none = || vec![0; usize::try_from(bars).unwrap_or(0)];
        let mut hour = Self { data_centre, refreshed: none(), failed: none(), total_ms: none(), longest_ms: 0 };
        for piece in pieces.iter().filter(|piece| piece.data_centre == data_centre) {
            let Some(at) = usize::try_from(piece.piece).ok().filter(|at| *at < hour.refreshed.len()) else { continue };
            hour.refreshed[at] += piece.refreshed;
            hour.failed[at] += piece.failed;
            hour.total_ms[at] += piece.total_ms;
            hour.longest_ms = hour.longest_ms.max(piece.longest_ms);
        }
        hour
    }

    fn calls(&self) -> Vec<i64> {
        self.refreshed.iter().zip(&self.failed).map(|(refreshed, failed)| refreshed + failed).collect()
    }

    /// The mean and the longest, in milliseconds.
    pub(super) fn took(&self) -> Option<(i64, i64)> {
        let total: i64 = self.total_ms.iter().sum();
        let mean = total.checked_div(self.calls().iter().sum())?;
        Some((mean, self.longest_ms))
    }

    /// Absent where nothing happened.
    pub(super) fn plots(&self, since: DateTime<Utc>, minutes: i32) -> Option<DataCentrePlots> {
        let calls = self.calls();
        if calls.iter().all(|calls| *calls == 0) {
            return None;
        }
        let means: Vec<_> =
            self.total_ms.iter().zip(&calls).map(|(total, calls)| total.checked_div(*calls).unwrap_or(0)).collect();
        let at = |index: i64| (since + TimeDelta::minutes(index * i64::from(minutes))).format("%H:%M").to_string();
        let plot = |counts: &[i64]| Plot::labeled(counts, at);
        Some(DataCentrePlots {
            key: self.data_centre.key(),
            since: at(0),
            refreshed: plot(&self.refreshed),
            failed: plot(&self.failed),
            took: plot(&means),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page::tests::now;

    fn piece(piece: i32, refreshed: i64, failed: i64, total_ms: i64) -> Piece {
        Piece { data_centre: DataCentre::Eu, piece, refreshed, failed, total_ms, longest_ms: total_ms }
    }

    #[test]
    fn an_hour_is_told_by_data_centre_and_nothing_is_no_plot() {
        let pieces = [piece(0, 3, 1, 400), piece(2, 1, 0, 50), piece(3, 9, 9, 9)];
        let hour = Hour::of(DataCentre::Eu, &pieces, 3);
        assert_eq!((hour.refreshed.clone(), hour.failed.clone()), (vec![3, 0, 1], vec![1, 0, 0]));
        assert_eq!(hour.took(), Some((90, 400)));
        let plots = hour.plots(now(), 2).expect("something happened");
        let means: Vec<_> = plots.took.bars.iter().map(|bar| (bar.day.as_str(), bar.count)).collect();
        assert_eq!(means, [("10:00", 100), ("10:02", 0), ("10:04", 50)]);
        let other = Hour::of(DataCentre::Us, &pieces, 3);
        assert!(other.took().is_none() && other.plots(now(), 2).is_none());
    }
}
