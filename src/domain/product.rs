//! What a token is for.

use std::{fmt, str::FromStr};

use super::scope::ScopeSet;

/// Asked for in every flow: it tells who the person is (`zoho-oauth.md` §8).
pub const PROFILE_SCOPE: &str = "AaaServer.profile.READ";

/// A Zoho product this program connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    Assist,
    Salesiq,
    Connect,
    ZiaAgents,
    Crm,
    Desk,
    Books,
}

impl Product {
    pub const ALL: [Self; 7] =
        [Self::Assist, Self::Salesiq, Self::Connect, Self::ZiaAgents, Self::Crm, Self::Desk, Self::Books];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Assist => "assist",
            Self::Salesiq => "salesiq",
            Self::Connect => "connect",
            Self::ZiaAgents => "zia_agents",
            Self::Crm => "crm",
            Self::Desk => "desk",
            Self::Books => "books",
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Assist => "Zoho Assist",
            Self::Salesiq => "Zoho SalesIQ",
            Self::Connect => "Zoho Connect",
            Self::ZiaAgents => "Zia Agents",
            Self::Crm => "Zoho CRM",
            Self::Desk => "Zoho Desk",
            Self::Books => "Zoho Books",
        }
    }

    /// The scope of the call that tells which organization a token belongs to (`zoho-oauth.md`
    /// §10). Zia Agents has no such call.
    pub const fn discovery_scope(self) -> Option<&'static str> {
        match self {
            Self::Assist => Some("ZohoAssist.userapi.READ"),
            Self::Salesiq => Some("SalesIQ.portals.READ"),
            Self::Connect => Some("zohopulse.networklist.READ"),
            Self::ZiaAgents => None,
            Self::Crm => Some("ZohoCRM.org.READ"),
            Self::Desk => Some("Desk.basic.READ"),
            Self::Books => Some("ZohoBooks.settings.READ"),
        }
    }

    /// The product's own scopes where no setting says otherwise (design.md §4).
    pub const fn default_scopes(self) -> &'static [&'static str] {
        match self {
            Self::Assist => &[],
            Self::Salesiq => &["SalesIQ.conversations.READ"],
            Self::Connect => &["zohopulse.tasks.READ"],
            Self::ZiaAgents => &["ZiaAgents.agents.TRIGGER"],
            Self::Crm => &["ZohoCRM.modules.READ"],
            Self::Desk => &["Desk.tickets.READ"],
            Self::Books => &["ZohoBooks.settings.READ"],
        }
    }

    /// What consent is asked for: profile, discovery, then the product's own.
    pub fn scopes_with(self, own: &ScopeSet) -> ScopeSet {
        let mut scopes = ScopeSet::from_known(&[PROFILE_SCOPE]);
        scopes.extend(&ScopeSet::from_known(self.discovery_scope().as_slice()));
        scopes.extend(own);
        scopes
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no product of that name: use one of assist salesiq connect zia_agents crm desk books")]
pub struct UnknownProduct;

impl FromStr for Product {
    type Err = UnknownProduct;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|product| product.key() == text).ok_or(UnknownProduct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_and_discovery_come_first_and_nothing_is_asked_for_twice() {
        let scopes =
            |product: Product| product.scopes_with(&ScopeSet::from_known(product.default_scopes())).to_parameter();
        assert_eq!(scopes(Product::Salesiq), "AaaServer.profile.READ,SalesIQ.portals.READ,SalesIQ.conversations.READ");
        assert_eq!(scopes(Product::Books), "AaaServer.profile.READ,ZohoBooks.settings.READ");
        assert_eq!(scopes(Product::ZiaAgents), "AaaServer.profile.READ,ZiaAgents.agents.TRIGGER");
    }
}
