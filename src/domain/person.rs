//! A Zoho user: identity is (data centre, ZUID). E-mail is display only (security.md S-21).

use std::{fmt, str::FromStr};

use super::{data_centre::DataCentre, text};

/// Zoho's user id: a number in captures, text in some fixtures, kept as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Zuid(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ZUID is a positive number of at most 30 digits")]
pub struct BadZuid;

impl Zuid {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Zuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Zuid {
    type Err = BadZuid;

    /// Zero, leading zeros and signs are refused: one person has one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed =
            (1..=30).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(BadZuid) }
    }
}

/// `eu:795000000`: how settings, commands and queries name a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey {
    pub data_centre: DataCentre,
    pub zuid: Zuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a person is written as data centre and ZUID, like `eu:795000000`")]
pub struct BadPersonKey;

impl FromStr for PersonKey {
    type Err = BadPersonKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (data_centre, zuid) = text.split_once(':').ok_or(BadPersonKey)?;
        Ok(Self {
            data_centre: data_centre.parse().map_err(|_| BadPersonKey)?,
            zuid: zuid.parse().map_err(|_| BadPersonKey)?,
        })
    }
}

impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.data_centre, self.zuid)
    }
}

/// What `/oauth/user/info` tells, cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub zuid: Zuid,
    pub display_name: String,
    pub email: String,
}

impl Profile {
    pub fn new(zuid: Zuid, display_name: &str, email: &str) -> Self {
        Self { zuid, display_name: text::clean(display_name), email: text::clean(email) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s21_a_person_has_one_spelling() {
        assert_eq!("eu:795000000".parse::<PersonKey>().unwrap().to_string(), "eu:795000000");
        for bad in ["795000000", "eu:0", "eu:", "eu:01", "EU:1", "eu:-1", "eu:1 ", "xx:1"] {
            assert!(bad.parse::<PersonKey>().is_err(), "{bad}");
        }
    }
}
