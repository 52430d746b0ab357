//! Sealing: AES-256-GCM under a subkey per purpose and tenant, bound to the place where the
//! ciphertext belongs (security.md 4.5, S-47).
//!
//! A sealed value is `0x01 · length of key id · key id · 12-byte random nonce · ciphertext and tag`.
//! The associated data names table, column, tenant and row, so that a value copied elsewhere does
//! not open. The first key of the ring seals, all of them open.

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::{digest::Digest, ids::TenantId};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Where a sealed value belongs; part of what is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    tenant: Option<TenantId>,
    text: String,
}

impl Place {
    /// A column of a tenant's row.
    pub(crate) fn column(column: &str, tenant: TenantId, row: impl std::fmt::Display) -> Self {
        Self { tenant: Some(tenant), text: format!("lwz1|{column}|{tenant}|{row}") }
    }

    /// Something that belongs to no tenant: a cookie, or a row from before a tenant is known.
    pub(crate) fn outside_tenants(kind: &str, row: impl std::fmt::Display) -> Self {
        Self { tenant: None, text: format!("lwz1|{kind}|-|{row}") }
    }

    /// The associated data, as a revocation keeps it.
    pub(crate) fn as_text(&self) -> &str {
        &self.text
    }

    /// The place that `as_text` described.
    pub(crate) fn from_text(text: String) -> Self {
        let tenant = text.split('|').nth(2).and_then(|tenant| tenant.parse().ok());
        Self { tenant, text }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("sealed under a key that is not in ENCRYPTION_KEYS")]
    UnknownKey,
    #[error("altered, or moved from the row it was sealed for")]
    Foreign,
}

/// The keys of `ENCRYPTION_KEYS`, in order.
pub(crate) struct KeyRing {
    keys: Vec<(String, Zeroizing<[u8; 32]>)>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl KeyRing {
    /// `keys` is not empty and its ids are distinct and at most 32 bytes: settings are parsed so.
    pub(crate) fn new(keys: impl IntoIterator<Item = (String, Zeroizing<[u8; 32]>)>) -> Self {
        Self { keys: keys.into_iter().collect() }
    }

    /// The id of the key that seals.
    pub(crate) fn first_id(&self) -> &str {
        &self.keys[0].0
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(id, _)| id.as_str())
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.key(id).is_some()
    }

    pub(crate) fn seal(&self, place: &Place, plaintext: &[u8]) -> Vec<u8> {
        let (id, key) = &self.keys[0];
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let ciphertext = cipher(key, place)
            .encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: place.text.as_bytes() })
            .expect("AES-GCM refuses nothing below 64 GiB");
        let mut sealed = Vec::with_capacity(2 + id.len() + NONCE_BYTES + ciphertext.len());
        sealed.push(VERSION);
        sealed.push(u8::try_from(id.len()).expect("key ids have at most 32 bytes"));
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    pub(crate) fn open(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (id, rest) = split_key_id(sealed).ok_or(OpenError::Foreign)?;
        let key = self.key(id).ok_or(OpenError::UnknownKey)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES).ok_or(OpenError::Foreign)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| OpenError::Foreign)?;
        cipher(key, place)
            .decrypt(&nonce, Payload { msg: ciphertext, aad: place.text.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| OpenError::Foreign)
    }

    /// A sealed secret as text; what is not UTF-8 was not sealed by us.
    pub(crate) fn open_text(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<String>, OpenError> {
        let bytes = self.open(place, sealed)?;
        std::str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| OpenError::Foreign)
    }

    /// The id of the key a value is sealed under.
    pub(crate) fn key_id(sealed: &[u8]) -> Option<&str> {
        split_key_id(sealed).map(|(id, _)| id)
    }

    /// HMAC-SHA256 under the subkey for `purpose` of the key called `key_id`: the same on every
    /// replica whose ring has that key, wherever in the ring it stands.
    pub(crate) fn mac(&self, key_id: &str, purpose: &str, message: &[&[u8]]) -> Option<Digest> {
        let key = self.key(key_id)?;
        let subkey = subkey(key, &format!("lwz1|mac|{purpose}"));
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&*subkey).expect("HMAC takes keys of any length");
        for part in message {
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }

    fn key(&self, id: &str) -> Option<&[u8; 32]> {
        self.keys.iter().find(|(known, _)| known == id).map(|(_, key)| &**key)
    }
}

fn split_key_id(sealed: &[u8]) -> Option<(&str, &[u8])> {
    let [VERSION, length, rest @ ..] = sealed else { return None };
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(id).ok()?, rest))
}

/// One subkey per tenant keeps each far from the 2³² limit of random nonces.
fn cipher(key: &[u8; 32], place: &Place) -> Aes256Gcm {
    let info = match place.tenant {
        Some(tenant) => format!("lwz1|seal|{tenant}"),
        None => "lwz1|seal|-".to_owned(),
    };
    Aes256Gcm::new(&(*subkey(key, &info)).into())
}

fn subkey(key: &[u8; 32], info: &str) -> Zeroizing<[u8; 32]> {
    let mut subkey = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key).expand(info.as_bytes(), &mut *subkey).expect("32 bytes are within HKDF's limit");
    subkey
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::digest;

    fn ring(ids: &[&str]) -> KeyRing {
        KeyRing::new(ids.iter().map(|id| ((*id).to_owned(), Zeroizing::new(digest(id.as_bytes())))))
    }

    #[test]
    fn s47_a_ciphertext_opens_in_its_own_place_alone() {
        let (tenant, row) = (TenantId::new(), "row");
        let ring = ring(&["a"]);
        let place = Place::column("connection.refresh_token_sealed", tenant, row);
        let sealed = ring.seal(&place, b"1000.secret");
        assert_eq!(&**ring.open(&place, &sealed).unwrap(), b"1000.secret");
        assert_eq!(&**ring.open(&Place::from_text(place.as_text().to_owned()), &sealed).unwrap(), b"1000.secret");
        for elsewhere in [
            Place::column("connection.refresh_token_sealed", tenant, "other row"),
            Place::column("connection.access_token_sealed", tenant, row),
            Place::column("connection.refresh_token_sealed", TenantId::new(), row),
            Place::outside_tenants("connection.refresh_token_sealed", row),
        ] {
            assert_eq!(ring.open(&elsewhere, &sealed), Err(OpenError::Foreign), "{elsewhere:?}");
        }
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(ring.open(&place, &altered).is_err());
            assert!(ring.open(&place, &sealed[..index]).is_err());
        }
    }

    #[test]
    fn r23_the_first_key_seals_and_all_open() {
        let place = Place::outside_tenants("attempt", "x");
        let old = ring(&["old"]).seal(&place, b"text");
        let both = ring(&["new", "old"]);
        assert_eq!(&**both.open(&place, &old).unwrap(), b"text");
        assert_eq!(KeyRing::key_id(&both.seal(&place, b"text")), Some("new"));
        assert_eq!(ring(&["new"]).open(&place, &old), Err(OpenError::UnknownKey));
        assert_eq!(both.mac("old", "session", &[b"x"]), ring(&["old"]).mac("old", "session", &[b"x"]));
    }

    #[test]
    fn two_seals_of_one_text_differ() {
        let place = Place::outside_tenants("attempt", "x");
        let ring = ring(&["a"]);
        assert_ne!(ring.seal(&place, b"text"), ring.seal(&place, b"text"));
        assert_eq!(format!("{ring:?}"), "[\"a\"]");
    }
}
