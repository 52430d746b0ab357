//! The query of a proxied call. It is passed on as it came: only what would end a line, or is no
//! text at all, is refused, and a product's organization is added where it belongs.

use url::form_urlencoded;

/// Longest query that is looked at.
pub const LONGEST: usize = 8192;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyQuery(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProxyQuery {
    #[error("is longer than {LONGEST} characters")]
    TooLong,
    #[error("holds what is no ASCII text; encode it")]
    Encoding,
    /// Encoded, too: nobody should have to rely on every server's reading (security.md S-61).
    #[error("holds a line break or a NUL")]
    LineBreak,
}

impl ProxyQuery {
    /// Reads what follows the question mark, undecoded.
    pub fn parse(raw: &str) -> Result<Self, BadProxyQuery> {
        if raw.len() > LONGEST {
            return Err(BadProxyQuery::TooLong);
        }
        if !raw.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(BadProxyQuery::Encoding);
        }
        let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
        if form_urlencoded::parse(raw.as_bytes()).any(|(name, value)| breaks(&name) || breaks(&value)) {
            return Err(BadProxyQuery::LineBreak);
        }
        Ok(Self(raw.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every value of a parameter, whatever the case of its name: servers differ in that.
    pub fn values(&self, name: &str) -> Vec<String> {
        form_urlencoded::parse(self.0.as_bytes())
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// With one more parameter at the end.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut query = self.0.clone();
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        let start = query.len();
        Self(form_urlencoded::Serializer::for_suffix(query, start).append_pair(name, value).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_passed_on_as_it_came() {
        for raw in ["", "a=1&a=2", "q=a+b%20c%2Fd", "fields=id,name&x", "q=100%", "url=http://elsewhere/"] {
            assert_eq!(ProxyQuery::parse(raw).expect("a query").as_str(), raw);
        }
        let query = ProxyQuery::parse("a=1").expect("a query").with("scopeID", "9 1");
        assert_eq!(query.as_str(), "a=1&scopeID=9+1");
        assert_eq!(ProxyQuery::default().with("scopeID", "9").as_str(), "scopeID=9");
        assert_eq!(query.values("SCOPEid"), ["9 1"]);
    }

    #[test]
    fn s61_no_query_ends_a_line() {
        for raw in ["q=a%0d%0ab", "q=%0A", "%00=1", "a%0D"] {
            assert_eq!(ProxyQuery::parse(raw), Err(BadProxyQuery::LineBreak), "{raw}");
        }
        for raw in ["a b", "a\r\nb", "a\0", "ä", "a#b"] {
            assert_eq!(ProxyQuery::parse(raw), Err(BadProxyQuery::Encoding), "{raw:?}");
        }
        assert_eq!(ProxyQuery::parse(&"a".repeat(LONGEST + 1)), Err(BadProxyQuery::TooLong));
    }
}
