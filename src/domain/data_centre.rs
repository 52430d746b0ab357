//! Zoho's data centres: a closed list, and the only way to a host name (`servers.rs`).

use std::{fmt, str::FromStr};

/// One of Zoho's eleven regions (`zoho-oauth.md` §2). A key, never a URL from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataCentre {
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
    pub const ALL: [Self; 11] =
        [Self::Us, Self::Eu, Self::In, Self::Au, Self::Jp, Self::Ca, Self::Sa, Self::Uk, Self::Cn, Self::Ae, Self::Sg];

    /// The value of Zoho's `location` parameter, and the key of every table of ours.
    pub const fn key(self) -> &'static str {
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

    /// What a person calls it.
    pub const fn name(self) -> &'static str {
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
}

impl fmt::Display for DataCentre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no data centre of that name: use one of us eu in au jp ca sa uk cn ae sg")]
pub struct UnknownDataCentre;

impl FromStr for DataCentre {
    type Err = UnknownDataCentre;

    /// Byte for byte: `EU` is not `eu` (security.md S-16).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|data_centre| data_centre.key() == text).ok_or(UnknownDataCentre)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_names_its_data_centre_and_nothing_else_does() {
        for data_centre in DataCentre::ALL {
            assert_eq!(data_centre.key().parse(), Ok(data_centre));
        }
        for foreign in ["", "EU", " eu", "eu ", "com", "zohocloud.ca"] {
            assert_eq!(foreign.parse::<DataCentre>(), Err(UnknownDataCentre));
        }
    }
}
