//! A connection's life, line by line.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Health, Reason};
use crate::{
    domain::test_outcome::TestOutcome,
    http::page::{Label, Moment},
    store::audit_event,
};

pub(crate) struct HistoryEntry {
    /// Of several, the last.
    pub(crate) at: Moment,
    pub(crate) event: Event,
    /// Who did it, where that was somebody.
    pub(crate) by: Option<Label>,
}

#[derive(Clone, Copy)]
pub(crate) enum Event {
    Connected,
    Reconnected,
    OrganizationChosen,
    /// So many times in a row, with nothing in between.
    Refreshed {
        times: i64,
    },
    /// Refreshed after trouble.
    Recovered,
    /// Trouble began, or became another.
    RefreshFailed(Health),
    NeedsReconnect(Reason),
    Tested(Tested),
    Disconnected,
    RevokedAtZoho,
    AlreadyRevoked,
    /// Not revoked: another connection lives by the same token.
    LeftAtZoho,
    AnotherOrganization,
    /// Somebody else than its person came by a link.
    SomebodyElse,
    /// By a link.
    ReconnectAsked,
}

impl HistoryEntry {
    /// `None` for what is no part of a connection's life.
    pub(crate) fn of(entry: &audit_event::HistoryEntry, now: DateTime<Utc>) -> Option<Self> {
        let event = match (entry.action.as_str(), entry.outcome.as_str()) {
            ("connected", _) => Event::Connected,
            ("reconnected", _) => Event::Reconnected,
            ("organization_chosen", _) => Event::OrganizationChosen,
            ("refreshed", _) => Event::Refreshed { times: entry.times },
            ("recovered", _) => Event::Recovered,
            ("refresh_failed", "throttled") => Event::RefreshFailed(Health::Throttled { until: None }),
            ("refresh_failed", "misconfigured") => Event::RefreshFailed(Health::Misconfigured),
            ("refresh_failed", "unreadable") => Event::RefreshFailed(Health::Unreadable),
            ("refresh_failed", _) => Event::RefreshFailed(Health::Unavailable),
            ("needs_reconnect", "evicted") => Event::NeedsReconnect(Reason::Evicted),
            ("needs_reconnect", _) => Event::NeedsReconnect(Reason::Revoked),
            ("tested", outcome) => Event::Tested(TestOutcome::from_key(outcome)?.into()),
            ("disconnected", _) => Event::Disconnected,
            ("revoked_at_zoho", "already") => Event::AlreadyRevoked,
            ("revoked_at_zoho", _) => Event::RevokedAtZoho,
            ("left_at_zoho", _) => Event::LeftAtZoho,
            ("sign_in_failed", _) if entry.detail.as_deref() == Some("organization-mismatch") => {
                Event::AnotherOrganization
            }
            ("sign_in_failed", _) if entry.detail.as_deref() == Some("wrong-person") => Event::SomebodyElse,
            ("onboarding_link_created", _) => Event::ReconnectAsked,
            _ => return None,
        };
        Some(Self { at: Moment::new(entry.at, now), event, by: None })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Tested {
    pub(crate) outcome: TestOutcome,
    /// Which of the four meanings it has.
    pub(crate) kind: &'static str,
}

impl From<TestOutcome> for Tested {
    fn from(outcome: TestOutcome) -> Self {
        Self { outcome, kind: kind_of(outcome) }
    }
}

const fn kind_of(outcome: TestOutcome) -> &'static str {
    match outcome {
        TestOutcome::Works => "done",
        TestOutcome::Throttled
        | TestOutcome::Unreachable
        | TestOutcome::Misbehaved
        | TestOutcome::ScopeMissing
        | TestOutcome::NothingToTry => "attention",
        TestOutcome::AnotherOrganization
        | TestOutcome::NotPermitted
        | TestOutcome::TokenRefused
        | TestOutcome::NeedsReconnect
        | TestOutcome::Misconfigured
        | TestOutcome::Unreadable => "broken",
    }
}

/// For so long the page says at its top what a test call brought, unless something happened since.
const JUST_NOW: TimeDelta = TimeDelta::minutes(2);

pub(crate) fn just_tested(history: &[audit_event::HistoryEntry], now: DateTime<Utc>) -> Option<Tested> {
    let of_interest = |entry: &&audit_event::HistoryEntry| entry.action != "refreshed" && entry.action != "recovered";
    let last = history.iter().find(of_interest)?;
    let outcome = TestOutcome::from_key(&last.outcome)?;
    (last.action == "tested" && now - last.at < JUST_NOW).then(|| outcome.into())
}
