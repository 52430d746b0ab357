use chrono::TimeDelta;

/// How long a connection that nobody uses keeps its tokens: one refresh a day keeps it healthy, and
/// tells when Zoho's side has ended.
pub(crate) fn idle_pause() -> TimeDelta {
    TimeDelta::hours(23) + TimeDelta::seconds(rand::random_range(0..=7200))
}
