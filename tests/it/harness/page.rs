//! An answer of the site, read as a browser or a person would.

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};

#[derive(Debug, Clone)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    pub async fn read(answer: reqwest::Response) -> Self {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, text: answer.text().await.unwrap() }
    }

    /// The value of a header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where a redirect leads; there is only one kind.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.headers[LOCATION].to_str().unwrap()
    }

    /// The raw `Set-Cookie` lines.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect()
    }

    /// The line that sets the session, if one does (removing it does not count).
    pub fn session_cookie(&self) -> Option<&str> {
        self.set_cookies().into_iter().find(|line| line.contains("lwz_session=") && !line.contains("Max-Age=0"))
    }

    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text);
        self
    }

    pub fn has(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// The value of a form's field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.inputs()
            .into_iter()
            .find(|input| attribute(input, "name").as_deref() == Some(name))
            .and_then(|input| attribute(input, "value"))
    }

    /// Every value that a field of this name offers: radio buttons and the like.
    pub fn values(&self, name: &str) -> Vec<String> {
        let named = self.inputs().into_iter().filter(|input| attribute(input, "name").as_deref() == Some(name));
        named.filter_map(|input| attribute(input, "value")).collect()
    }

    /// The form token.
    #[track_caller]
    pub fn csrf(&self) -> String {
        self.field("csrf").unwrap_or_else(|| panic!("no form token:\n{}", self.text))
    }

    /// Where the page's forms are sent.
    pub fn actions(&self) -> Vec<String> {
        tags(&self.text, "form").into_iter().filter_map(|form| attribute(form, "action")).collect()
    }

    /// Where the page's links lead.
    pub fn links(&self) -> Vec<String> {
        tags(&self.text, "a").into_iter().filter_map(|link| attribute(link, "href")).collect()
    }

    fn inputs(&self) -> Vec<&str> {
        ["input", "button", "option", "select"].into_iter().flat_map(|tag| tags(&self.text, tag)).collect()
    }
}

/// Every opening tag of this name, without its angle brackets.
pub fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("<{name}");
    let pieces = html.split(start.as_str()).skip(1);
    pieces
        .filter(|piece| piece.starts_with(|next: char| next.is_ascii_whitespace() || next == '>'))
        .map(|piece| piece.split('>').next().unwrap_or_default())
        .collect()
}

/// An attribute of a tag, with the entities that templates write read back.
pub fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    let at =
        tag.match_indices(&start).find(|(at, _)| tag[..*at].ends_with(|before: char| before.is_ascii_whitespace()))?.0;
    let value = tag[at + start.len()..].split('"').next()?;
    Some(
        value
            .replace("&#38;", "&")
            .replace("&amp;", "&")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#60;", "<")
            .replace("&#62;", ">"),
    )
}
