//! Zoho's JSON, read member by member.
//!
//! `serde_json` judges the grammar; three things it does to values do not fit here. It rounds
//! integers beyond 64 bits (ids come as numbers, `zoho-oauth.md` §10), refuses a whole answer for
//! one lone surrogate in somebody's name (security.md S-66), and takes the last of two members of
//! one name (an answer that says two things says nothing). So a value stays the slice of text it
//! came as until a reader says what it expects there.

use std::fmt;

use serde::{
    Deserialize, Deserializer as _,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

/// Zoho's own answers nest about six deep.
const DEEPEST: usize = 32;

/// One value of an answer.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(&'a RawValue);

/// Not JSON, nested too deeply, or not of the type that belongs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Json<'a> {
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if is_too_deep(text) {
            return Err(Malformed);
        }
        serde_json::from_str(text).map(Self).map_err(|_| Malformed)
    }

    pub fn is_object(self) -> bool {
        self.0.get().starts_with('{')
    }

    /// The member of that name; `null` counts as absent.
    pub fn member(self, name: &str) -> Result<Option<Self>, Malformed> {
        let mut members = Deserializer::from_str(self.0.get());
        let found = members.deserialize_map(Find { name }).map_err(|_| Malformed)?;
        Ok(found.map(Json).filter(|value| value.0.get() != "null"))
    }

    /// The elements of a list.
    pub fn elements(self) -> Result<Vec<Self>, Malformed> {
        let elements: Vec<&RawValue> = serde_json::from_str(self.0.get()).map_err(|_| Malformed)?;
        Ok(elements.into_iter().map(Json).collect())
    }

    /// Text, with U+FFFD for every lone surrogate.
    pub fn text(self) -> Result<String, Malformed> {
        serde_json::from_str(self.0.get()).map(|Text(text)| text).map_err(|_| Malformed)
    }

    /// A member that is text if it is there at all.
    pub fn text_member(self, name: &str) -> Result<Option<String>, Malformed> {
        self.member(name)?.map(Json::text).transpose()
    }

    /// An id: text as it is, or the digits of a number that counts something. A fraction, an
    /// exponent or a sign has already lost what an id is.
    pub fn id(self) -> Result<String, Malformed> {
        let raw = self.0.get();
        if raw.bytes().all(|byte| byte.is_ascii_digit()) { Ok(raw.to_owned()) } else { self.text() }
    }

    /// A number, or text that spells one.
    pub fn number(self) -> Option<f64> {
        match self.text() {
            Ok(text) => text.trim().parse().ok(),
            Err(Malformed) => self.0.get().parse().ok(),
        }
    }
}

/// Brackets that are open at once, outside of text.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// Finds one member of an object and refuses a second of its name.
struct Find<'n> {
    name: &'n str,
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Text(name)) = members.next_key()? {
            let value = members.next_value::<&RawValue>()?;
            if name == self.name && found.replace(value).is_some() {
                return Err(de::Error::custom("two members of one name"));
            }
        }
        Ok(found)
    }
}

/// Text that is asked for as bytes: `serde_json` then passes lone surrogates on in the encoding
/// WTF-8 (three bytes each, the first ED, the second A0 to BF) instead of refusing them.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Text, E> {
                let mut text = String::with_capacity(bytes.len());
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    // The two bytes after ED come as chunks of their own.
                    if chunk.invalid() == [0xed] {
                        text.push(char::REPLACEMENT_CHARACTER);
                    }
                }
                Ok(Text(text))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member<'a>(text: &'a str, name: &str) -> Json<'a> {
        Json::parse(text).unwrap().member(name).unwrap().unwrap()
    }

    #[test]
    fn s22_ids_keep_every_digit() {
        for id in ["4241905", "9223372036854775807", "18446744073709551616", "1234567890123456789012345"] {
            assert_eq!(member(&format!(r#"{{"id":{id}}}"#), "id").id().unwrap(), id);
            assert_eq!(member(&format!(r#"{{"id":"{id}"}}"#), "id").id().unwrap(), id);
        }
        for no_id in ["1.0", "1e5", "-1", "true", "[]", "{}"] {
            assert_eq!(member(&format!(r#"{{"id":{no_id}}}"#), "id").id(), Err(Malformed), "{no_id}");
        }
    }

    #[test]
    fn s66_odd_text_survives_as_replacement_characters() {
        let text = r#"{"a":"x\ud800y","b":"\udc00\ud800","c":"\u0000","d":"\ud83d\ude00","\ud800":1}"#;
        let read = |name| member(text, name).text().unwrap();
        assert_eq!(read("a"), "x\u{fffd}y");
        assert_eq!(read("b"), "\u{fffd}\u{fffd}");
        assert_eq!(read("c"), "\0");
        assert_eq!(read("d"), "\u{1f600}");
    }

    #[test]
    fn absent_null_and_contradictory_members_are_told_apart() {
        let json = Json::parse("\u{feff} {\"a\":null,\"b\":1,\"b\":1,\"\\u0063\":[1, {}]}\n").unwrap();
        assert!(json.member("a").unwrap().is_none());
        assert!(json.member("z").unwrap().is_none());
        assert!(json.member("b").is_err());
        assert_eq!(json.member("c").unwrap().unwrap().elements().unwrap().len(), 2);
        assert!(Json::parse("[]").unwrap().member("a").is_err());
    }

    #[test]
    fn s22_depth_is_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(&nested(DEEPEST)).is_ok());
        assert!(Json::parse(&nested(DEEPEST + 1)).is_err());
        assert!(Json::parse(&nested(30_000)).is_err());
        assert!(Json::parse(&format!(r#"{{"a":"\"{}"}}"#, "[".repeat(100))).is_ok());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", " ", "<html>", "{", "{}{}", "{\"a\":\"\n\"}", "{'a':1}", "nul", "{\"a\":01}"] {
            assert!(Json::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#".*|[{}\[\]\\\\",:a-fnrlstu0-9eE.+\- ]{0,60}|\{"a":[{}\[\]",:\\\\ud8-f0-9.e]{0,20}\}"#) {
            if let Ok(json) = Json::parse(&text) {
                let _ = (json.member("a").is_ok(), json.elements().is_ok(), json.text(), json.id(), json.number());
            }
        }

        #[test]
        fn what_serde_json_writes_is_read_back(name in ".*", value in ".*", number: u64) {
            let written = serde_json::json!({ "name": name, "list": [{ "value": value }], "number": number }).to_string();
            let json = Json::parse(&written).unwrap();
            prop_assert_eq!(json.text_member("name").unwrap().unwrap(), name);
            let list = json.member("list").unwrap().unwrap().elements().unwrap();
            prop_assert_eq!(list[0].text_member("value").unwrap().unwrap(), value);
            prop_assert_eq!(json.member("number").unwrap().unwrap().id().unwrap(), number.to_string());
        }
    }
}
