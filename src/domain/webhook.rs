//! What endpoints can be told of.

use std::{fmt, str::FromStr};

/// `type` of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// A person has connected, or connected again; a token was imported.
    ConnectionConnected,
    /// A new access token, once an hour for each connection in use. Only for who asks for it.
    ConnectionRefreshed,
    ConnectionNeedsReconnect,
    /// Works again, after it needed a reconnect or its refreshes failed.
    ConnectionRecovered,
    ConnectionDisconnected,
    /// A person's refresh tokens are close to Zoho's limit.
    BudgetWarning,
    OnboardingCompleted,
    OnboardingRefused,
    TenantCreated,
    TenantSuspended,
    TenantResumed,
    TenantDeleted,
    /// Sent on request, whatever the endpoint wants.
    WebhookTest,
}

impl EventType {
    /// What an endpoint may want.
    pub const WANTED: [Self; 12] = [
        Self::ConnectionConnected,
        Self::ConnectionRefreshed,
        Self::ConnectionNeedsReconnect,
        Self::ConnectionRecovered,
        Self::ConnectionDisconnected,
        Self::BudgetWarning,
        Self::OnboardingCompleted,
        Self::OnboardingRefused,
        Self::TenantCreated,
        Self::TenantSuspended,
        Self::TenantResumed,
        Self::TenantDeleted,
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::ConnectionConnected => "connection.connected",
            Self::ConnectionRefreshed => "connection.refreshed",
            Self::ConnectionNeedsReconnect => "connection.needs_reconnect",
            Self::ConnectionRecovered => "connection.recovered",
            Self::ConnectionDisconnected => "connection.disconnected",
            Self::BudgetWarning => "budget.warning",
            Self::OnboardingCompleted => "onboarding.completed",
            Self::OnboardingRefused => "onboarding.refused",
            Self::TenantCreated => "tenant.created",
            Self::TenantSuspended => "tenant.suspended",
            Self::TenantResumed => "tenant.resumed",
            Self::TenantDeleted => "tenant.deleted",
            Self::WebhookTest => "webhook.test",
        }
    }

    /// What an endpoint wants that does not say: all but what happens all day.
    pub fn unasked() -> Vec<Self> {
        Self::WANTED.into_iter().filter(|event_type| *event_type != Self::ConnectionRefreshed).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no event of that name")]
pub struct UnknownEventType;

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, UnknownEventType> {
        Self::WANTED.into_iter().find(|event_type| event_type.key() == text).ok_or(UnknownEventType)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    Pending,
    Delivered,
    /// Tried for a day, or refused for good.
    Dead,
}

impl DeliveryStatus {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

impl FromStr for DeliveryStatus {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.key() == text).ok_or("must be one of pending delivered dead")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_but_the_test_can_be_wanted_by_its_name() {
        for event_type in EventType::WANTED {
            assert_eq!(event_type.key().parse(), Ok(event_type));
        }
        for other in ["webhook.test", "connection", "Connection.connected", ""] {
            assert!(other.parse::<EventType>().is_err(), "{other}");
        }
        assert!(!EventType::unasked().contains(&EventType::ConnectionRefreshed));
    }
}
