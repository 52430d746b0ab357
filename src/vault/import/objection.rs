//! What is wrong with what was given: each has the member it is about, and a clause of its own.

use std::fmt;

use crate::domain::organization::FoundOrganization;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Objection {
    /// Not in the table of hosts, or not switched on for our own client.
    DataCentreOff,
    ProductNotOffered,
    /// No call of the product tells it, or none that this token may make.
    OrganizationNeeded,
    DeadCode,
    DeadToken,
    /// The code brought an access token alone.
    NoRefreshToken,
    /// The token is of none of these.
    AnotherOrganization(Vec<FoundOrganization>),
    /// The token is of any of these.
    SeveralOrganizations(Vec<FoundOrganization>),
    NoOrganization,
}

/// Candidates named at most; a portal's person may belong to hundreds.
const MOST_NAMED: usize = 20;

impl Objection {
    /// The member of `POST /connections` that has to be another.
    pub(crate) const fn member(&self) -> &'static str {
        match self {
            Self::DataCentreOff => "data_centre",
            Self::ProductNotOffered | Self::NoOrganization => "product",
            Self::DeadCode | Self::NoRefreshToken => "self_client_code",
            Self::DeadToken => "refresh_token",
            Self::OrganizationNeeded | Self::AnotherOrganization(_) | Self::SeveralOrganizations(_) => "organization",
        }
    }

    pub(crate) const fn class(&self) -> &'static str {
        match self {
            Self::DataCentreOff => "data_centre_off",
            Self::ProductNotOffered => "product_not_offered",
            Self::OrganizationNeeded => "organization_needed",
            Self::DeadCode => "dead_code",
            Self::DeadToken => "dead_token",
            Self::NoRefreshToken => "no_refresh_token",
            Self::AnotherOrganization(_) => "another_organization",
            Self::SeveralOrganizations(_) => "several_organizations",
            Self::NoOrganization => "no_organization",
        }
    }

    /// What Zoho listed instead.
    pub(crate) fn candidates(&self) -> &[FoundOrganization] {
        match self {
            Self::AnotherOrganization(found) | Self::SeveralOrganizations(found) => found,
            Self::DataCentreOff
            | Self::ProductNotOffered
            | Self::OrganizationNeeded
            | Self::DeadCode
            | Self::DeadToken
            | Self::NoRefreshToken
            | Self::NoOrganization => &[],
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DataCentreOff => "is not switched on here",
            Self::ProductNotOffered => "is not offered in this data centre",
            Self::OrganizationNeeded => "is missing, and Zoho does not tell it",
            Self::DeadCode => "is used, expired, or of another client or data centre",
            Self::DeadToken => "is revoked, or of another client or data centre",
            Self::NoRefreshToken => "brought no refresh token",
            Self::AnotherOrganization(_) => "is not among those that Zoho lists for this token:",
            Self::SeveralOrganizations(_) => "is missing, and Zoho lists several for this token:",
            Self::NoOrganization => "lists no organization for this token",
        })?;
        for (number, found) in self.candidates().iter().take(MOST_NAMED).enumerate() {
            write!(f, "{} {} ({})", if number == 0 { "" } else { "," }, found.id, found.name)?;
        }
        if self.candidates().len() > MOST_NAMED { f.write_str(", …") } else { Ok(()) }
    }
}

impl std::error::Error for Objection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_named_but_not_without_end() {
        let found = |id: usize| FoundOrganization::new(id.to_string().try_into().expect("an id"), "Zylker");
        let several = Objection::SeveralOrganizations(vec![found(1), found(2)]);
        assert_eq!(several.to_string(), "is missing, and Zoho lists several for this token: 1 (Zylker), 2 (Zylker)");
        let many = Objection::AnotherOrganization((0..100).map(found).collect()).to_string();
        assert!(many.ends_with("19 (Zylker), …"), "{many}");
    }
}
