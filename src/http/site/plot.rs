//! Counts day by day as bars from an honest zero, and as the table behind them.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

const WIDTH: i64 = 280;
const HEIGHT: i64 = 64;
const GAP: i64 = 4;

pub(crate) struct Plot {
    pub(crate) bars: Vec<Bar>,
    pub(crate) total: i64,
    /// The count of the highest bar.
    pub(crate) most: i64,
}

pub(crate) struct Bar {
    /// What its row is called: `11-21`
    pub(crate) day: String,
    pub(crate) count: i64,
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: i64,
    pub(crate) height: i64,
}

impl Plot {
    /// The last count is that of the day of `now`.
    pub(crate) fn of(counts: &[i64], now: DateTime<Utc>) -> Self {
        let days = i64::try_from(counts.len()).unwrap_or(i64::MAX).max(1);
        Self::labeled(counts, |index| (now - TimeDelta::days(days - 1 - index)).format("%m-%d").to_string())
    }

    /// Each bar with what its row in the table is called.
    pub(crate) fn labeled(counts: &[i64], label: impl Fn(i64) -> String) -> Self {
        let days = i64::try_from(counts.len()).unwrap_or(i64::MAX).max(1);
        let most = counts.iter().copied().max().unwrap_or(0);
        let step = WIDTH / days;
        let bars = counts.iter().zip(0..).map(|(&count, index)| {
            // What happened at all is seen.
            let height = if count == 0 { 0 } else { (count * HEIGHT / most.max(1)).max(2) };
            Bar { day: label(index), count, x: index * step, y: HEIGHT - height, width: step - GAP, height }
        });
        Self { bars: bars.collect(), total: counts.iter().sum(), most }
    }

    /// All bars as one path: many small plots on a page must weigh little.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for Bar { x, y, width, height, .. } in self.bars.iter().filter(|bar| bar.height > 0) {
            // Writing into a text does not fail.
            let _ = write!(path, "M{x} {}v{height}h{width}v-{height}z", y + 12);
        }
        path
    }

    pub(crate) fn days(&self) -> usize {
        self.bars.len()
    }

    pub(crate) fn first(&self) -> &str {
        self.bars.first().map_or("", |bar| &bar.day)
    }

    pub(crate) fn last(&self) -> &str {
        self.bars.last().map_or("", |bar| &bar.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page::tests::now;

    #[test]
    fn bars_stand_on_zero_and_the_highest_fills_the_plot() {
        let plot = Plot::of(&[0, 1, 1000], now());
        let heights: Vec<_> = plot.bars.iter().map(|bar| (bar.y, bar.height)).collect();
        assert_eq!(heights, [(64, 0), (62, 2), (0, 64)]);
        assert_eq!((plot.total, plot.most, plot.first(), plot.last()), (1001, 1000, "11-19", "11-21"));
        assert_eq!(plot.path(), "M93 74v2h89v-2zM186 12v64h89v-64z");
        assert_eq!(Plot::of(&[0; 14], now()).bars.iter().map(|bar| bar.height).max(), Some(0));
    }
}
