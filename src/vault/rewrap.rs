//! Re-sealing everything under the first key of the ring, while the program serves (security.md 4.5,
//!
//!
//! 1. Each column is walked in the order of its table's primary key, a batch at a time. Connections come before
//!    revocations, because that is the way a ciphertext may travel meanwhile.
//! 2. What opens and is sealed under another key is sealed anew and exchanged by compare-and-swap.
//! 3. What lost its race was written by somebody else: another walk sees to it.
//!
//! Nothing is remembered between runs. A run that was killed is taken up by the next, which passes
//! over what is current; what does not open is told and left as it is, for its key may come back.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

use super::{
    deposit::{ACCESS_TOKEN, REFRESH_TOKEN},
    grant::{RESTING, escrow_place, resting_place},
    seal::{KeyRing, OpenError, Place},
    token_digest,
};
use crate::domain::ids::{ConnectionId, TenantId};
use crate::store::{
    StoreError,
    rewrap::{self, KeyInUse, SealedClient, SealedEscrow, SealedLink, SealedRevocation, SealedToken, Swap},
    tx::Pools,
    webhook_endpoint::sealed::{self, SealedSecrets},
    zoho_client::CLIENT_SECRET,
};
use crate::webhooks::secrets::{self, SECRETS};

/// Walks until nothing was lost to others; they seal under the first key too, so that one more is
/// nearly always enough.
const MOST_WALKS: usize = 4;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Tally {
    pub(crate) resealed: u64,
    pub(crate) already_current: u64,
    pub(crate) unreadable: u64,
}

/// What whoever waits is told on the way.
#[derive(Debug)]
pub(crate) enum Event {
    /// A batch of this column's table is done.
    Walked {
        column: &'static str,
        tally: Tally,
    },
    Unreadable {
        column: &'static str,
        row: String,
        error: OpenError,
    },
}

/// Re-seals all there is.
pub(crate) async fn rewrap(pools: &Pools, keys: &KeyRing, tell: &mut impl FnMut(Event)) -> Result<Tally, StoreError> {
    let mut total = Tally::default();
    for walk_number in 0..MOST_WALKS {
        let mut walk = Walk { pools, keys, tell: &mut *tell, tally: Tally::default(), lost: 0 };
        walk.refresh_tokens().await?;
        walk.access_tokens().await?;
        walk.revocations().await?;
        walk.escrows().await?;
        walk.links().await?;
        walk.clients().await?;
        walk.webhook_secrets().await?;
        let Walk { tally, lost, .. } = walk;
        total.resealed += tally.resealed;
        total.unreadable = tally.unreadable;
        if walk_number == 0 {
            total.already_current = tally.already_current;
        }
        if lost == 0 {
            break;
        }
    }
    Ok(total)
}

/// The keys that stored values need and the ring does not have: their values do not open until they
/// are back.
pub(crate) async fn missing_keys(pools: &Pools, keys: &KeyRing) -> Result<Vec<KeyInUse>, StoreError> {
    let mut in_use = keys_in_use(pools).await?;
    in_use.retain(|key| !keys.has(&key.id));
    Ok(in_use)
}

pub(crate) async fn keys_in_use(pools: &Pools) -> Result<Vec<KeyInUse>, StoreError> {
    rewrap::list_keys_in_use(&mut pools.begin_as_engine().await?).await
}

struct Walk<'a, T> {
    pools: &'a Pools,
    keys: &'a KeyRing,
    tell: &'a mut T,
    tally: Tally,
    lost: u64,
}

/// A sealed value, where it stands.
struct Stored<Key> {
    key: Key,
    /// As whoever waits is told of it.
    name: String,
    place: Place,
    sealed: Vec<u8>,
}

