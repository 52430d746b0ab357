//! Keys for back ends: made and shown once, kept as a digest, judged with every request
//! (security.md S-51 to S-54, 4.6).
//!
//! A key that is missing from the table, has another digest, is revoked or has expired is no key, and
//! nothing tells which: the same look-up, the same comparison, the same answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use subtle::ConstantTimeEq as _;

use crate::domain::digest::digest;
use crate::{
    app::App,
    domain::{
        api_key::Grant,
        ids::TenantId,
        secret::{ApiKey, random_token},
    },
    store::{
        StoreError,
        api_key::{self, NewApiKey, StoredKey},
    },
};

/// What a new key is to be.
#[derive(Debug)]
pub(crate) struct Make<'a> {
    pub(crate) name: &'a str,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) grants: &'a [Grant],
    pub(crate) created_by: &'a str,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) api_key_id: String,
    pub(crate) key: ApiKey,
}

/// Makes a key; the answer is the only place where it can be read.
pub(crate) async fn make(db: impl PgExecutor<'_>, make: &Make<'_>, now: DateTime<Utc>) -> Result<Made, StoreError> {
    let made = insert(db, make, id_from(rand::random()), now).await?;
    made.ok_or(StoreError::Inconsistent("api_key.api_key_id"))
}

/// As `make`, but a form makes one key, however often it is sent: its nonce decides the id. `None`
/// where it has made its key already, which nobody can show again.
pub(crate) async fn make_once(
    db: impl PgExecutor<'_>,
    make: &Make<'_>,
    nonce: &str,
    now: DateTime<Utc>,
) -> Result<Option<Made>, StoreError> {
    let digest = digest(nonce.as_bytes());
    let (head, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    insert(db, make, id_from(*head), now).await
}

fn id_from(bytes: [u8; 6]) -> String {
    // An underscore would end the id early.
    URL_SAFE_NO_PAD.encode(bytes).replace(['_', '-'], "0")
}

async fn insert(
    db: impl PgExecutor<'_>,
    make: &Make<'_>,
    api_key_id: String,
    now: DateTime<Utc>,
) -> Result<Option<Made>, StoreError> {
    let key = format!("lwz_{api_key_id}_{}", random_token());
    let grants: Vec<_> = make.grants.iter().map(|grant| grant.key().to_owned()).collect();
    let new = NewApiKey {
        api_key_id: &api_key_id,
        key_digest: &digest(key.as_bytes()),
        name: make.name,
        tenant_id: make.tenant_id,
        grants: &grants,
        created_by: make.created_by,
        expires_at: make.expires_at,
    };
    let is_new = api_key::insert(db, &new, now).await?;
    Ok(is_new.then(|| Made { api_key_id, key: ApiKey::new(key) }))
}

/// A key as it is stored, absent where it does not count.
#[derive(Debug)]
pub(crate) struct Judged(StoredKey);

impl std::ops::Deref for Judged {
    type Target = StoredKey;

    fn deref(&self) -> &StoredKey {
        &self.0
    }
}

impl Judged {
    pub(crate) fn may(&self, grant: Grant) -> bool {
        self.0.grants.iter().any(|known| known == grant.key())
    }
}

/// The id that a key names; what has not the shape of a key names none, and is looked up all the
/// same.
pub(crate) fn id_of(key: &ApiKey) -> &str {
    const ID: usize = 8;
    const SECRET: usize = 43;
    let parts = key.expose().strip_prefix("lwz_").and_then(|rest| rest.split_once('_'));
    parts.filter(|(id, secret)| id.len() == ID && secret.len() == SECRET && id.is_ascii()).map_or("", |(id, _)| id)
}

/// Judges a key by what is stored now, so that a revocation holds with the next request (security.md
/// S-52).
pub(crate) async fn judge(app: &App, key: &ApiKey) -> Result<Option<Arc<Judged>>, StoreError> {
    let sent = digest(key.expose().as_bytes());
    let mut stored = app.known_keys.find(id_of(key));
    if stored.is_none() {
        let read_at = Instant::now();
        let found = read(app, id_of(key)).await?;
        stored = found.map(|found| app.known_keys.remember(id_of(key), found, read_at));
    }
    let known = stored.as_ref().map_or(&[0; 32][..], |stored| &stored.key_digest);
    let is_right: bool = sent.ct_eq(known).into();
    let now = app.clock.shared_now();
    Ok(stored.filter(|stored| {
        is_right && stored.revoked_at.is_none() && stored.expires_at.is_none_or(|expires_at| now < expires_at)
    }))
}

async fn read(app: &App, api_key_id: &str) -> Result<Option<StoredKey>, StoreError> {
    api_key::find(&mut app.pools.acquire_to_read().await?, api_key_id).await
}

/// Keys as they were read within half a second: a revocation holds everywhere within one (security.md
/// S-52). That there is no such key is not remembered.
#[derive(Debug, Default)]
pub(crate) struct KnownKeys(Mutex<HashMap<String, (Arc<Judged>, Instant)>>);

const FRESH: Duration = Duration::from_millis(500);
/// Keys remembered at once; beyond it all are forgotten.
const MOST_KEYS: usize = 10_000;

impl KnownKeys {
    fn find(&self, api_key_id: &str) -> Option<Arc<Judged>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(api_key_id).filter(|(_, read_at)| read_at.elapsed() < FRESH).map(|(stored, _)| Arc::clone(stored))
    }

    /// For a key that was just revoked here; the other replicas find out within half a second.
    pub(crate) fn forget(&self, api_key_id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(api_key_id);
    }

    fn remember(&self, api_key_id: &str, stored: StoredKey, read_at: Instant) -> Arc<Judged> {
        let judged = Arc::new(Judged(stored));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KEYS {
            known.clear();
        }
        known.insert(api_key_id.to_owned(), (Arc::clone(&judged), read_at));
        judged
    }
}

