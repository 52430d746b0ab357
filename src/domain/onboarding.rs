//! What an onboarding link may ask for, and how far it is.

use std::{fmt, str::FromStr};

/// How far a link is. The last four are its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Nobody has begun.
    Created,
    /// Somebody has begun, and is at Zoho or was.
    Started,
    /// The grant rests until the person has confirmed.
    Consented,
    Connected,
    Refused,
    Expired,
    Withdrawn,
}

impl LinkState {
    pub const KEYS: [(Self, &'static str); 7] = [
        (Self::Created, "created"),
        (Self::Started, "started"),
        (Self::Consented, "consented"),
        (Self::Connected, "connected"),
        (Self::Refused, "refused"),
        (Self::Expired, "expired"),
        (Self::Withdrawn, "withdrawn"),
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::Consented => "consented",
            Self::Connected => "connected",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether anything may still come of it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Started | Self::Consented)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such state of an onboarding link")]
pub struct UnknownLinkState;

impl FromStr for LinkState {
    type Err = UnknownLinkState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::KEYS.into_iter().find(|(_, key)| *key == text).map(|(state, _)| state).ok_or(UnknownLinkState)
    }
}

/// Why a link ended without a connection although somebody consented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// They said no when they saw what would be connected.
    Person,
    /// Their address is of another domain than expected.
    EmailDomain,
    /// They do not belong to the organization that was expected.
    Organization,
}

impl Refusal {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::EmailDomain => "email_domain",
            Self::Organization => "organization",
        }
    }
}

impl FromStr for Refusal {
    type Err = UnknownLinkState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Person, Self::EmailDomain, Self::Organization];
        all.into_iter().find(|refusal| refusal.key() == text).ok_or(UnknownLinkState)
    }
}

/// The domain that an e-mail address must be of, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailDomain(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a domain like example.com")]
pub struct BadEmailDomain;

impl EmailDomain {
    /// Longest name that DNS knows.
    const LONGEST: usize = 253;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Exactly that domain: one below it is another.
    pub fn is_of(&self, email: &str) -> bool {
        email.rsplit_once('@').is_some_and(|(_, domain)| domain.to_lowercase() == self.0)
    }
}

impl FromStr for EmailDomain {
    type Err = BadEmailDomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let domain = text.trim().to_lowercase();
        let is_label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
        };
        let well_formed = domain.len() <= Self::LONGEST && domain.contains('.') && domain.split('.').all(is_label);
        if well_formed { Ok(Self(domain)) } else { Err(BadEmailDomain) }
    }
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the done page's link leads: a page of the SaaS, at an origin that the settings name
/// (security.md S-46).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnUrl(url::Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address at one of the origins in RETURN_ORIGINS")]
pub struct BadReturnUrl;

impl ReturnUrl {
    const LONGEST: usize = 2048;

    /// `origins` are spelled as browsers spell them. A user name would make the link say another host
    /// than it leads to.
    pub fn parse(text: &str, origins: &[String]) -> Result<Self, BadReturnUrl> {
        let url = Self::read(text).ok_or(BadReturnUrl)?;
        let origin = url.origin().ascii_serialization();
        let is_plain = url.username().is_empty() && url.password().is_none();
        if is_plain && origins.contains(&origin) { Ok(Self(url)) } else { Err(BadReturnUrl) }
    }

    /// From a stored column, where only judged addresses were ever written.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::read(text).map(Self)
    }

    fn read(text: &str) -> Option<url::Url> {
        let is_clean = text.len() <= Self::LONGEST && !text.chars().any(|letter| letter.is_control() || letter == '\\');
        url::Url::parse(text).ok().filter(|url| is_clean && matches!(url.scheme(), "https" | "http"))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What the person knows it by.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The same with `onboarding_link=<id>` behind whatever query it has.
    pub fn with_link(&self, id: impl fmt::Display) -> String {
        let mut url = self.0.clone();
        let query = match url.query() {
            None | Some("") => format!("onboarding_link={id}"),
            Some(query) => format!("{}&onboarding_link={id}", query.trim_end_matches('&')),
        };
        url.set_query(Some(&query));
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_one_name() {
        for (state, key) in LinkState::KEYS {
            assert_eq!((state.key(), key.parse()), (key, Ok(state)));
        }
        assert!("".parse::<LinkState>().is_err());
    }

    #[test]
    fn s46_a_domain_is_compared_exactly_and_without_case() {
        let domain: EmailDomain = " Example.COM ".parse().unwrap();
        for good in ["ann@example.com", "Ann@EXAMPLE.com", "\"a@b\"@example.com"] {
            assert!(domain.is_of(good), "{good}");
        }
        for bad in ["ann@mail.example.com", "ann@example.com.evil.test", "example.com", "ann@notexample.com", ""] {
            assert!(!domain.is_of(bad), "{bad}");
        }
        for bad in ["", "example", "@example.com", "a..b", ".com", "a b.com", "-a.com", "https://a.com"] {
            assert!(bad.parse::<EmailDomain>().is_err(), "{bad}");
        }
    }

    #[test]
    fn s46_a_return_url_leads_to_a_known_origin_or_nowhere() {
        let origins = ["https://app.example.com".to_owned(), "http://localhost:3000".to_owned()];
        for good in ["https://app.example.com", "https://APP.example.com:443/a?b=c#d", "http://localhost:3000/x"] {
            assert!(ReturnUrl::parse(good, &origins).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/done",
            "//app.example.com/",
            "http://app.example.com/",
            "https://app.example.com:8443/",
            "https://app.example.com.evil.test/",
            "https://app.example.com@evil.test/",
            "https://user@app.example.com/",
            "https://evil.test/https://app.example.com",
            "https://evil.test\\@app.example.com/",
            "javascript:alert(1)//app.example.com",
            "https://app.example.com/\n",
        ] {
            assert!(ReturnUrl::parse(bad, &origins).is_err(), "{bad}");
        }
        assert!(ReturnUrl::parse("https://app.example.com", &[]).is_err());
    }

    #[test]
    fn the_link_is_named_behind_the_query_and_before_the_fragment() {
        let named = |text: &str| ReturnUrl::from_stored(text).unwrap().with_link("7");
        assert_eq!(named("https://a.test"), "https://a.test/?onboarding_link=7");
        assert_eq!(named("https://a.test/b?"), "https://a.test/b?onboarding_link=7");
        assert_eq!(named("https://a.test/b?x=%26&y"), "https://a.test/b?x=%26&y&onboarding_link=7");
        assert_eq!(named("https://a.test/b?x=1#top"), "https://a.test/b?x=1&onboarding_link=7#top");
    }
}
