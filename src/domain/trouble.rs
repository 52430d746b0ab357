//! What troubles a connection most, or an organization through its connections: what the console's lists begin with.

/// In the order in which somebody has to act. The numbers are those of the generated column `connection.trouble`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Its owner has to consent again.
    NeedsReconnect,
    /// Misconfigured or unreadable: whoever runs this installation has to act.
    Broken,
    /// Its person has not said which organization.
    Choosing,
    ScopeMissing,
    /// Zoho does not answer.
    Unavailable,
    /// Zoho limits us.
    Throttled,
    None,
    /// Disconnected, or nobody is connected.
    Ended,
}

impl Trouble {
    pub const ALL: [Self; 8] = [
        Self::NeedsReconnect,
        Self::Broken,
        Self::Choosing,
        Self::ScopeMissing,
        Self::Unavailable,
        Self::Throttled,
        Self::None,
        Self::Ended,
    ];

    pub const fn rank(self) -> i16 {
        self as i16
    }

    pub fn from_rank(rank: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.rank() == rank)
    }

    /// As filters name it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::NeedsReconnect => "needs_reconnect",
            Self::Broken => "broken",
            Self::Choosing => "choosing",
            Self::ScopeMissing => "scope_missing",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::None => "working",
            Self::Ended => "disconnected",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.key() == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_keys_lead_back() {
        for trouble in Trouble::ALL {
            assert_eq!(Trouble::from_rank(trouble.rank()), Some(trouble));
            assert_eq!(Trouble::from_key(trouble.key()), Some(trouble));
        }
        assert_eq!(Trouble::from_rank(8), None);
    }
}
