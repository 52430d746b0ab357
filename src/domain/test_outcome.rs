//! What came of a test call: told on the connection's page, kept in its history.

/// In the order of how much is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestOutcome {
    Works,
    /// Zoho answers, but the organization is none of this person's any more.
    AnotherOrganization,
    ScopeMissing,
    NotPermitted,
    /// A fresh token, too.
    TokenRefused,
    NeedsReconnect,
    Throttled,
    Unreachable,
    Misbehaved,
    Misconfigured,
    Unreadable,
    /// No right was granted that a harmless call needs.
    NothingToTry,
}

impl TestOutcome {
    pub const ALL: [Self; 12] = [
        Self::Works,
        Self::AnotherOrganization,
        Self::ScopeMissing,
        Self::NotPermitted,
        Self::TokenRefused,
        Self::NeedsReconnect,
        Self::Throttled,
        Self::Unreachable,
        Self::Misbehaved,
        Self::Misconfigured,
        Self::Unreadable,
        Self::NothingToTry,
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::AnotherOrganization => "another_organization",
            Self::ScopeMissing => "scope_missing",
            Self::NotPermitted => "not_permitted",
            Self::TokenRefused => "token_refused",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Misbehaved => "misbehaved",
            Self::Misconfigured => "misconfigured",
            Self::Unreadable => "unreadable",
            Self::NothingToTry => "nothing_to_try",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.key() == key)
    }
}
