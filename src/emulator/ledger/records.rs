//! What the ledger keeps of each code and token.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::emulator::clock::Millis;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::world::{Environment, PersonId};

/// What was allowed to whom: the same for a code and for all it produces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::emulator) struct Grant {
    pub(in crate::emulator) client_id: String,
    pub(in crate::emulator) person: PersonId,
    /// None: all organizations of the person.
    pub(in crate::emulator) organization: Option<String>,
    pub(in crate::emulator) environment: Environment,
    pub(in crate::emulator) scopes: Vec<String>,
}

impl Grant {
    pub(in crate::emulator) fn data_centre(&self) -> DataCentre {
        self.person.data_centre
    }

    pub(in crate::emulator) fn holder(&self) -> Holder {
        Holder { client_id: self.client_id.clone(), person: self.person.clone() }
    }
}

/// The pair that refresh tokens are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::emulator) struct Holder {
    pub(in crate::emulator) client_id: String,
    pub(in crate::emulator) person: PersonId,
}

/// A consent once given, so that a repeated one need not be asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::emulator) struct Consent {
    pub(in crate::emulator) organization: Option<String>,
    pub(in crate::emulator) environment: Environment,
    pub(in crate::emulator) scopes: Vec<String>,
    pub(in crate::emulator) offline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::emulator) enum Fate {
    Live,
    Used,
    Revoked,
    Evicted,
    Expired,
}

impl Fate {
    pub(in crate::emulator) fn key(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Used => "used",
            Self::Revoked => "revoked",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
        }
    }
}

/// How and when something ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::emulator) struct End {
    pub(in crate::emulator) fate: Fate,
    pub(in crate::emulator) cause: String,
    pub(in crate::emulator) at: Millis,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::emulator) struct Code {
    pub(in crate::emulator) serial: u64,
    pub(in crate::emulator) value: String,
    pub(in crate::emulator) grant: Grant,
    /// None: a self client's code, exchanged without redirect URI.
    pub(in crate::emulator) redirect_uri: Option<String>,
    pub(in crate::emulator) challenge: Option<Challenge>,
    /// Whether the exchange brings a refresh token.
    pub(in crate::emulator) mints: bool,
    pub(in crate::emulator) created: Millis,
    pub(in crate::emulator) expires: Millis,
    pub(in crate::emulator) end: Option<End>,
    pub(in crate::emulator) produced: Vec<String>,
    /// How often it was presented by its client at its data centre.
    pub(in crate::emulator) presented: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::emulator) struct Challenge {
    pub(in crate::emulator) method: ChallengeMethod,
    pub(in crate::emulator) value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::emulator) enum ChallengeMethod {
    Plain,
    S256,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::emulator) struct RefreshToken {
    pub(in crate::emulator) serial: u64,
    pub(in crate::emulator) value: String,
    pub(in crate::emulator) grant: Grant,
    pub(in crate::emulator) created: Millis,
    pub(in crate::emulator) end: Option<End>,
    pub(in crate::emulator) uses: u64,
    pub(in crate::emulator) last_used: Option<Millis>,
    /// Since when, and how many, refreshes of the present window.
    pub(in crate::emulator) window: Option<(Millis, u32)>,
    /// Its access tokens that may be alive, oldest first.
    pub(in crate::emulator) access_tokens: VecDeque<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::emulator) struct AccessToken {
    pub(in crate::emulator) serial: u64,
    pub(in crate::emulator) value: String,
    pub(in crate::emulator) grant: Grant,
    pub(in crate::emulator) refresh_token: Option<String>,
    pub(in crate::emulator) created: Millis,
    pub(in crate::emulator) expires: Millis,
    pub(in crate::emulator) end: Option<End>,
}

impl AccessToken {
    pub(in crate::emulator) fn is_live(&self, now: Millis) -> bool {
        self.end.is_none() && now < self.expires
    }
}

/// The end of something with a life, expiry included, as of `now`.
pub(in crate::emulator) fn fate(
    end: Option<&End>,
    expires: Option<Millis>,
    now: Millis,
) -> (Fate, String, Option<Millis>) {
    match (end, expires) {
        (Some(end), _) => (end.fate, end.cause.clone(), Some(end.at)),
        (None, Some(expires)) if now >= expires => (Fate::Expired, "its life was over".to_owned(), Some(expires)),
        (None, _) => (Fate::Live, String::new(), None),
    }
}
