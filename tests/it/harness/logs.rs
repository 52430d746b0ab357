//! Reading what programs wrote, and searching it for what nobody may write.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// Every line as the JSON object that it must be.
pub fn events(log: &str) -> Vec<Value> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in the log line {line}")))
        .collect()
}

/// Finds secrets, however they were written: as they are, as the bytes of their text in hexadecimal (what a dump makes
/// of `bytea`), or as the bytes that their base64url stands for.
#[derive(Debug, Default)]
pub struct Secrets(Vec<(String, Vec<String>)>);

impl Secrets {
    /// Tells them apart from words that occur anyway by their length.
    pub fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 12, "{what} is too short to be searched for");
        let mut spellings = vec![secret.to_owned(), hexadecimal(secret.as_bytes())];
        spellings.extend(URL_SAFE_NO_PAD.decode(secret).ok().map(|bytes| hexadecimal(&bytes)));
        self.0.push((what.to_owned(), spellings));
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What kinds of secrets stand in a text; never the secrets.
    pub fn found_in(&self, text: &str) -> Vec<&str> {
        let stands = |(_, spellings): &&(String, Vec<String>)| spellings.iter().any(|spelling| text.contains(spelling));
        self.0.iter().filter(stands).map(|(what, _)| what.as_str()).collect()
    }
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("text takes everything");
        text
    })
}
