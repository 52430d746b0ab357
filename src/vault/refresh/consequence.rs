//! What an answer of the token endpoint means for a connection (`zoho-oauth.md` §6, security.md 4.3).
//!
//! Only a refresh token that Zoho calls dead twice, a minute apart, changes the status; everything else
//! is health, and a time before which nobody asks again. Pauses are random, so that connections that
//! failed together do not come back together.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Trouble, gate::Shut, until};
use crate::{
    domain::connection::Health,
    store::connection::refresh::{Claimed, Failed},
    zoho::TokenError,
};

/// Between two words about one token that is dead.
const CONFIRM_AFTER: TimeDelta = TimeDelta::seconds(60);
/// Zoho's block lasts so long at least (`zoho-oauth.md` §6).
const BLOCK: TimeDelta = TimeDelta::minutes(10);
/// Longest pause of callers after a failure that may pass: a data centre that is back is used again soon.
const LONGEST_FOR_CALLERS: u64 = 8;
/// Longest pause of the worker.
const LONGEST_UNASKED: u64 = 300;

pub(super) enum Consequence {
    Wait(Failed, Trouble),
    NeedsReconnect,
}

pub(super) fn of(error: TokenError, claimed: &Claimed, now: DateTime<Utc>) -> Consequence {
    match error {
        TokenError::DeadGrant => dead(claimed, now),
        TokenError::Throttled { retry_after } => {
            let named = retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or_default();
            let retry_at = now + named.max(BLOCK) + seconds(0, 300);
            let failed = Failed { retry_at: Some(retry_at), ..failed(Health::Throttled, claimed, retry_at) };
            Consequence::Wait(failed, Trouble::Throttled { wait: until(retry_at, now) })
        }
        TokenError::Misconfigured(_) => {
            let failed = misconfigured(claimed, now);
            Consequence::Wait(failed, Trouble::Misconfigured { wait: Duration::from_secs(30) })
        }
        TokenError::NotSent | TokenError::Unavailable => unavailable(transient(claimed, false, now), now),
        TokenError::Lost => unavailable(transient(claimed, true, now), now),
        TokenError::Misbehaved(_) => Consequence::Wait(transient(claimed, false, now), Trouble::Misbehaved),
    }
}

/// The first word is doubted: Zoho says the same of a token that it cannot find for a moment.
fn dead(claimed: &Claimed, now: DateTime<Utc>) -> Consequence {
    if claimed.dead_since.is_some_and(|since| now - since >= CONFIRM_AFTER) {
        return Consequence::NeedsReconnect;
    }
    let retry_at = now + CONFIRM_AFTER + seconds(0, 60);
    let failed = Failed {
        retry_at: Some(retry_at),
        dead_since: Some(claimed.dead_since.unwrap_or(now)),
        ..failed(Health::Unavailable, claimed, retry_at)
    };
    Consequence::Wait(failed, Trouble::Unavailable { wait: until(retry_at, now) })
}

fn unavailable(failed: Failed, now: DateTime<Utc>) -> Consequence {
    let wait = failed.retry_at.map_or(Duration::ZERO, |retry_at| until(retry_at, now));
    Consequence::Wait(failed, Trouble::Unavailable { wait })
}

fn transient(claimed: &Claimed, counts: bool, now: DateTime<Utc>) -> Failed {
    let full = 1_u64 << claimed.refresh_failures.clamp(0, 10);
    let retry_at = now + seconds(0, full.min(LONGEST_FOR_CALLERS)) + TimeDelta::milliseconds(250);
    let refresh_at = retry_at + seconds(0, full.min(LONGEST_UNASKED));
    Failed { retry_at: Some(retry_at), counts, ..failed(Health::Unavailable, claimed, refresh_at) }
}

/// Another replica may have the right secret: it is let through soon.
fn misconfigured(claimed: &Claimed, now: DateTime<Utc>) -> Failed {
    Failed { retry_at: Some(now + seconds(1, 3)), ..failed(Health::Misconfigured, claimed, now + seconds(30, 120)) }
}

/// Not even asked, because nobody is at the moment.
pub(super) fn of_shut(shut: Shut, claimed: &Claimed, now: DateTime<Utc>) -> Failed {
    match shut {
        Shut::Broken { .. } => failed(Health::Unavailable, claimed, now + seconds(10, 20)),
        Shut::Misconfigured { .. } => misconfigured(claimed, now),
        Shut::Slow { wait } => {
            let retry_at = now + TimeDelta::from_std(wait).unwrap_or_default();
            Failed { retry_at: Some(retry_at), ..failed(Health::Throttled, claimed, retry_at + seconds(0, 60)) }
        }
    }
}

/// Nothing is touched but the health. A key that comes back, or a row put right, is noticed soon.
pub(super) fn of_unreadable(claimed: &Claimed, now: DateTime<Utc>) -> Failed {
    Failed { retry_at: Some(now + seconds(5, 10)), ..failed(Health::Unreadable, claimed, now + seconds(300, 900)) }
}

/// Something of ours was in the way; of Zoho nothing is known.
pub(super) fn of_never_asked(claimed: &Claimed, now: DateTime<Utc>) -> Failed {
    failed(claimed.health, claimed, now + seconds(5, 30))
}

/// A failure that Zoho did not count and that stops nobody from asking. A suspicion stays.
fn failed(health: Health, claimed: &Claimed, refresh_at: DateTime<Utc>) -> Failed {
    Failed { health, retry_at: None, refresh_at, dead_since: claimed.dead_since, counts: false }
}

/// At random between the two.
fn seconds(least: u64, most: u64) -> TimeDelta {
    TimeDelta::milliseconds(rand::random_range(least * 1000..=most * 1000).try_into().unwrap_or(0))
}
