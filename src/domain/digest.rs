//! SHA-256, as states, codes, keys and session ids are stored: each holds 256 random bits, so that
//! nothing slower is needed.

use sha2::{Digest as _, Sha256};

pub type Digest = [u8; 32];

pub fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}
