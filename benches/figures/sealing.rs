//! Sealed values for rows that are made by the hundred thousand, in the format of `src/vault/seal.rs`.
//!
//! Written a second time instead of opening up the library: the format is documented, and if it changes a figure that
//! needs it fails at once, because nothing opens any more.

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use sha2::Sha256;
use uuid::Uuid;

const KEY_ID: &str = "bench";

/// The one key of a run.
#[derive(Debug)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn new() -> Self {
        Self(rand::random())
    }

    /// As `ENCRYPTION_KEYS` takes it.
    pub(crate) fn setting(&self) -> String {
        format!("{KEY_ID}:{}", STANDARD.encode(self.0))
    }

    pub(crate) fn seal(&self, column: &str, tenant: Uuid, row: Uuid, text: &str) -> Vec<u8> {
        let mut subkey = [0; 32];
        let info = format!("lwz1|seal|{tenant}");
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(info.as_bytes(), &mut subkey)
            .expect("32 bytes are within HKDF's limit");
        let nonce: [u8; 12] = rand::random();
        let place = format!("lwz1|{column}|{tenant}|{row}");
        let ciphertext = Aes256Gcm::new(&subkey.into())
            .encrypt(&Nonce::from(nonce), Payload { msg: text.as_bytes(), aad: place.as_bytes() })
            .expect("AES-GCM refuses nothing below 64 GiB");
        let id = KEY_ID.as_bytes();
        [&[1, u8::try_from(id.len()).expect("a short id")], id, &nonce, &ciphertext].concat()
    }
}
