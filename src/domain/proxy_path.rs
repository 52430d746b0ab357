//! The path of a proxied call: the part of a request that could lead a token astray.
//!
//! The host follows from product and data centre alone; what comes from outside is split into
//! segments, each decoded once and judged, and encoded anew (security.md S-60). What is sent to Zoho
//! is never a piece of text that came in.

use std::fmt::Write as _;

use super::product::Product;

/// Longest path that is looked at; Zoho's own are below 200 characters.
pub const LONGEST: usize = 4096;

/// Segments that can be spelled in one way only: no slash, no dots alone, nothing that somebody
/// could decode a second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyPath(Vec<String>);

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProxyPath {
    #[error("is longer than {LONGEST} characters")]
    TooLong,
    #[error("holds what is no ASCII text or no percent-encoded UTF-8")]
    Encoding,
    #[error("holds an empty segment: no `//`, and no slash at the end")]
    EmptySegment,
    #[error("holds a segment of dots")]
    Dots,
    #[error("holds a slash, backslash or percent sign within a segment")]
    Separator,
    #[error("holds a control character")]
    Control,
}

impl ProxyPath {
    /// Reads what follows `/proxy/` in the request line, undecoded.
    pub fn parse(raw: &str) -> Result<Self, BadProxyPath> {
        if raw.len() > LONGEST {
            return Err(BadProxyPath::TooLong);
        }
        raw.split('/').map(segment).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the path lies under one of the product's prefixes, with something behind it.
    pub fn is_of(&self, product: Product) -> bool {
        prefixes(product)
            .iter()
            .any(|prefix| self.0.len() > prefix.len() && self.0.iter().zip(*prefix).all(|(own, known)| own == known))
    }

    /// Whether these are its segments.
    pub fn is(&self, segments: &[&str]) -> bool {
        self.0 == segments
    }

    /// As it is sent: a slash before each segment, everything but letters, digits and `-._~` encoded.
    pub fn encoded(&self) -> String {
        let mut path = String::new();
        for segment in &self.0 {
            path.push('/');
            for byte in segment.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    path.push(byte.into());
                } else {
                    write!(path, "%{byte:02X}").expect("text takes everything");
                }
            }
        }
        path
    }
}

/// Where a product's API lives (design.md §6), by segment.
pub const fn prefixes(product: Product) -> &'static [&'static [&'static str]] {
    match product {
        Product::Assist | Product::Salesiq => &[&["api", "v2"]],
        Product::Connect => &[&["pulse"], &["nativeapi"]],
        Product::ZiaAgents => &[&["ziaagents", "api"]],
        Product::Crm => &[&["crm"]],
        Product::Desk => &[&["api", "v1"]],
        Product::Books => &[&["books", "v3"]],
    }
}

fn segment(raw: &str) -> Result<String, BadProxyPath> {
    let text = decode(raw)?;
    if text.is_empty() {
        return Err(BadProxyPath::EmptySegment);
    }
    if text.chars().any(char::is_control) {
        return Err(BadProxyPath::Control);
    }
    if text.chars().any(is_separator) {
        return Err(BadProxyPath::Separator);
    }
    // Servers in Java cut path parameters off, so that `..;x` becomes `..`.
    let name = text.split(';').next().unwrap_or_default();
    if name.chars().all(is_dot) {
        return Err(BadProxyPath::Dots);
    }
    Ok(text)
}

/// Percent-decodes once, strictly.
fn decode(raw: &str) -> Result<String, BadProxyPath> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (Some(high), Some(low)) = (digit(), digit()) else { return Err(BadProxyPath::Encoding) };
            decoded.push(u8::try_from(high * 16 + low).map_err(|_| BadProxyPath::Encoding)?);
        } else if byte.is_ascii() {
            decoded.push(byte);
        } else {
            return Err(BadProxyPath::Encoding);
        }
    }
    String::from_utf8(decoded).map_err(|_| BadProxyPath::Encoding)
}

/// What some server on the way might take for a slash, a backslash, or the beginning of one: the
/// characters themselves and those that normalization (NFKC) or a best fit makes them of.
const fn is_separator(letter: char) -> bool {
    matches!(
        letter,
        '/' | '\\'
            | '%'
            | '\u{2044}'
            | '\u{2100}'
            | '\u{2101}'
            | '\u{2105}'
            | '\u{2106}'
            | '\u{2215}'
            | '\u{2216}'
            | '\u{fe68}'
            | '\u{fe6a}'
            | '\u{ff05}'
            | '\u{ff0f}'
            | '\u{ff3c}'
    )
}

