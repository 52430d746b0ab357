//! Sealing once more, written from security.md 4.5 alone: what the program seals and opens is the
//! documented format.

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;

fn cipher(key: [u8; 32], tenant: &str) -> Aes256Gcm {
    let mut subkey = [0; 32];
    Hkdf::<Sha256>::new(None, &key).expand(format!("lwz1|seal|{tenant}").as_bytes(), &mut subkey).expect("32 bytes");
    Aes256Gcm::new(&subkey.into())
}

/// `place`: `lwz1|table.column|tenant|row`.
pub fn seal(id: &str, key: [u8; 32], place: &str, plaintext: &str) -> Vec<u8> {
    let tenant = place.split('|').nth(2).expect("a tenant");
    let nonce: [u8; 12] = rand::random();
    let payload = Payload { msg: plaintext.as_bytes(), aad: place.as_bytes() };
    let ciphertext = cipher(key, tenant).encrypt(&Nonce::from(nonce), payload).expect("sealed");
    let mut sealed = vec![1, u8::try_from(id.len()).expect("short")];
    sealed.extend_from_slice(id.as_bytes());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    sealed
}

/// The key's id and the text.
pub fn open(keys: &[(&str, [u8; 32])], place: &str, sealed: &[u8]) -> (String, String) {
    let tenant = place.split('|').nth(2).expect("a tenant");
    let end = 2 + usize::from(sealed[1]);
    let id = std::str::from_utf8(&sealed[2..end]).expect("an id");
    let (_, key) = keys.iter().find(|(known, _)| *known == id).expect("a key of the test");
    let nonce: [u8; 12] = sealed[end..end + 12].try_into().expect("a nonce");
    let payload = Payload { msg: &sealed[end + 12..], aad: place.as_bytes() };
    let text = cipher(*key, tenant).decrypt(&Nonce::from(nonce), payload).expect("it opens");
    (id.to_owned(), String::from_utf8(text).expect("text"))
}
