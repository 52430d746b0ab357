//! The ledger as the state file has it: lists, because JSON has no compound keys.

use serde::{Deserialize, Serialize};

use super::{AccessToken, Code, Consent, Holder, Ledger, RefreshToken};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::emulator) struct Saved {
    codes: Vec<Code>,
    refresh_tokens: Vec<RefreshToken>,
    access_tokens: Vec<AccessToken>,
    consents: Vec<(Holder, Vec<Consent>)>,
}

impl Ledger {
    pub(in crate::emulator) fn save(&self) -> Saved {
        Saved {
            codes: self.codes.values().cloned().collect(),
            refresh_tokens: self.refresh_tokens.values().cloned().collect(),
            access_tokens: self.access_tokens.values().cloned().collect(),
            consents: self.consents.iter().map(|(holder, consents)| (holder.clone(), consents.clone())).collect(),
        }
    }

    /// Rebuilds the ledger; who holds which living refresh token follows from the tokens, in the order of their issue.
    pub(in crate::emulator) fn restore(mut saved: Saved) -> Self {
        saved.refresh_tokens.sort_by_key(|token| token.serial);
        let mut ledger = Self::default();
        for token in saved.refresh_tokens {
            ledger.serial = ledger.serial.max(token.serial);
            if token.end.is_none() {
                ledger.holders.entry(token.grant.holder()).or_default().push_back(token.value.clone());
            }
            ledger.refresh_tokens.insert(token.value.clone(), token);
        }
        for code in saved.codes {
            ledger.serial = ledger.serial.max(code.serial);
            ledger.codes.insert(code.value.clone(), code);
        }
        for token in saved.access_tokens {
            ledger.serial = ledger.serial.max(token.serial);
            ledger.access_tokens.insert(token.value.clone(), token);
        }
        ledger.consents.extend(saved.consents);
        ledger
    }
}
