//! The ledger: every code and token that was ever issued, who holds it, and how it died.
//!
//! Nothing is forgotten while the emulator runs: after a chaos run the ledger explains every token that a client believes
//! it has (security.md E-9). The rules are those of zoho-oauth.md §6, §7 and §9:
//!
//! 1. A code works once, at its own data centre, for its own client; presented again it revokes all it produced.
//! 2. A refresh token never rotates. Beyond the limit per client and person the oldest dies with its access tokens.
//! 3. An access token lives an hour; beyond the limit per refresh token the oldest dies without a word.
//! 4. Revoking a refresh token ends its access tokens and no other grant.

mod issue;
mod limits;
mod records;
mod revoke;
mod saved;

use std::collections::{HashMap, VecDeque};

pub(super) use issue::{CodeRequest, Issued, Presented, opaque};
pub(super) use records::{
    AccessToken, Challenge, ChallengeMethod, Code, Consent, End, Fate, Grant, Holder, RefreshToken, fate,
};
pub(super) use saved::Saved;

use super::clock::Millis;

/// Why the token endpoint says no; the words for it are chosen where the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Used, expired, of another data centre or client, revoked, evicted, or never issued.
    InvalidCode,
    RedirectUri,
    Verifier,
    Throttled,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    serial: u64,
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, RefreshToken>,
    access_tokens: HashMap<String, AccessToken>,
    /// The living refresh tokens of a client and person, oldest first.
    holders: HashMap<Holder, VecDeque<String>>,
    consents: HashMap<Holder, Vec<Consent>>,
    /// Creation times, kept only as long as a creation rate can look back.
    code_times: HashMap<Holder, VecDeque<Millis>>,
    refresh_token_times: HashMap<Holder, VecDeque<Millis>>,
}

impl Ledger {
    pub(super) fn codes(&self) -> impl Iterator<Item = &Code> {
        self.codes.values()
    }

    pub(super) fn refresh_tokens(&self) -> impl Iterator<Item = &RefreshToken> {
        self.refresh_tokens.values()
    }

    pub(super) fn access_tokens(&self) -> impl Iterator<Item = &AccessToken> {
        self.access_tokens.values()
    }

    pub(super) fn access_token(&self, value: &str) -> Option<&AccessToken> {
        self.access_tokens.get(value)
    }

    /// Whether this text was issued by the emulator as a code or token.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.codes.contains_key(text) || self.refresh_tokens.contains_key(text) || self.access_tokens.contains_key(text)
    }

    /// An earlier consent that covers these scopes, so that nobody need be asked again.
    pub(super) fn consent(&self, holder: &Holder, scopes: &[String], offline: bool) -> Option<&Consent> {
        let covers = |consent: &&Consent| {
            (consent.offline || !offline) && scopes.iter().all(|scope| consent.scopes.contains(scope))
        };
        self.consents.get(holder)?.iter().rev().find(covers)
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}
