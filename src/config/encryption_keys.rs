//! `ENCRYPTION_KEYS`: what seals the stored tokens. The first key seals, all open, so that a key
//! can be replaced while everything runs (security.md §4.5, R-23).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::{ConfigErrors, SAMPLE};

pub(super) const KEY_BYTES: usize = 32;
const LONGEST_ID: usize = 32;

/// At least one key, each with its own id. The bytes are erased from memory on drop.
#[derive(Clone)]
pub struct EncryptionKeys {
    first: Key,
    others: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// Ids only.
impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncryptionKeys").field(&self.ids().collect::<Vec<_>>()).finish()
    }
}

impl EncryptionKeys {
    /// The key that seals.
    pub fn first(&self) -> (&str, &[u8; KEY_BYTES]) {
        (&self.first.id, &self.first.bytes)
    }

    /// A key that opens.
    pub fn get(&self, id: &str) -> Option<&[u8; KEY_BYTES]> {
        self.all().find(|key| key.id == id).map(|key| &*key.bytes)
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all().map(|key| key.id.as_str())
    }

    /// Refuses keys that anybody can guess: all bytes the same, as in the all-zero sample.
    pub(super) fn validate(&self, demo: bool, errors: &mut ConfigErrors) {
        let guessable = |key: &&Key| key.bytes.iter().all(|byte| *byte == key.bytes[0]);
        for key in self.all().filter(guessable).filter(|_| !demo) {
            let problem = format!("has a sample as key `{}`: make one with `openssl rand -base64 32`", key.id);
            errors.add("ENCRYPTION_KEYS", problem);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// What is wrong with each entry, by position and id; never the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct BadEncryptionKeys(pub Vec<String>);

impl FromStr for EncryptionKeys {
    type Err = BadEncryptionKeys;

    /// `id:base64` separated by commas, or by lines in a file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut problems = Vec::new();
        let mut keys: Vec<Key> = Vec::new();
        let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        for (number, entry) in (1..).zip(entries) {
            match Key::parse(entry) {
                Ok(key) if keys.iter().any(|known| known.id == key.id) => {
                    problems.push(format!("the id `{}` stands there twice: give every key its own", key.id));
                }
                Ok(key) => keys.push(key),
                Err(problem) => problems.push(problem.describe(number)),
            }
        }
        if !problems.is_empty() {
            return Err(BadEncryptionKeys(problems));
        }
        let mut keys = keys.into_iter();
        match keys.next() {
            Some(first) => Ok(Self { first, others: keys.collect() }),
            None => Err(BadEncryptionKeys(vec!["holds no key".to_owned()])),
        }
    }
}

enum KeyProblem {
    NoId,
    BadId,
    Sample(String),
    NotBase64(String),
    Length(String, usize),
}

impl KeyProblem {
    fn describe(self, number: usize) -> String {
        match self {
            // The entry may be the bare key: it must not be repeated.
            Self::NoId => {
                format!("entry {number} has no id: write it as `k1:` followed by the base64 of {KEY_BYTES} bytes")
            }
            Self::BadId => {
                format!("entry {number} has an id that is not 1 to {LONGEST_ID} of the characters A-Z a-z 0-9 _ -")
            }
            Self::Sample(id) => format!("key `{id}` is the sample `{SAMPLE}`: make one with `openssl rand -base64 32`"),
            Self::NotBase64(id) => format!("key `{id}` is no base64: make one with `openssl rand -base64 32`"),
            Self::Length(id, bytes) => {
                format!("key `{id}` has {bytes} bytes instead of {KEY_BYTES}: make one with `openssl rand -base64 32`")
            }
        }
    }
}

impl Key {
    fn parse(entry: &str) -> Result<Self, KeyProblem> {
        let (id, text) = entry.split_once(':').ok_or(KeyProblem::NoId)?;
        let well_formed = (1..=LONGEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !well_formed {
            return Err(KeyProblem::BadId);
        }
        let id = id.to_owned();
        if text.trim() == SAMPLE {
            return Err(KeyProblem::Sample(id));
        }
        // Both alphabets, with and without padding: the tools that make keys differ.
        let text = Zeroizing::new(text.trim().trim_end_matches('=').replace('-', "+").replace('_', "/"));
        let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(&*text).map_err(|_| KeyProblem::NotBase64(id.clone()))?);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(KeyProblem::Length(id, bytes.len()));
        }
        key.copy_from_slice(&bytes);
        Ok(Self { id, bytes: key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: &str = "+/8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0=";

    fn problems(text: &str) -> Vec<String> {
        text.parse::<EncryptionKeys>().expect_err("keys that are refused").0
    }

    #[test]
    fn every_dialect_of_base64_is_the_same_key() {
        let url_safe = STANDARD.replace('+', "-").replace('/', "_");
        let text = format!("a:{STANDARD}, b:{url_safe},\nc:{}\n", url_safe.trim_end_matches('='));
        let keys: EncryptionKeys = text.parse().unwrap();
        assert_eq!(keys.ids().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(keys.first().0, "a");
        assert_eq!(keys.get("b"), keys.get("a"));
        assert_eq!(keys.get("c"), Some(keys.first().1));
        assert_eq!(keys.get("d"), None);
        assert_eq!(keys.first().1[..3], [0xfb, 0xff, 0]);
    }

    #[test]
    fn s73_short_doubled_and_malformed_keys_are_named_without_their_value() {
        let short = "c2hvcnQ=";
        let text = format!("k1:{STANDARD},k1:{STANDARD},k2:{short},k3:@@@,{STANDARD},b d:{STANDARD},k4:change-me");
        let problems = problems(&text);
        assert_eq!(problems.len(), 6, "{problems:#?}");
        for (problem, part) in problems.iter().zip([
            "`k1` stands there twice",
            "`k2` has 5 bytes",
            "`k3` is no base64",
            "entry 5 has no id",
            "entry 6",
            "`k4` is the sample",
        ]) {
            assert!(problem.contains(part), "{problem:?} does not say {part:?}");
        }
        let said = problems.join("\n");
        assert!(!said.contains(STANDARD) && !said.contains(short) && !said.contains("@@@"));
    }

    #[test]
    fn s73_no_key_at_all_is_refused() {
        assert_eq!(problems(" , \n"), ["holds no key"]);
    }

    #[test]
    fn s73_debug_shows_ids_only() {
        let keys: EncryptionKeys = format!("k1:{STANDARD}").parse().unwrap();
        assert_eq!(format!("{keys:?}"), r#"EncryptionKeys(["k1"])"#);
    }

    #[test]
    fn s73_a_key_that_anybody_guesses_is_known() {
        let zero = STANDARD_NO_PAD.encode([0; KEY_BYTES]);
        let keys: EncryptionKeys = format!("k1:{STANDARD},zero:{zero}").parse().unwrap();
        let mut errors = ConfigErrors::default();
        keys.validate(true, &mut errors);
        assert!(errors.is_empty());
        keys.validate(false, &mut errors);
        assert_eq!(
            errors.to_string(),
            "ENCRYPTION_KEYS has a sample as key `zero`: make one with `openssl rand -base64 32`"
        );
    }
}