/// When keys were last used, kept until the worker writes it: a key in use would otherwise be a
/// write per call.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(Mutex<HashMap<String, DateTime<Utc>>>);

/// Keys remembered between two writes; what is beyond is not written down.
const MOST_USES: usize = 10_000;

impl KeyUses {
    pub(crate) fn note(&self, api_key_id: &str, at: DateTime<Utc>) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = uses.get_mut(api_key_id) {
            *known = at.max(*known);
        } else if uses.len() < MOST_USES {
            uses.insert(api_key_id.to_owned(), at);
        }
    }

    /// In the order of ids: replicas that write the same rows do not wait for each other in a circle.
    fn take(&self) -> Vec<(String, DateTime<Utc>)> {
        let mut uses: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).drain().collect();
        uses.sort_unstable();
        uses
    }
}

/// Writes what was noted; what could not be written is noted again.
pub(crate) async fn write_uses(app: &App) -> Result<(), StoreError> {
    let uses = app.key_uses.take();
    if uses.is_empty() {
        return Ok(());
    }
    let written = api_key::update_last_used(app.pools.engine(), &uses).await;
    if written.is_err() {
        for (api_key_id, at) in &uses {
            app.key_uses.note(api_key_id, *at);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s54_only_the_shape_of_a_key_names_an_id() {
        let secret = "x".repeat(43);
        assert_eq!(id_of(&ApiKey::new(format!("lwz_abcdefgh_{secret}"))), "abcdefgh");
        for odd in ["", "lwz_", "lwz_abcdefgh", "lwz_abcdefgh_", &format!("lwz_abcdefg_{secret}"), &"l".repeat(9000)] {
            assert_eq!(id_of(&ApiKey::new(odd)), "", "{odd}");
        }
    }

    #[test]
    fn the_latest_use_is_written_once_and_the_map_is_bounded() {
        let (uses, at) = (KeyUses::default(), DateTime::UNIX_EPOCH);
        uses.note("a", at + chrono::TimeDelta::seconds(2));
        uses.note("a", at);
        assert_eq!(uses.take(), [("a".to_owned(), at + chrono::TimeDelta::seconds(2))]);
        assert!(uses.take().is_empty());
        for id in 0..MOST_USES + 5 {
            uses.note(&id.to_string(), at);
        }
        assert_eq!(uses.take().len(), MOST_USES);
    }
}
