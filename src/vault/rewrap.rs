//! Re-sealing everything under the first key of the ring, while the program serves (security.md 4.5,
//!
//!
//! 1. Each table is walked in the order of its primary key, a batch at a time. Connections come before
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
    rewrap::{self, KeyInUse, Swap},
    tx::Pools,
    webhook_endpoint::sealed,
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
        walk.connections().await?;
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

impl<T: FnMut(Event)> Walk<'_, T> {
    async fn connections(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let mut after = None;
        loop {
            let rows = patiently(|| rewrap::list_connections(pool, after)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.tenant_id, last.connection_id));
            let (mut refresh_tokens, mut access_tokens) = (Vec::new(), Vec::new());
            for row in rows {
                let (tenant_id, connection_id) = (row.tenant_id, row.connection_id);
                let columns = [
                    (REFRESH_TOKEN, row.refresh_token_sealed, &mut refresh_tokens),
                    (ACCESS_TOKEN, row.access_token_sealed, &mut access_tokens),
                ];
                for (column, sealed, swaps) in columns {
                    let place = Place::column(column, tenant_id, connection_id);
                    let Some((old, new)) = sealed.and_then(|old| self.judge(column, &connection_id, &place, old))
                    else {
                        continue;
                    };
                    swaps.push(Swap { row: (tenant_id, connection_id), old, new });
                }
            }
            let digests: Vec<_> = refresh_tokens.iter().map(|swap| self.digest(swap)).collect();
            let swapped = patiently(|| rewrap::update_refresh_tokens(pool, &refresh_tokens, &digests)).await?;
            self.count(REFRESH_TOKEN, refresh_tokens.len(), swapped);
            let swapped = patiently(|| rewrap::update_access_tokens(pool, &access_tokens)).await?;
            self.count(ACCESS_TOKEN, access_tokens.len(), swapped);
        }
    }

    async fn revocations(&mut self) -> Result<(), StoreError> {
        const COLUMN: &str = "revocation.token_sealed";
        let pool = self.pools.engine();
        let mut after = None;
        loop {
            let rows = patiently(|| rewrap::list_revocations(pool, after)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.revocation_id);
            let mut swaps = Vec::new();
            for row in rows {
                let place = Place::from_text(row.sealed_as);
                if let Some((old, new)) = self.judge(COLUMN, &row.revocation_id, &place, row.token_sealed) {
                    swaps.push(Swap { row: row.revocation_id, old, new });
                }
            }
            let swapped = patiently(|| rewrap::update_revocations(pool, &swaps)).await?;
            self.count(COLUMN, swaps.len(), swapped);
        }
    }

    async fn escrows(&mut self) -> Result<(), StoreError> {
        const COLUMN: &str = "token_escrow.grant_sealed";
        let pool = self.pools.engine();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let rows = patiently(|| rewrap::list_escrows(pool, after.as_deref())).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.state_digest.clone());
            let mut swaps = Vec::new();
            for row in &rows {
                let place = escrow_place(&row.state_digest);
                // The place names the row; the digest itself says nothing to anybody.
                if let Some((old, new)) = self.judge(COLUMN, &place.as_text(), &place, row.grant_sealed.clone()) {
                    swaps.push(Swap { row: row.state_digest.as_slice(), old, new });
                }
            }
            let swapped = patiently(|| rewrap::update_escrows(pool, &swaps)).await?;
            self.count(COLUMN, swaps.len(), swapped);
        }
    }

    async fn links(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let mut after = None;
        loop {
            let rows = patiently(|| rewrap::list_links(pool, after)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.onboarding_link_id);
            let mut swaps = Vec::new();
            for row in rows {
                let id = row.onboarding_link_id;
                let place = resting_place(row.tenant_id, id);
                if let Some((old, new)) = self.judge(RESTING, &id, &place, row.grant_sealed) {
                    swaps.push(Swap { row: id, old, new });
                }
            }
            let swapped = patiently(|| rewrap::update_links(pool, &swaps)).await?;
            self.count(RESTING, swaps.len(), swapped);
        }
    }

    async fn clients(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let mut after = None;
        loop {
            let rows = patiently(|| rewrap::list_clients(pool, after)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.tenant_id, last.zoho_client_id));
            let mut swaps = Vec::new();
            for row in rows {
                let (tenant_id, zoho_client_id) = (row.tenant_id, row.zoho_client_id);
                let place = Place::column(CLIENT_SECRET, tenant_id, zoho_client_id);
                if let Some((old, new)) = self.judge(CLIENT_SECRET, &zoho_client_id, &place, row.client_secret_sealed) {
                    swaps.push(Swap { row: (tenant_id, zoho_client_id), old, new });
                }
            }
            let swapped = patiently(|| rewrap::update_clients(pool, &swaps)).await?;
            self.count(CLIENT_SECRET, swaps.len(), swapped);
        }
    }

    async fn webhook_secrets(&mut self) -> Result<(), StoreError> {
        let pool = self.pools.engine();
        let mut after = None;
        loop {
            let rows = patiently(|| sealed::list(pool, after)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.webhook_endpoint_id);
            let mut swaps = Vec::new();
            for row in rows {
                let id = row.webhook_endpoint_id;
                let place = secrets::place(row.tenant_id, id);
                if let Some((old, new)) = self.judge(SECRETS, &id, &place, row.secrets_sealed) {
                    swaps.push(Swap { row: id, old, new });
                }
            }
            let swapped = patiently(|| sealed::update(pool, &swaps)).await?;
            self.count(SECRETS, swaps.len(), swapped);
        }
    }

    /// What stands beside the new ciphertext.
    fn digest(&self, swap: &Swap<(TenantId, ConnectionId)>) -> Vec<u8> {
        let place = Place::column(REFRESH_TOKEN, swap.row.0, swap.row.1);
        let token = self.keys.open(&place, &swap.new).expect("it has just been sealed");
        token_digest::of(self.keys, &token).to_vec()
    }

    /// The old and the new ciphertext, where there is something to do. That a value is current is
    /// believed only if it opens.
    fn judge(
        &mut self,
        column: &'static str,
        row: &impl ToString,
        place: &Place,
        sealed: Vec<u8>,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        match self.keys.open(place, &sealed) {
            Ok(_) if KeyRing::key_id(&sealed) == Some(self.keys.first_id()) => {
                self.tally.already_current += 1;
                None
            }
            Ok(plaintext) => {
                let new = self.keys.seal(place, &plaintext);
                Some((sealed, new))
            }
            Err(error) => {
                self.tally.unreadable += 1;
                (self.tell)(Event::Unreadable { column, row: row.to_string(), error });
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
