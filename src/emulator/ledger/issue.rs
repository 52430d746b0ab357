//! Issuing: a code by consent, tokens for a code, an access token for a refresh token.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::limits::exceeds;
use super::records::{Challenge, ChallengeMethod};
use super::{AccessToken, Code, Consent, End, Fate, Grant, Ledger, RefreshToken, Refusal};
use crate::emulator::clock::Millis;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::settings::{Beyond, Limits};

/// What a consent settled.
#[derive(Debug)]
pub(in crate::emulator) struct CodeRequest {
    pub(in crate::emulator) grant: Grant,
    pub(in crate::emulator) redirect_uri: Option<String>,
    pub(in crate::emulator) challenge: Option<Challenge>,
    pub(in crate::emulator) offline: bool,
    pub(in crate::emulator) mints: bool,
    pub(in crate::emulator) life: Millis,
}

/// A code as a client presents it.
#[derive(Debug)]
pub(in crate::emulator) struct Presented<'a> {
    pub(in crate::emulator) code: &'a str,
    pub(in crate::emulator) client_id: &'a str,
    pub(in crate::emulator) data_centre: DataCentre,
    pub(in crate::emulator) redirect_uri: Option<&'a str>,
    pub(in crate::emulator) verifier: Option<&'a str>,
}

/// What the token endpoint answers from.
#[derive(Debug)]
pub(in crate::emulator) struct Issued {
    pub(in crate::emulator) access_token: String,
    pub(in crate::emulator) refresh_token: Option<String>,
    pub(in crate::emulator) grant: Grant,
    pub(in crate::emulator) seconds: u32,
}

impl Ledger {
    /// Issues a code and remembers the consent behind it.
    pub(in crate::emulator) fn issue_code(
        &mut self,
        request: CodeRequest,
        limits: &Limits,
        now: Millis,
    ) -> Result<String, Refusal> {
        let holder = request.grant.holder();
        if exceeds(&mut self.code_times, &holder, limits.codes_per_10_minutes, 600_000, now) {
            return Err(Refusal::Throttled);
        }
        let value = opaque();
        self.consents.entry(holder).or_default().push(Consent {
            organization: request.grant.organization.clone(),
            environment: request.grant.environment,
            scopes: request.grant.scopes.clone(),
            offline: request.offline,
        });
        let consents = self.consents.get_mut(&request.grant.holder());
        if let Some(consents) = consents.filter(|consents| consents.len() > 64) {
            consents.drain(..32);
        }
        let code = Code {
            serial: self.next_serial(),
            value: value.clone(),
            grant: request.grant,
            redirect_uri: request.redirect_uri,
            challenge: request.challenge,
            mints: request.mints,
            created: now,
            expires: now + request.life,
            end: None,
            produced: Vec::new(),
            presented: 0,
        };
        self.codes.insert(value.clone(), code);
        Ok(value)
    }

    /// Redeems a code. Whoever presents one a second time ends all that the first time produced.
    pub(in crate::emulator) fn redeem(
        &mut self,
        presented: &Presented<'_>,
        limits: &Limits,
        now: Millis,
    ) -> Result<Issued, Refusal> {
        let found = self.codes.get_mut(presented.code);
        let code = found
            .filter(|code| {
                code.grant.client_id == presented.client_id && code.grant.data_centre() == presented.data_centre
            })
            .ok_or(Refusal::InvalidCode)?;
        code.presented += 1;
        if code.end.is_some() {
            let produced = code.produced.clone();
            for token in &produced {
                self.revoke_value(token, "its code was presented again", now);
            }
            return Err(Refusal::InvalidCode);
        }
        if now >= code.expires {
            return Err(Refusal::InvalidCode);
        }
        if code.redirect_uri.as_deref() != presented.redirect_uri && code.redirect_uri.is_some() {
            return Err(Refusal::RedirectUri);
        }
        if code.challenge.as_ref().is_some_and(|challenge| !challenge.is_met_by(presented.verifier)) {
            code.end =
                Some(End { fate: Fate::Revoked, cause: "presented without its PKCE verifier".to_owned(), at: now });
            return Err(Refusal::Verifier);
        }
        let (grant, mints) = (code.grant.clone(), code.mints);
        if mints
            && exceeds(&mut self.refresh_token_times, &grant.holder(), limits.refresh_tokens_per_minute, 60_000, now)
        {
            return Err(Refusal::Throttled);
        }
        if mints && self.is_full(&grant, limits) {
            return Err(Refusal::Throttled);
        }
        let refresh_token = mints.then(|| self.issue_refresh_token(&grant, limits, now));
        let access_token = self.issue_access_token(&grant, refresh_token.as_deref(), limits, now);
        if let Some(code) = self.codes.get_mut(presented.code) {
            code.end = Some(End { fate: Fate::Used, cause: "exchanged".to_owned(), at: now });
            code.produced = refresh_token.iter().chain([&access_token]).cloned().collect();
        }
        Ok(Issued { access_token, refresh_token, grant, seconds: limits.access_token_seconds })
    }

