//! An attempt on its way to Zoho and back: it travels sealed in a cookie, so that beginning one
//! writes nothing (security.md S-1, 4.1).
//!
//! The callback finds the cookie by its state: the cookie's name ends in the first 8 characters of
//! the state's digest, and the name is part of what the seal authenticates.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{
    domain::{
        data_centre::DataCentre,
        digest::{Digest, digest},
        ids::{ConnectionId, OnboardingLinkId, PersonId, TenantId},
        product::Product,
        return_path::ReturnPath,
        scope::ScopeSet,
        secret::{PkceVerifier, SessionToken, StateNonce},
    },
    store::login_attempt::Purpose,
    vault::seal::{KeyRing, Place},
};

/// Start of every attempt cookie's name (behind `__Host-` under https).
pub(crate) const COOKIE: &str = "lwz_attempt_";
/// An attempt that takes longer is refused.
pub(crate) const LIFE: TimeDelta = TimeDelta::seconds(600);

/// Version of the bytes inside the seal.
const FORMAT: u8 = 1;
/// What it was begun for, inside the seal; 2 and 3 once counted the ids that follow.
const SIGN_IN: u8 = 0;
const CONNECT: u8 = 2;
const RECONNECT: u8 = 3;
const ONBOARDING: u8 = 4;
const ONBOARDING_SIGNED_IN: u8 = 5;

/// What was begun, for whom, and how it is recognized.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) state_digest: Digest,
    /// 32 random bytes; the PKCE verifier is their base64url.
    pub(crate) verifier: Digest,
    pub(crate) purpose: Purpose,
    /// The browser session that began it, where the purpose needs one.
    pub(crate) lineage: Option<Uuid>,
    /// Absent: only a sign-in.
    pub(crate) product: Option<Product>,
    /// Scopes asked for beyond the product's.
    pub(crate) extra_scopes: ScopeSet,
    pub(crate) offline: bool,
    /// Where the flow started: home, or China.
    pub(crate) started_at_data_centre: DataCentre,
    pub(crate) return_path: ReturnPath,
    pub(crate) started_at: DateTime<Utc>,
}

/// An attempt read back from its cookie.
#[derive(Debug, Clone)]
pub(crate) struct OpenedAttempt {
    pub(crate) attempt: Attempt,
    /// Of the key that sealed it: what its session id is derived with on every replica.
    key_id: String,
}

/// The end of the cookie's name.
pub(crate) fn tag(state_digest: &Digest) -> String {
    let mut tag = URL_SAFE_NO_PAD.encode(state_digest);
    tag.truncate(8);
    tag
}

pub(crate) fn digest_of_state(state: &StateNonce) -> Digest {
    digest(state.expose().as_bytes())
}

impl Attempt {
    pub(crate) fn pkce_verifier(&self) -> PkceVerifier {
        PkceVerifier::new(URL_SAFE_NO_PAD.encode(self.verifier))
    }

    /// The cookie's value.
    pub(crate) fn seal(&self, keys: &KeyRing) -> String {
        URL_SAFE_NO_PAD.encode(keys.seal(&place(&tag(&self.state_digest)), &self.to_bytes()))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT, u8::from(self.offline), index_of(&DataCentre::ALL, &self.started_at_data_centre)];
        bytes.push(self.product.map_or(u8::MAX, |product| index_of(&Product::ALL, &product)));
        bytes.extend(self.started_at.timestamp_micros().to_be_bytes());
        bytes.extend(self.state_digest);
        bytes.extend(self.verifier);
        let (kind, ids): (u8, &[Uuid]) = match self.purpose {
            Purpose::SignIn => (SIGN_IN, &[]),
            Purpose::Connect { tenant_id, person_id } => (CONNECT, &[tenant_id.into(), person_id.into()]),
            Purpose::Reconnect { tenant_id, person_id, connection_id } => {
                (RECONNECT, &[tenant_id.into(), person_id.into(), connection_id.into()])
            }
            Purpose::Onboarding { tenant_id, onboarding_link_id, person_id: None } => {
                (ONBOARDING, &[tenant_id.into(), onboarding_link_id.into()])
            }
            Purpose::Onboarding { tenant_id, onboarding_link_id, person_id: Some(person_id) } => {
                (ONBOARDING_SIGNED_IN, &[tenant_id.into(), onboarding_link_id.into(), person_id.into()])
            }
        };
        let lineage = self.lineage.filter(|_| self.purpose.person_id().is_some());
        bytes.push(kind);
        for id in ids.iter().chain(&lineage) {
            bytes.extend(id.as_bytes());
        }
        let path = self.return_path.as_str().as_bytes();
        bytes.extend(u16::try_from(path.len()).expect("at most 256").to_be_bytes());
        bytes.extend(path);
        bytes.extend(self.extra_scopes.to_parameter().as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [FORMAT, offline, started_at_data_centre, product] = reader.array()? else { return None };
        let started_at = DateTime::from_timestamp_micros(i64::from_be_bytes(reader.array()?))?;
        let state_digest = reader.array()?;
        let verifier = reader.array()?;
        let [kind] = reader.array()?;
        let mut id = || reader.array().map(Uuid::from_bytes);
        let purpose = match kind {
            SIGN_IN => Purpose::SignIn,
            CONNECT => Purpose::Connect { tenant_id: TenantId::from(id()?), person_id: PersonId::from(id()?) },
            RECONNECT => Purpose::Reconnect {
                tenant_id: TenantId::from(id()?),
                person_id: PersonId::from(id()?),
                connection_id: ConnectionId::from(id()?),
            },
            ONBOARDING | ONBOARDING_SIGNED_IN => Purpose::Onboarding {
                tenant_id: TenantId::from(id()?),
                onboarding_link_id: OnboardingLinkId::from(id()?),
                person_id: if kind == ONBOARDING { None } else { Some(PersonId::from(id()?)) },
            },
            _ => return None,
        };
        let lineage = if purpose.person_id().is_none() { None } else { Some(id()?) };
        let path_length = usize::from(u16::from_be_bytes(reader.array()?));
        let return_path = ReturnPath::parse(reader.text(path_length)?)?;
        let extra_scopes = reader.text(reader.0.len())?.parse().ok()?;
        Some(Self {
            state_digest,
            verifier,
            purpose,
            lineage,
            product: if product == u8::MAX { None } else { Some(*Product::ALL.get(usize::from(product))?) },
            extra_scopes,
            offline: offline == 1,
            started_at_data_centre: *DataCentre::ALL.get(usize::from(started_at_data_centre))?,
            return_path,
            started_at,
        })
    }
}

