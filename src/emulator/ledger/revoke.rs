//! Ending: by the client, by the person under Connected Apps, or because a code was presented again.

use super::{End, Fate, Holder, Ledger};
use crate::emulator::clock::Millis;
use crate::emulator::data_centre::DataCentre;

impl Ledger {
    /// What a client revokes at an accounts server; false if no such token lives there.
    pub(in crate::emulator) fn revoke(&mut self, value: &str, data_centre: DataCentre, now: Millis) -> bool {
        let refresh = self.refresh_tokens.get(value).filter(|token| token.end.is_none());
        let access = self.access_tokens.get(value).filter(|token| token.is_live(now));
        let grant = refresh.map(|token| &token.grant).or_else(|| access.map(|token| &token.grant));
        if grant.is_none_or(|grant| grant.data_centre() != data_centre) {
            return false;
        }
        self.revoke_value(value, "revoked by its client", now);
        true
    }

    /// What a person takes back under Accounts → Sessions → Connected Apps: how many refresh tokens died of it.
    pub(in crate::emulator) fn revoke_grants(
        &mut self,
        holders: &[Holder],
        organization: Option<&str>,
        now: Millis,
    ) -> usize {
        let mut count = 0;
        for holder in holders {
            let concerned = |token: &&super::RefreshToken| {
                token.end.is_none()
                    && token.grant.holder() == *holder
                    && organization.is_none_or(|organization| token.grant.organization.as_deref() == Some(organization))
            };
            let values: Vec<String> =
                self.refresh_tokens.values().filter(concerned).map(|token| token.value.clone()).collect();
            count += values.len();
            for value in values {
                self.revoke_value(&value, "taken back by its person", now);
            }
            let loose = |token: &&mut super::AccessToken| {
                token.end.is_none()
                    && token.grant.holder() == *holder
                    && organization.is_none_or(|organization| token.grant.organization.as_deref() == Some(organization))
            };
            for token in self.access_tokens.values_mut().filter(loose) {
                token.end = Some(End { fate: Fate::Revoked, cause: "taken back by its person".to_owned(), at: now });
            }
            if let Some(consents) = self.consents.get_mut(holder) {
                consents.retain(|consent| organization.is_some() && consent.organization.as_deref() != organization);
            }
        }
        count
    }

    /// Everyone who ever held a grant of this client.
    pub(in crate::emulator) fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.consents.keys()
    }

    pub(super) fn revoke_value(&mut self, value: &str, cause: &str, now: Millis) {
        if self.refresh_tokens.contains_key(value) {
            self.end_refresh_token(value, Fate::Revoked, cause, now);
        } else if let Some(token) = self.access_tokens.get_mut(value).filter(|token| token.end.is_none()) {
            token.end = Some(End { fate: Fate::Revoked, cause: cause.to_owned(), at: now });
        }
    }

    /// Ends a refresh token with its access tokens; the consent behind it goes when it was the last of its organization.
    pub(super) fn end_refresh_token(&mut self, value: &str, fate: Fate, cause: &str, now: Millis) {
        let Some(token) = self.refresh_tokens.get_mut(value).filter(|token| token.end.is_none()) else { return };
        token.end = Some(End { fate, cause: cause.to_owned(), at: now });
        let children = std::mem::take(&mut token.access_tokens);
        let (holder, organization) = (token.grant.holder(), token.grant.organization.clone());
        for child in children {
            if let Some(child) = self.access_tokens.get_mut(&child).filter(|child| child.is_live(now)) {
                child.end = Some(End { fate, cause: format!("its refresh token: {cause}"), at: now });
            }
        }
        let held = self.holders.entry(holder.clone()).or_default();
        held.retain(|other| other != value);
        let others = held.iter().filter_map(|other| self.refresh_tokens.get(other));
        let is_last =
            fate == Fate::Revoked && !others.into_iter().any(|other| other.grant.organization == organization);
        if let Some(consents) = self.consents.get_mut(&holder).filter(|_| is_last) {
            consents.retain(|consent| consent.organization != organization);
        }
    }
}
