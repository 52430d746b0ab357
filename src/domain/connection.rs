//! Tenant × person × organization × product: *the* object of this program.

use std::fmt;

/// Why a connection needs its owner again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ReconnectReason {
    /// Access was withdrawn at Zoho.
    Revoked,
    /// Dead while we know of 20 or more later refresh tokens of the same client and person.
    Evicted,
}

impl ReconnectReason {
    pub const ALL: [Self; 2] = [Self::Revoked, Self::Evicted];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Evicted => "evicted",
        }
    }
}

/// Where a connection stands. Only the person, or Zoho's certain word, changes it; trouble on the
/// way is `Health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Several organizations, or none that Zoho tells: the person has not said which.
    Choosing,
    Active,
    NeedsReconnect(ReconnectReason),
    Disconnected,
}

impl Status {
    pub const KEYS: [&'static str; 4] = ["choosing", "active", "needs_reconnect", "disconnected"];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Choosing => "choosing",
            Self::Active => "active",
            Self::NeedsReconnect(_) => "needs_reconnect",
            Self::Disconnected => "disconnected",
        }
    }

    /// From the two columns, `None` where they contradict each other (a constraint forbids it).
    pub fn from_columns(status: &str, reason: Option<ReconnectReason>) -> Option<Self> {
        match (status, reason) {
            ("choosing", None) => Some(Self::Choosing),
            ("active", None) => Some(Self::Active),
            ("needs_reconnect", Some(reason)) => Some(Self::NeedsReconnect(reason)),
            ("disconnected", None) => Some(Self::Disconnected),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// How the last call about a connection went; never a status (security.md D-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Health {
    Ok,
    Throttled,
    Unavailable,
    Misconfigured,
    Unreadable,
}

impl Health {
    pub const ALL: [Self; 5] = [Self::Ok, Self::Throttled, Self::Unavailable, Self::Misconfigured, Self::Unreadable];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
            Self::Unreadable => "unreadable",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such word")]
pub struct UnknownWord;

impl std::str::FromStr for Health {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let all = [Self::Ok, Self::Throttled, Self::Unavailable, Self::Misconfigured, Self::Unreadable];
        all.into_iter().find(|health| health.key() == text).ok_or(UnknownWord)
    }
}

impl std::str::FromStr for ReconnectReason {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Revoked, Self::Evicted].into_iter().find(|reason| reason.key() == text).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_belongs_to_needs_reconnect_alone() {
        let revoked = Some(ReconnectReason::Revoked);
        assert_eq!(Status::from_columns("active", None), Some(Status::Active));
        assert_eq!(Status::from_columns("active", revoked), None);
        assert_eq!(Status::from_columns("needs_reconnect", None), None);
        assert_eq!(
            Status::from_columns("needs_reconnect", revoked),
            Some(Status::NeedsReconnect(ReconnectReason::Revoked))
        );
    }
}
