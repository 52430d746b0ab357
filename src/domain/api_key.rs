//! What a back end may do, and the shape of its key.

use std::str::FromStr;

/// One thing a key allows (design.md §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    ConnectionsRead,
    ConnectionsWrite,
    TokensRead,
    Proxy,
    OnboardingWrite,
    WebhooksWrite,
    AuditRead,
}

impl Grant {
    pub const ALL: [Self; 7] = [
        Self::ConnectionsRead,
        Self::ConnectionsWrite,
        Self::TokensRead,
        Self::Proxy,
        Self::OnboardingWrite,
        Self::WebhooksWrite,
        Self::AuditRead,
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::ConnectionsRead => "connections:read",
            Self::ConnectionsWrite => "connections:write",
            Self::TokensRead => "tokens:read",
            Self::Proxy => "proxy",
            Self::OnboardingWrite => "onboarding:write",
            Self::WebhooksWrite => "webhooks:write",
            Self::AuditRead => "audit:read",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no grant of that name: use some of connections:read connections:write tokens:read proxy onboarding:write \
     webhooks:write audit:read"
)]
pub struct UnknownGrant;

impl FromStr for Grant {
    type Err = UnknownGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|grant| grant.key() == text).ok_or(UnknownGrant)
    }
}