impl<T: FnMut(Event)> Walk<'_, T> {
    async fn refresh_tokens(&mut self) -> Result<(), StoreError> {
        let (pool, keys) = (self.pools.engine(), self.keys);
        let stored = |row: SealedToken| Stored::of_connection(REFRESH_TOKEN, row);
        let list = async |after| rewrap::list_refresh_tokens(pool, after).await;
        let update = async |swaps: &[_]| {
            let digests: Vec<_> = swaps.iter().map(|swap| digest(keys, swap)).collect();
            rewrap::update_refresh_tokens(pool, swaps, &digests).await
        };
        self.column(REFRESH_TOKEN, list, stored, update).await
    }

    async fn access_tokens(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let stored = |row: SealedToken| Stored::of_connection(ACCESS_TOKEN, row);
        let list = async |after| rewrap::list_access_tokens(pool, after).await;
        let update = async |swaps: &[_]| rewrap::update_access_tokens(pool, swaps).await;
        self.column(ACCESS_TOKEN, list, stored, update).await
    }

    async fn revocations(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let stored =
            |row: SealedRevocation| Stored::of(row.revocation_id, Place::from_text(row.sealed_as), row.token_sealed);
        let list = async |after| rewrap::list_revocations(pool, after).await;
        let update = async |swaps: &[_]| rewrap::update_revocations(pool, swaps).await;
        self.column("revocation.token_sealed", list, stored, update).await
    }

    async fn escrows(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let stored = |row: SealedEscrow| {
            let place = escrow_place(&row.state_digest);
            // The place names the row; the digest itself says nothing to anybody.
            let name = place.as_text().to_owned();
            Stored { key: row.state_digest, name, place, sealed: row.grant_sealed }
        };
        let list = async |after: Option<Vec<u8>>| rewrap::list_escrows(pool, after.as_deref()).await;
        let update = async |swaps: &[_]| rewrap::update_escrows(pool, swaps).await;
        self.column("token_escrow.grant_sealed", list, stored, update).await
    }

    async fn links(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let stored = |row: SealedLink| {
            let id = row.onboarding_link_id;
            Stored::of(id, resting_place(row.tenant_id, id), row.grant_sealed)
        };
        let list = async |after| rewrap::list_links(pool, after).await;
        let update = async |swaps: &[_]| rewrap::update_links(pool, swaps).await;
        self.column(RESTING, list, stored, update).await
    }

    async fn clients(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let stored = |row: SealedClient| {
            let (tenant_id, id) = (row.tenant_id, row.zoho_client_id);
            let place = Place::column(CLIENT_SECRET, tenant_id, id);
            Stored { key: (tenant_id, id), name: id.to_string(), place, sealed: row.client_secret_sealed }
        };
        let list = async |after| rewrap::list_clients(pool, after).await;
        let update = async |swaps: &[_]| rewrap::update_clients(pool, swaps).await;
        self.column(CLIENT_SECRET, list, stored, update).await
    }

    async fn webhook_secrets(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let stored = |row: SealedSecrets| {
            let id = row.webhook_endpoint_id;
            Stored::of(id, secrets::place(row.tenant_id, id), row.secrets_sealed)
        };
        let list = async |after| sealed::list(pool, after).await;
        let update = async |swaps: &[_]| sealed::update(pool, swaps).await;
        self.column(SECRETS, list, stored, update).await
    }

    /// One column of all rows of its table, a batch at a time.
    async fn column<Row, Key: Clone>(
        &mut self,
        column: &'static str,
        list: impl AsyncFn(Option<Key>) -> Result<Vec<Row>, StoreError>,
        stored: impl Fn(Row) -> Stored<Key>,
        update: impl AsyncFn(&[Swap<Key>]) -> Result<u64, StoreError>,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let rows = patiently(|| list(after.clone())).await?;
            let batch: Vec<_> = rows.into_iter().map(&stored).collect();
            let Some(last) = batch.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let swaps: Vec<_> = batch.into_iter().filter_map(|stored| self.judge(column, stored)).collect();
            let swapped = patiently(|| update(&swaps)).await?;
            self.count(column, swaps.len(), swapped);
        }
    }

    /// What is to be exchanged, where there is something to do. That a value is current is believed only
    /// if it opens.
    fn judge<Key>(&mut self, column: &'static str, stored: Stored<Key>) -> Option<Swap<Key>> {
        let Stored { key, name, place, sealed } = stored;
        match self.keys.open(&place, &sealed) {
            Ok(_) if KeyRing::key_id(&sealed) == Some(self.keys.first_id()) => {
                self.tally.already_current += 1;
                None
            }
            Ok(plaintext) => {
                let new = self.keys.seal(&place, &plaintext);
                Some(Swap { row: key, old: sealed, new })
            }
            Err(error) => {
                self.tally.unreadable += 1;
                (self.tell)(Event::Unreadable { column, row: name, error });
                None
            }
        }
    }

    fn count(&mut self, column: &'static str, tried: usize, swapped: u64) {
        self.tally.resealed += swapped;
        self.lost += u64::try_from(tried).unwrap_or(u64::MAX).saturating_sub(swapped);
        (self.tell)(Event::Walked { column, tally: self.tally });
    }
}

impl<Key: Copy + ToString> Stored<Key> {
    fn of(key: Key, place: Place, sealed: Vec<u8>) -> Self {
        Self { key, name: key.to_string(), place, sealed }
    }
}

impl Stored<(TenantId, ConnectionId)> {
    fn of_connection(column: &str, row: SealedToken) -> Self {
        let place = Place::column(column, row.tenant_id, row.connection_id);
        let name = row.connection_id.to_string();
        Self { key: (row.tenant_id, row.connection_id), name, place, sealed: row.sealed }
    }
}

/// What stands beside the new ciphertext of a refresh token.
fn digest(keys: &KeyRing, swap: &Swap<(TenantId, ConnectionId)>) -> Vec<u8> {
    let place = Place::column(REFRESH_TOKEN, swap.row.0, swap.row.1);
    let token = keys.open(&place, &swap.new).expect("it has just been sealed");
    token_digest::of(keys, &token).to_vec()
}

/// A step that met a locked row, a deadlock or a restart of Postgres is taken again: all of them are
/// idempotent.
async fn patiently<F, Fut, T>(step: F) -> Result<T, StoreError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, StoreError>>,
{
    let policy = ExponentialBuilder::default().with_min_delay(Duration::from_millis(200)).with_max_times(6);
    step.retry(policy).when(|error| matches!(error, StoreError::Database(_)) && !error.lacks_schema()).await
}
