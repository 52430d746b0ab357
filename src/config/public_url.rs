//! Origins that people configure: what browsers see of us, and what a `return_url` may name.

use std::{fmt, str::FromStr};

use crate::domain::servers::is_loopback;

/// `PUBLIC_URL`: the only source of our own links, of the redirect URI and of cookie flags
/// (security.md D-13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    redirect_uri: String,
}

impl PublicUrl {
    /// Scheme, host and port, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// What must stand in Zoho's API console, byte for byte.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl FromStr for PublicUrl {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origin = parse_origin(text)?;
        Ok(Self { redirect_uri: format!("{origin}/oauth/callback"), origin })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    #[error("`{0}` is no URL: write scheme and host, like https://login.example.com")]
    NoUrl(String),
    // Not repeated: what stands before the @ may be a password.
    #[error("holds a user name or password: write scheme and host only, like https://login.example.com")]
    UserInfo,
    #[error("`{0}` must be https; plain http is accepted for loopback addresses only, like http://localhost:8080")]
    NoTls(String),
    #[error("`{0}` must be scheme, host and port only, without path, query or fragment")]
    NotOnlyOrigin(String),
}

/// https, or http on loopback, in the spelling that browsers send as `Origin`.
pub(super) fn parse_origin(text: &str) -> Result<String, BadOrigin> {
    let url = url::Url::parse(text).map_err(|_| BadOrigin::NoUrl(without_user_info(text)))?;
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err(BadOrigin::UserInfo);
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(BadOrigin::NoTls(text.to_owned())),
        _ => return Err(BadOrigin::NoUrl(text.to_owned())),
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(BadOrigin::NotOnlyOrigin(text.to_owned()));
    }
    Ok(url.origin().ascii_serialization())
}

fn without_user_info(text: &str) -> String {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redirect_uri_follows_from_the_origin() {
        for (text, origin, https) in [
            ("https://login.example.com", "https://login.example.com", true),
            ("https://Login.Example.com:443/", "https://login.example.com", true),
            ("https://login.example.com:8443", "https://login.example.com:8443", true),
            ("http://localhost:8080", "http://localhost:8080", false),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", false),
            ("http://[::1]:8080", "http://[::1]:8080", false),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.origin(), origin);
            assert_eq!(url.redirect_uri(), format!("{origin}/oauth/callback"));
            assert_eq!(url.is_https(), https);
        }
    }

    #[test]
    fn s73_http_beyond_loopback_is_refused() {
        for text in
            ["http://login.example.com", "http://10.0.0.1:8080", "http://localhost.example.com", "http://0.0.0.0:80"]
        {
            assert_eq!(text.parse::<PublicUrl>(), Err(BadOrigin::NoTls(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn an_origin_is_no_more_than_an_origin() {
        for text in ["https://a.example/b", "https://a.example/?b", "https://a.example/#b", "https://a.example//"] {
            assert_eq!(text.parse::<PublicUrl>(), Err(BadOrigin::NotOnlyOrigin(text.to_owned())), "{text}");
        }
        for text in ["login.example.com", "localhost:8080", "ftp://a.example", "https://", ""] {
            assert!(matches!(text.parse::<PublicUrl>(), Err(BadOrigin::NoUrl(_))), "{text}");
        }
        for text in ["https://ann:hunter2@a.example", "https://ann@a.example/"] {
            assert_eq!(text.parse::<PublicUrl>(), Err(BadOrigin::UserInfo));
        }
        assert!(!"http//ann:hunter2@x".parse::<PublicUrl>().unwrap_err().to_string().contains("hunter2"));
    }
}
