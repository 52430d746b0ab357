//! Which connections hold the same refresh token. An import may bring one token twice: as two products, into two
//! tenants. Whoever lets go of it in one connection must leave it to the other, and finds that one by a keyed digest:
//! HMAC-SHA256 under a subkey that belongs to no tenant, made in the process (security.md S-30).
//!
//! 1. The digest is made with the key that seals the token, and written in the statement that writes the ciphertext.
//!    So a key is needed for the one as long as for the other, and re-sealing replaces both.
//! 2. Who looks for a token asks for its digests under all keys of the ring: the others may be sealed under an older
//!    one.
//! 3. It is looked for when the token is about to be revoked, never before: the one that ends last finds nobody, in
//!    whatever order they ended (`revoke`).

use super::seal::KeyRing;
use crate::domain::digest::Digest;

const PURPOSE: &str = "refresh-token";

/// As it stands beside what is sealed now.
pub(crate) fn of(keys: &KeyRing, token: &[u8]) -> Digest {
    keys.mac(keys.first_id(), PURPOSE, &[token]).expect("the ring has its first key")
}

/// As it may stand beside what was sealed under any key of the ring.
pub(crate) fn all_of(keys: &KeyRing, token: &[u8]) -> Vec<Digest> {
    keys.ids().filter_map(|id| keys.mac(id, PURPOSE, &[token])).collect()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::domain::digest::digest;

    fn ring(ids: &[&str]) -> KeyRing {
        KeyRing::new(ids.iter().map(|id| ((*id).to_owned(), Zeroizing::new(digest(id.as_bytes())))))
    }

    #[test]
    fn r23_a_token_is_found_through_a_change_of_keys() {
        let (token, another) = (b"1000.one", b"1000.another");
        let before = of(&ring(&["old"]), token);
        let rotating = ring(&["new", "old"]);
        assert!(all_of(&rotating, token).contains(&before));
        assert!(all_of(&ring(&["old", "new"]), token).contains(&of(&rotating, token)));
        assert_ne!(of(&rotating, token), before, "each key has its own");
        assert!(!all_of(&rotating, another).contains(&before));
        assert!(!all_of(&ring(&["new"]), token).contains(&before));
    }
}
