//! A request, read completely before anything is decided about it.

use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::listener::Listener;

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) listener: Listener,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) version: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    pub(super) peer: String,
}

/// Parameters in the order they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    pub(super) fn without(&self, names: &[&str]) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())));
        out.finish()
    }
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    pub(super) fn parameters(&self) -> Parameters {
        Parameters::parse(self.query.as_bytes())
    }

    pub(super) fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim()
    }

    /// A form as browsers send it.
    pub(super) fn form(&self) -> Parameters {
        Parameters::parse(&self.body)
    }

    /// The parameters of a token call: body first (form or multipart), then the query. Anything else in the body, JSON
    /// above all, is not looked at (zoho-oauth.md §6).
    pub(super) fn token_parameters(&self) -> Parameters {
        let mut all = match self.content_type().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" | "" => self.form().0,
            "multipart/form-data" => self.multipart(),
            _ => Vec::new(),
        };
        all.extend(self.parameters().0);
        Parameters(all)
    }

    fn multipart(&self) -> Vec<(String, String)> {
        let boundary =
            self.header("content-type").and_then(|value| value.split_once("boundary=")).map(|(_, rest)| rest);
        let Some(boundary) = boundary.map(|rest| rest.split(';').next().unwrap_or_default().trim_matches('"')) else {
            return Vec::new();
        };
        let text = String::from_utf8_lossy(&self.body);
        let delimiter = format!("--{boundary}");
        text.split(delimiter.as_str()).filter_map(part).collect()
    }

    /// `Authorization: Basic`, as (client id, secret).
    pub(super) fn basic(&self) -> Option<(String, String)> {
        let (scheme, value) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((id.to_owned(), secret.to_owned()))
    }

    /// The access token of an API call: `Zoho-oauthtoken` is documented, `Bearer` works in places.
    pub(super) fn access_token(&self) -> Option<&str> {
        let (scheme, value) = self.header("authorization")?.split_once(' ')?;
        let known = scheme.eq_ignore_ascii_case("zoho-oauthtoken") || scheme.eq_ignore_ascii_case("bearer");
        known.then_some(value.trim())
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.headers.iter().filter(|(known, _)| known == "cookie").flat_map(|(_, value)| value.split(';'));
        pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// `name="…"`, a blank line, the value.
fn part(text: &str) -> Option<(String, String)> {
    let (head, value) = text.split_once("\r\n\r\n")?;
    let (_, rest) = head.split_once("name=\"")?;
    let (name, _) = rest.split_once('"')?;
    Some((name.to_owned(), value.strip_suffix("\r\n").unwrap_or(value).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content_type: &str, body: &'static str) -> Request {
        Request {
            listener: Listener::Control,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: "b=query&c=only+there".to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: Bytes::from_static(body.as_bytes()),
            peer: String::new(),
        }
    }

    #[test]
    fn the_body_comes_before_the_query() {
        let parameters = request("application/x-www-form-urlencoded", "a=1&b=2").token_parameters();
        assert_eq!((parameters.get("a"), parameters.get("b")), (Some("1"), Some("2")));
        assert_eq!(parameters.get("c"), Some("only there"));
    }

    #[test]
    fn multipart_forms_are_read() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
        assert_eq!(request("multipart/form-data; boundary=x", body).token_parameters().get("a"), Some("1"));
    }

    #[test]
    fn a_json_body_is_not_looked_at() {
        assert_eq!(request("application/json", "{\"a\":1}").token_parameters().get("a"), None);
    }
}
