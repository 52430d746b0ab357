//! A JSON object from outside, read with all its mistakes at once: what is unknown, doubled, missing or
//! malformed is named by its path (`organization.id`), and no value is ever repeated.

use std::fmt::{self, Display};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text;

/// Longest text that is looked at; codes and tokens of Zoho's have 70 characters.
const LONGEST: usize = 4096;

/// What is wrong with one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) member: String,
    pub(crate) detail: String,
}

impl Mistake {
    pub(crate) fn new(member: &str, detail: impl Display) -> Self {
        Self { member: text::shown(&text::clean(member)), detail: detail.to_string() }
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.member, self.detail)
    }
}

/// The members that nobody has taken yet.
#[derive(Debug)]
pub(crate) struct Members {
    /// `organization.`, inside that member.
    path: String,
    left: Vec<(String, Box<RawValue>)>,
    mistakes: Vec<Mistake>,
}

impl Members {
    /// `None` for what is no JSON object.
    pub(crate) fn read(json: &str) -> Option<Self> {
        Self::at(String::new(), json)
    }

    fn at(path: String, json: &str) -> Option<Self> {
        let Pairs(pairs) = serde_json::from_str(json).ok()?;
        let mut members = Self { path, left: Vec::new(), mistakes: Vec::new() };
        for (name, value) in pairs {
            if members.left.iter().any(|(known, _)| *known == name) {
                members.add(&name, "must be given once");
            } else {
                members.left.push((name, value));
            }
        }
        Some(members)
    }

    fn raw(&mut self, name: &str) -> Option<Box<RawValue>> {
        let at = self.left.iter().position(|(known, _)| known == name)?;
        Some(self.left.remove(at).1).filter(|value| value.get() != "null")
    }

    /// An optional text, as the type it stands for; `null` counts as not given.
    pub(crate) fn take<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let value = self.raw(name)?;
        let Ok(text) = serde_json::from_str::<String>(value.get()) else {
            self.add(name, "must be text");
            return None;
        };
        if text.len() > LONGEST {
            self.add(name, "is too long");
            return None;
        }
        parse(&text).map_err(|error| self.add(name, error)).ok()
    }

    /// As `take`; its absence is a mistake.
    pub(crate) fn need<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        self.is_there(name).then(|| self.take(name, parse)).flatten()
    }

    /// An optional yes or no.
    pub(crate) fn take_flag(&mut self, name: &str) -> Option<bool> {
        let value = self.raw(name)?;
        let flag = serde_json::from_str::<bool>(value.get());
        flag.map_err(|_| self.add(name, "must be true or false")).ok()
    }

    /// An optional list of texts.
    pub(crate) fn take_list(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.raw(name)?;
        match serde_json::from_str::<Vec<String>>(value.get()) {
            Ok(list) if list.iter().all(|text| text.len() <= LONGEST) => Some(list),
            Ok(_) => {
                self.add(name, "is too long");
                None
            }
            Err(_) => {
                self.add(name, "must be a list of texts");
                None
            }
        }
    }

    /// An optional object; give it back to `close` when its members are taken.
    pub(crate) fn open(&mut self, name: &str) -> Option<Self> {
        let value = self.raw(name)?;
        let inner = Self::at(format!("{}{name}.", self.path), value.get());
        if inner.is_none() {
            self.add(name, "must be an object");
        }
        inner
    }

    pub(crate) fn close(&mut self, inner: Self) {
        self.mistakes.extend(inner.mistakes());
    }

    /// Whether the member is given; that it is not is a mistake.
    pub(crate) fn is_there(&mut self, name: &str) -> bool {
        let there = self.has(name);
        if !there {
            // `null` counts as not given.
            self.left.retain(|(known, _)| known != name);
            self.add(name, "is missing");
        }
        there
    }

    /// Whether the member is text, where it may be something else.
    pub(crate) fn is_text(&self, name: &str) -> bool {
        self.left.iter().any(|(known, value)| known == name && value.get().starts_with('"'))
    }

    /// Whether there is anything to take.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(known, value)| known == name && value.get() != "null")
    }

    pub(crate) fn add(&mut self, name: &str, detail: impl Display) {
        self.mistakes.push(Mistake::new(&format!("{}{name}", self.path), detail));
    }

    /// All mistakes; what nobody took is unknown.
    pub(crate) fn mistakes(mut self) -> Vec<Mistake> {
        for (name, _) in std::mem::take(&mut self.left) {
            self.add(&name, "is no member of this object");
        }
        self.mistakes
    }
}

/// The members of an object as they stand there: a map would drop doubled ones.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// Text that is stored as it is: Postgres refuses U+0000 (security.md D-14), and nobody means the
/// others.
pub(crate) fn plain(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        Err("must not be empty")
    } else if text.chars().any(char::is_control) {
        Err("must hold no control characters")
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let mut members = Members::read(
            r#"{"tenant": 5, "tenant": "a", "role": "x", "scopes": ["a", 1], "client": {"id": "", "id2": "\u0000"}, "a": null}"#,
        )
        .expect("an object");
        assert_eq!(members.take("tenant", plain), None);
        assert_eq!(members.need("product", plain), None);
        assert_eq!(members.need("a", plain), None);
        assert_eq!(members.take_list("scopes"), None);
        let mut client = members.open("client").expect("an object");
        client.take("id", plain);
        members.close(client);
        let told: Vec<_> = members.mistakes().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "tenant must be given once",
                "tenant must be text",
                "product is missing",
                "a is missing",
                "scopes must be a list of texts",
                "client.id must not be empty",
                "client.id2 is no member of this object",
                "role is no member of this object",
            ]
        );
    }

    #[test]
    fn what_is_right_is_taken_and_what_is_no_object_is_none() {
        let mut members = Members::read(r#"{"name": " Acme ", "list": ["a"], "none": null}"#).expect("an object");
        assert_eq!(members.need("name", plain).as_deref(), Some("Acme"));
        assert_eq!(members.take_list("list"), Some(vec!["a".to_owned()]));
        assert_eq!(members.take("none", plain), None);
        assert_eq!(members.mistakes(), []);
        for other in ["", "[]", "null", "5", "{", "{} {}", "\"{}\""] {
            assert!(Members::read(other).is_none(), "{other}");
        }
    }
}
