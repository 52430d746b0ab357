//! Limits of use and of creation (zoho-oauth.md §9).

use std::collections::{HashMap, VecDeque};

use super::{Holder, RefreshToken, Refusal};
use crate::emulator::clock::Millis;
use crate::emulator::settings::Limits;

impl RefreshToken {
    /// Counts one refresh. A window begins with its first refresh; once it is full, everything is throttled until it ends.
    pub(super) fn count_refresh(&mut self, limits: &Limits, now: Millis) -> Result<(), Refusal> {
        let (since, count) = match self.window {
            Some((since, count)) if now >= since && now < since + limits.window() => (since, count),
            _ => (now, 0),
        };
        if limits.refreshes_per_window.is_some_and(|limit| count >= limit) {
            return Err(Refusal::Throttled);
        }
        self.window = Some((since, count + 1));
        self.uses += 1;
        self.last_used = Some(now);
        Ok(())
    }
}

/// Counts one creation, unless that would be one too many within `span`.
pub(super) fn exceeds(
    times: &mut HashMap<Holder, VecDeque<Millis>>,
    holder: &Holder,
    limit: Option<usize>,
    span: Millis,
    now: Millis,
) -> bool {
    let Some(limit) = limit else { return false };
    let times = times.entry(holder.clone()).or_default();
    while times.front().is_some_and(|time| *time + span <= now) {
        times.pop_front();
    }
    if times.len() >= limit {
        return true;
    }
    times.push_back(now);
    false
}
