//! Where a finished sign-in leads: one of our own paths, by an allow-list grammar (security.md
//! S-39).

/// Longest path that is carried; it travels sealed in a cookie.
const LONGEST: usize = 256;

/// A path of this site, with an optional query. Never a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// Where people go who asked for nothing, or for something that is not ours.
    pub fn default_page() -> Self {
        Self("/connections".to_owned())
    }

    /// `/` then segments of unreserved characters, none of them empty or dots only, then
    /// optionally `?` and unreserved characters, `=` and `&`. No percent, no backslash: nothing
    /// that two parsers could read in two ways.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        let segments = path.strip_prefix('/')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        let good_path = segments.is_empty()
            || segments
                .split('/')
                .all(|segment| segment.bytes().all(plain) && segment.bytes().any(|byte| byte != b'.'));
        // Nobody lands where a sign-in begins, comes back or ends.
        let is_page = !matches!(segments.split('/').next(), Some("login" | "oauth" | "logout"));
        let good_query = query.is_none_or(|query| query.bytes().all(|byte| plain(byte) || matches!(byte, b'=' | b'&')));
        (good_path && is_page && good_query).then(|| Self(text.to_owned()))
    }

    pub fn parse_or_default(text: Option<&str>) -> Self {
        text.and_then(Self::parse).unwrap_or_else(Self::default_page)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn our_own_paths_pass() {
        for ours in ["/", "/connections", "/connections/0198-ab", "/tenants/acme/organizations?status=active&sort=name"]
        {
            assert_eq!(ReturnPath::parse(ours).unwrap().as_str(), ours);
        }
    }

    #[test]
    fn s39_everything_else_becomes_the_default() {
        for foreign in [
            "",
            "connections",
            "//elsewhere",
            "/\\elsewhere",
            "/%2felsewhere",
            "/a//b",
            "/..",
            "/a/../b",
            "/./a",
            "https://elsewhere",
            "/a#b",
            "/a b",
            "/a\n",
            "/a?x=http://b",
            "/\0",
            "/é",
            "/a/",
            "/login?product=crm",
            "/oauth/callback?code=1",
            "/logout",
        ] {
            assert_eq!(ReturnPath::parse_or_default(Some(foreign)), ReturnPath::default_page(), "{foreign:?}");
        }
        assert!(ReturnPath::parse(&format!("/{}", "a".repeat(LONGEST))).is_none());
    }

    proptest! {
        #[test]
        #[expect(clippy::disallowed_methods, reason = "joins as a browser would, to see where that leads")]
        fn s39_what_passes_never_leaves_the_site(text in "\\PC{0,40}") {
            if let Some(path) = ReturnPath::parse(&text) {
                let base = url::Url::parse("https://ours.example/").unwrap();
                let joined = base.join(path.as_str()).unwrap();
                prop_assert_eq!(joined.origin(), base.origin());
            }
        }
    }
}
