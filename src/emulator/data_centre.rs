//! Zoho's eleven data centres, in the order in which the emulator numbers its ports.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of Zoho's data centres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DataCentre {
    Us,
    Eu,
    In,
    Au,
    Jp,
    Ca,
    Sa,
    Uk,
    Cn,
    Ae,
    Sg,
}

impl DataCentre {
    pub(super) const ALL: [Self; 11] =
        [Self::Us, Self::Eu, Self::In, Self::Au, Self::Jp, Self::Ca, Self::Sa, Self::Uk, Self::Cn, Self::Ae, Self::Sg];

    /// The word Zoho uses for it in `location`.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::In => "in",
            Self::Au => "au",
            Self::Jp => "jp",
            Self::Ca => "ca",
            Self::Sa => "sa",
            Self::Uk => "uk",
            Self::Cn => "cn",
            Self::Ae => "ae",
            Self::Sg => "sg",
        }
    }

    /// The name a person would say.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Us => "United States",
            Self::Eu => "Europe",
            Self::In => "India",
            Self::Au => "Australia",
            Self::Jp => "Japan",
            Self::Ca => "Canada",
            Self::Sa => "Saudi Arabia",
            Self::Uk => "United Kingdom",
            Self::Cn => "China",
            Self::Ae => "United Arab Emirates",
            Self::Sg => "Singapore",
        }
    }

    pub(super) fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|data_centre| data_centre.key() == key)
    }

    /// China is run apart: it shares no people with the others, and nobody is moved to it or from it.
    pub(super) fn shares_people_with(self, other: Self) -> bool {
        self == other || (self != Self::Cn && other != Self::Cn)
    }
}

impl fmt::Display for DataCentre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
