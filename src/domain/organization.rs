//! A Zoho organization: (data centre, product, Zoho's id, environment).

use std::{fmt, str::FromStr};

use super::text;

/// Longest id of Zoho's we keep. Numeric ids have up to 19 digits, SalesIQ's are screen names.
const LONGEST_ID: usize = 100;

/// Zoho's own id of an organization, portal, network or account: kept as text, never as a number
/// (`zoho-oauth.md` §10).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type, serde::Serialize, serde::Deserialize)]
#[sqlx(transparent)]
#[serde(try_from = "String", into = "String")]
pub struct ZohoOrganizationId(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an organization id is 1 to 100 letters, digits, dots, hyphens or underscores")]
pub struct BadOrganizationId;

impl ZohoOrganizationId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ZohoOrganizationId {
    type Error = BadOrganizationId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let well_formed = (1..=LONGEST_ID).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if well_formed { Ok(Self(text)) } else { Err(BadOrganizationId) }
    }
}

impl From<ZohoOrganizationId> for String {
    fn from(id: ZohoOrganizationId) -> Self {
        id.0
    }
}

impl FromStr for ZohoOrganizationId {
    type Err = BadOrganizationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().to_owned().try_into()
    }
}

impl fmt::Display for ZohoOrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an organization's data lives at Zoho; a token works in one of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type, serde::Serialize, serde::Deserialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    Production,
    Sandbox,
    Developer,
}

impl Environment {
    pub const ALL: [Self; 3] = [Self::Production, Self::Sandbox, Self::Developer];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
            Self::Developer => "developer",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an environment is one of production sandbox developer")]
pub struct UnknownEnvironment;

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|environment| environment.key() == text).ok_or(UnknownEnvironment)
    }
}

/// One organization as a product's discovery call lists it, or as the person states it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FoundOrganization {
    pub id: ZohoOrganizationId,
    /// Display only; cleaned.
    pub name: String,
}

impl FoundOrganization {
    pub fn new(id: ZohoOrganizationId, name: &str) -> Self {
        let name = text::clean(name);
        let name = if name.is_empty() { id.to_string() } else { name };
        Self { id, name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_text_of_a_plain_alphabet() {
        let long = "9223372036854775807";
        assert_eq!(long.parse::<ZohoOrganizationId>().unwrap().as_str(), long);
        for bad in ["", " ", "a b", "a/b", "a\0", "<b>", &"9".repeat(101)] {
            assert!(bad.parse::<ZohoOrganizationId>().is_err(), "{bad:?}");
        }
    }
}