    /// A new access token for a living refresh token.
    pub(in crate::emulator) fn refresh(
        &mut self,
        value: &str,
        client_id: &str,
        data_centre: DataCentre,
        limits: &Limits,
        now: Millis,
    ) -> Result<Issued, Refusal> {
        let found = self.refresh_tokens.get_mut(value);
        let token = found
            .filter(|token| {
                token.end.is_none() && token.grant.client_id == client_id && token.grant.data_centre() == data_centre
            })
            .ok_or(Refusal::InvalidCode)?;
        if limits.uses_per_refresh_token.is_some_and(|limit| token.uses >= limit) {
            return Err(Refusal::InvalidCode);
        }
        token.count_refresh(limits, now)?;
        let grant = token.grant.clone();
        let access_token = self.issue_access_token(&grant, Some(value), limits, now);
        Ok(Issued { access_token, refresh_token: None, grant, seconds: limits.access_token_seconds })
    }

    fn is_full(&self, grant: &Grant, limits: &Limits) -> bool {
        let held = self.holders.get(&grant.holder()).map_or(0, VecDeque::len);
        limits.refresh_tokens_beyond == Beyond::Deny
            && limits.refresh_tokens_per_person.is_some_and(|limit| held >= limit)
    }

    fn issue_refresh_token(&mut self, grant: &Grant, limits: &Limits, now: Millis) -> String {
        let value = opaque();
        let token = RefreshToken {
            serial: self.next_serial(),
            value: value.clone(),
            grant: grant.clone(),
            created: now,
            end: None,
            uses: 0,
            last_used: None,
            window: None,
            access_tokens: VecDeque::new(),
        };
        self.refresh_tokens.insert(value.clone(), token);
        let held = self.holders.entry(grant.holder()).or_default();
        held.push_back(value.clone());
        let surplus = limits.refresh_tokens_per_person.map_or(0, |limit| held.len().saturating_sub(limit.max(1)));
        let evicted: Vec<String> = held.drain(..surplus).collect();
        for victim in evicted {
            self.end_refresh_token(
                &victim,
                Fate::Evicted,
                "pushed out by a newer refresh token of its client and person",
                now,
            );
        }
        value
    }

    /// Also used without a refresh token: online access and client credentials.
    pub(in crate::emulator) fn issue_access_token(
        &mut self,
        grant: &Grant,
        refresh_token: Option<&str>,
        limits: &Limits,
        now: Millis,
    ) -> String {
        let value = opaque();
        let token = AccessToken {
            serial: self.next_serial(),
            value: value.clone(),
            grant: grant.clone(),
            refresh_token: refresh_token.map(ToOwned::to_owned),
            created: now,
            expires: now + Millis::from(limits.access_token_seconds) * 1000,
            end: None,
        };
        self.access_tokens.insert(value.clone(), token);
        if let Some(parent) = refresh_token.and_then(|parent| self.refresh_tokens.get_mut(parent)) {
            let living = |value: &String| self.access_tokens.get(value).is_some_and(|token| token.is_live(now));
            parent.access_tokens.retain(living);
            parent.access_tokens.push_back(value.clone());
            let surplus =
                limits.live_access_tokens.map_or(0, |limit| parent.access_tokens.len().saturating_sub(limit.max(1)));
            for victim in parent.access_tokens.drain(..surplus) {
                if let Some(victim) = self.access_tokens.get_mut(&victim) {
                    let cause = "pushed out by a newer access token of its refresh token".to_owned();
                    victim.end = Some(End { fate: Fate::Evicted, cause, at: now });
                }
            }
        }
        value
    }
}

impl Challenge {
    fn is_met_by(&self, verifier: Option<&str>) -> bool {
        let Some(verifier) = verifier else { return false };
        match self.method {
            ChallengeMethod::Plain => verifier == self.value,
            ChallengeMethod::S256 => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == self.value,
        }
    }
}

/// Codes and tokens look like Zoho's: `1000.` and twice 32 hex digits (zoho-oauth.md §3).
pub(in crate::emulator) fn opaque() -> String {
    format!("1000.{:032x}.{:032x}", rand::random::<u128>(), rand::random::<u128>())
}