/// A dot, and what normalization makes dots of.
const fn is_dot(letter: char) -> bool {
    matches!(letter, '.' | '\u{2024}'..='\u{2026}' | '\u{fe19}' | '\u{fe30}' | '\u{fe52}' | '\u{ff0e}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(raw: &str) -> Result<String, BadProxyPath> {
        ProxyPath::parse(raw).map(|path| path.encoded())
    }

    #[test]
    fn a_path_is_decoded_once_and_encoded_anew() {
        assert_eq!(sent("api/v2/user"), Ok("/api/v2/user".to_owned()));
        assert_eq!(sent("api/v2/ann%40example.com"), sent("api/v2/ann@example.com"));
        assert_eq!(sent("api/v2/ann@example.com").as_deref(), Ok("/api/v2/ann%40example.com"));
        assert_eq!(sent("%63rm/v8/Gr%c3%b6%C3%9Fe;a=b").as_deref(), Ok("/crm/v8/Gr%C3%B6%C3%9Fe%3Ba%3Db"));
        assert_eq!(sent("crm/v8/...and/a..b/.c").as_deref(), Ok("/crm/v8/...and/a..b/.c"));
    }

    #[test]
    fn s60_what_could_lead_elsewhere_is_refused() {
        use BadProxyPath::{Control, Dots, EmptySegment, Encoding, Separator, TooLong};
        for (raw, why) in [
            ("", EmptySegment),
            ("/elsewhere/x", EmptySegment),
            ("//elsewhere/x", EmptySegment),
            ("crm//v8", EmptySegment),
            ("crm/v8/", EmptySegment),
            ("http://elsewhere/x", EmptySegment),
            (".", Dots),
            ("crm/../oauth/v2/token", Dots),
            ("crm/%2e%2e/x", Dots),
            ("crm/.%2E/x", Dots),
            ("crm/..;/x", Dots),
            ("crm/..%3bjsessionid=1/x", Dots),
            ("crm/;/x", Dots),
            ("crm/%EF%BC%8E%EF%BC%8E/x", Dots),
            ("crm/%E2%80%A5/x", Dots),
            ("crm/a%2fb", Separator),
            ("crm/..%2f..%2fx", Separator),
            ("crm/a%5cb", Separator),
            ("crm/a\\b", Separator),
            ("crm/%252e%252e/x", Separator),
            ("crm/a%25", Separator),
            ("crm/%EF%BC%8F", Separator),
            ("crm/%E2%88%95", Separator),
            ("crm/a%00b", Control),
            ("crm/a%0d%0aHost:%20x", Control),
            ("crm/a%7f", Control),
            ("crm/a%C2%85", Control),
            ("crm/%c0%ae%c0%ae", Encoding),
            ("crm/%c0%af", Encoding),
            ("crm/%u002e", Encoding),
            ("crm/%2", Encoding),
            ("crm/%", Encoding),
            ("crm/%ED%A0%80", Encoding),
            ("crm/\u{ff0e}", Encoding),
        ] {
            assert_eq!(sent(raw), Err(why), "{raw:?}");
        }
        assert_eq!(sent(&"a".repeat(LONGEST + 1)), Err(TooLong));
    }

    #[test]
    fn s60_a_path_lies_under_its_products_prefixes() {
        let is_of = |raw: &str, product| ProxyPath::parse(raw).expect("a path").is_of(product);
        for (raw, product) in [
            ("api/v2/user", Product::Assist),
            ("api/v2/portals", Product::Salesiq),
            ("pulse/api/tasks", Product::Connect),
            ("nativeapi/v1/x", Product::Connect),
            ("ziaagents/api/v1/agents/query", Product::ZiaAgents),
            ("crm/v8/org", Product::Crm),
            ("api/v1/tickets", Product::Desk),
            ("books/v3/contacts", Product::Books),
        ] {
            assert!(is_of(raw, product), "{raw}");
            for other in ["oauth/v2/token", "API/V2/user", "api", "x/crm/v8/org", "crmx/v8", "@elsewhere/crm"] {
                assert!(!is_of(other, product), "{other} {product}");
            }
        }
        assert!(!is_of("api/v2", Product::Assist));
        assert!(!is_of("crm", Product::Crm));
        assert!(!is_of("books/v4/contacts", Product::Books));
    }

    proptest! {
        /// Whatever comes in: what is sent has one reading, for us and for the URL parser.
        #[test]
        fn s60_no_path_has_two_readings(raw in r"([a-z./\\%;:@]|%[0-9a-fA-F]{2}|\PC){0,40}") {
            if let Ok(path) = ProxyPath::parse(&raw) {
                let encoded = path.encoded();
                prop_assert_eq!(ProxyPath::parse(&encoded[1..]), Ok(path));
                let url = url::Url::parse(&format!("https://zoho.example{encoded}")).expect("a URL");
                prop_assert_eq!(url.path(), &encoded);
                prop_assert_eq!(url.host_str(), Some("zoho.example"));
                prop_assert!(encoded.starts_with('/') && !encoded.contains("//") && url.query().is_none());
            }
        }
    }
}
