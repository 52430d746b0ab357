//! OAuth scopes as Zoho means them: names are case-insensitive, separators vary.

use std::str::FromStr;

/// Longest single scope name we send or keep; Zoho's own are below 60 characters.
const LONGEST_NAME: usize = 128;

/// Distinct scopes in the order they were named, compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scopes are names like `ZohoAssist.userapi.READ`, separated by commas or blanks")]
pub struct BadScope;

impl ScopeSet {
    /// From names that stand in our own code.
    pub fn from_known(names: &[&str]) -> Self {
        let mut set = Self::default();
        for name in names {
            set.insert(name);
        }
        set
    }

    /// From a stored column, where only parsed scopes were ever written.
    pub fn from_stored(names: Vec<String>) -> Self {
        Self(names)
    }

    pub fn extend(&mut self, other: &Self) {
        for name in &other.0 {
            self.insert(name);
        }
    }

    /// The `scope` parameter: commas without blanks (`zoho-oauth.md` §4).
    pub fn to_parameter(&self) -> String {
        self.0.join(",")
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of `self` that `granted` does not cover.
    pub fn missing_from(&self, granted: &Self) -> Self {
        Self(self.0.iter().filter(|name| !granted.covers(name)).cloned().collect())
    }

    /// Those of `self` that `other` does not name, wider scopes aside.
    pub fn not_named_in(&self, other: &Self) -> Self {
        let is_named = |name: &String| other.0.iter().any(|known| known.eq_ignore_ascii_case(name));
        Self(self.0.iter().filter(|name| !is_named(name)).cloned().collect())
    }

    /// Zoho answers with scopes expanded (`zoho-oauth.md` §6): a wider `ALL`, or the same operation
    /// on named parts, stands for what was asked.
    pub fn covers(&self, wanted: &str) -> bool {
        let wanted = wanted.to_ascii_lowercase();
        let (subject, operation) = wanted.rsplit_once('.').unwrap_or((&wanted, ""));
        self.0.iter().any(|granted| {
            let granted = granted.to_ascii_lowercase();
            let Some((granted_subject, granted_operation)) = granted.rsplit_once('.') else {
                return granted == wanted;
            };
            granted == wanted
                || (granted_operation == "all" && is_same_or_below(subject, granted_subject))
                || (granted_operation == operation && is_below(granted_subject, subject))
        })
    }

    fn insert(&mut self, name: &str) {
        if !self.0.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            self.0.push(name.to_owned());
        }
    }
}

fn is_below(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

fn is_same_or_below(inner: &str, outer: &str) -> bool {
    inner == outer || is_below(inner, outer)
}

impl FromStr for ScopeSet {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut set = Self::default();
        for name in text.split([',', ' ', '\n', '\r', '\t']).filter(|name| !name.is_empty()) {
            let well_formed = name.len() <= LONGEST_NAME
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
            if !well_formed {
                return Err(BadScope);
            }
            set.insert(name);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> ScopeSet {
        text.parse().expect("a scope list")
    }

    #[test]
    fn separators_blanks_and_repetitions_do_not_matter() {
        assert_eq!(
            set("ZohoCRM.org.READ, zohocrm.ORG.read Desk.basic.READ,").to_parameter(),
            "ZohoCRM.org.READ,Desk.basic.READ"
        );
        assert!("a;b".parse::<ScopeSet>().is_err());
        assert!("a\0b".parse::<ScopeSet>().is_err());
    }

    #[test]
    fn what_zoho_spells_or_widens_differently_is_not_missing() {
        let granted = set("zohocrm.org.read ZohoCRM.modules.ALL Desk.tickets.comments.READ");
        assert!(set("ZohoCRM.org.READ").missing_from(&granted).is_empty());
        assert!(set("ZohoCRM.modules.READ").missing_from(&granted).is_empty());
        assert!(set("Desk.tickets.READ").missing_from(&granted).is_empty());
        assert_eq!(
            set("ZohoCRM.org.READ,ZohoCRM.users.READ,Desk.tickets.UPDATE").missing_from(&granted).to_parameter(),
            "ZohoCRM.users.READ,Desk.tickets.UPDATE"
        );
        assert!(!set("ZohoCRM.modulesX.ALL").covers("ZohoCRM.modules.READ"));
    }
}
