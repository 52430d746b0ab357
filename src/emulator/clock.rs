//! The emulator's clock: real time plus an offset that the control port moves.
//!
//! Every life, window and timestamp of the emulator is reckoned by this clock and by nothing else, so that a test can
//! let an access token die without waiting an hour. Delays and drips are the exception: they are really waited for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

use chrono::{DateTime, SecondsFormat};

/// Milliseconds since the Unix epoch.
pub(super) type Millis = i64;

/// Real time, moved by an offset.
#[derive(Debug, Default)]
pub(super) struct Clock {
    offset: AtomicI64,
}

impl Clock {
    pub(super) fn now(&self) -> Millis {
        real() + self.offset()
    }

    pub(super) fn offset(&self) -> Millis {
        self.offset.load(Ordering::Relaxed)
    }

    pub(super) fn set_offset(&self, offset: Millis) {
        self.offset.store(offset, Ordering::Relaxed);
    }

    pub(super) fn advance(&self, by: Millis) {
        self.offset.fetch_add(by, Ordering::Relaxed);
    }

    /// Makes it `instant` now; the clock goes on from there.
    pub(super) fn set(&self, instant: Millis) {
        self.set_offset(instant - real());
    }
}

fn real() -> Millis {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// RFC 3339 in UTC, as the control port prints every instant.
pub(super) fn rfc3339(instant: Millis) -> String {
    DateTime::from_timestamp_millis(instant)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}