impl OpenedAttempt {
    /// Reads the cookie called `tag`; `None` for whatever was not sealed for that name by one of
    /// our keys.
    pub(crate) fn open(keys: &KeyRing, name: &str, value: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let bytes = keys.open(&place(name), &sealed).ok()?;
        let attempt = Attempt::from_bytes(&bytes)?;
        (tag(&attempt.state_digest) == name)
            .then(|| Self { attempt, key_id: KeyRing::key_id(&sealed).unwrap_or_default().to_owned() })
    }

    pub(crate) fn is_for(&self, state_digest: &Digest) -> bool {
        self.attempt.state_digest.ct_eq(state_digest).into()
    }

    /// The session this attempt signs in: unguessable, and the same for every delivery of the
    /// callback on every replica (security.md S-6, S-12).
    pub(crate) fn session_token(&self, keys: &KeyRing) -> SessionToken {
        let mac = keys
            .mac(&self.key_id, "session", &[&self.attempt.state_digest, &self.attempt.verifier])
            .expect("the key that just opened the cookie is in the ring");
        SessionToken::new(URL_SAFE_NO_PAD.encode(mac))
    }
}

fn place(tag: &str) -> Place {
    Place::outside_tenants("attempt_cookie", tag)
}

fn index_of<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter()
        .position(|known| known == one)
        .and_then(|index| u8::try_from(index).ok())
        .expect("a member of a short list")
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn keys() -> KeyRing {
        KeyRing::new([("k1".to_owned(), Zeroizing::new([7; 32]))])
    }

    fn attempt(purpose: Purpose) -> Attempt {
        Attempt {
            state_digest: digest(b"state"),
            verifier: [9; 32],
            purpose,
            lineage: purpose.person_id().map(|_| Uuid::now_v7()),
            product: Some(Product::Salesiq),
            extra_scopes: "SalesIQ.visitors.READ".parse().unwrap(),
            offline: true,
            started_at_data_centre: DataCentre::Cn,
            return_path: ReturnPath::parse(&format!("/{}", "a".repeat(255))).unwrap(),
            started_at: DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap(),
        }
    }

    #[test]
    fn an_attempt_comes_back_as_it_was_and_fits_its_cookie() {
        let (tenant_id, person_id, connection_id) = (TenantId::new(), PersonId::new(), ConnectionId::new());
        let onboarding_link_id = OnboardingLinkId::new();
        for purpose in [
            Purpose::SignIn,
            Purpose::Connect { tenant_id, person_id },
            Purpose::Reconnect { tenant_id, person_id, connection_id },
            Purpose::Onboarding { tenant_id, onboarding_link_id, person_id: None },
            Purpose::Onboarding { tenant_id, onboarding_link_id, person_id: Some(person_id) },
        ] {
            let attempt = attempt(purpose);
            let value = attempt.seal(&keys());
            assert!(value.len() <= 640, "{}", value.len());
            let opened = OpenedAttempt::open(&keys(), &tag(&attempt.state_digest), &value).unwrap();
            assert_eq!(format!("{:?}", opened.attempt), format!("{attempt:?}"));
            assert!(opened.is_for(&digest(b"state")));
            assert_eq!(opened.session_token(&keys()).expose(), opened.session_token(&keys()).expose());
        }
    }

    #[test]
    fn s27_an_attempt_is_worthless_under_another_name_or_altered() {
        let attempt = attempt(Purpose::SignIn);
        let value = attempt.seal(&keys());
        let name = tag(&attempt.state_digest);
        assert!(OpenedAttempt::open(&keys(), "otherone", &value).is_none());
        assert!(OpenedAttempt::open(&keys(), &name, &value[..value.len() - 1]).is_none());
        assert!(OpenedAttempt::open(&keys(), &name, "").is_none());
        let other = KeyRing::new([("k1".to_owned(), Zeroizing::new([8; 32]))]);
        assert!(OpenedAttempt::open(&other, &name, &value).is_none());
    }
}
