//! How many proxied calls may be under way (security.md S-64).
//!
//! A product that hangs holds its callers for minutes. A tenant has fewer places than its data
//! centre, so that one tenant's hanging calls leave room for the others; whoever finds no place
//! waits a moment, in a queue that is bounded too. Per replica: correctness does not rest on it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::{data_centre::DataCentre, ids::TenantId};

const PER_TENANT: Size = Size { places: 64, queue: 512, wait: WAIT };
const PER_DATA_CENTRE: Size = Size { places: 512, queue: 1024, wait: WAIT };
/// How long a call waits for a place, and when to come back where there was none. Longer than a
/// refresh usually takes: of hundreds whose token was refused those in the queue need no other.
const WAIT: Duration = Duration::from_secs(5);
const COME_BACK: Duration = Duration::from_secs(5);
/// Tenants remembered; beyond it those without a call are forgotten.
const MOST_IDLE: usize = 1000;

#[derive(Debug, Clone, Copy)]
struct Size {
    places: usize,
    queue: usize,
    wait: Duration,
}

/// Whose places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    Tenant { retry_after: Duration },
    DataCentre { retry_after: Duration },
}

impl Busy {
    pub(crate) const fn outcome(self) -> &'static str {
        match self {
            Self::Tenant { .. } => "tenant-busy",
            Self::DataCentre { .. } => "data-centre-busy",
        }
    }
}

#[derive(Debug)]
pub(crate) struct ProxyLimits {
    tenants: Mutex<HashMap<TenantId, Arc<Gate>>>,
    data_centres: BTreeMap<DataCentre, Arc<Gate>>,
    per_tenant: Size,
}

impl Default for ProxyLimits {
    fn default() -> Self {
        Self::with(PER_TENANT, PER_DATA_CENTRE)
    }
}

/// A place among the calls under way; dropped, it is free.
#[derive(Debug)]
pub(crate) struct Place {
    _data_centre: OwnedSemaphorePermit,
    _tenant: OwnedSemaphorePermit,
}

impl ProxyLimits {
    fn with(per_tenant: Size, per_data_centre: Size) -> Self {
        let gates = DataCentre::ALL.into_iter().map(|data_centre| (data_centre, Arc::new(Gate::new(per_data_centre))));
        Self { tenants: Mutex::default(), data_centres: gates.collect(), per_tenant }
    }

    pub(crate) async fn enter(&self, tenant_id: TenantId, data_centre: DataCentre) -> Result<Place, Busy> {
        let tenant = self.tenant(tenant_id).enter().await.ok_or(Busy::Tenant { retry_after: COME_BACK })?;
        let gate = &self.data_centres[&data_centre];
        let data_centre = gate.enter().await.ok_or(Busy::DataCentre { retry_after: COME_BACK })?;
        Ok(Place { _data_centre: data_centre, _tenant: tenant })
    }

    fn tenant(&self, tenant_id: TenantId) -> Arc<Gate> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= MOST_IDLE {
            tenants.retain(|_, gate| Arc::strong_count(gate) > 1 || !gate.is_empty());
        }
        Arc::clone(tenants.entry(tenant_id).or_insert_with(|| Arc::new(Gate::new(self.per_tenant))))
    }
}

/// Places, and a queue before them.
#[derive(Debug)]
struct Gate {
    places: Arc<Semaphore>,
    queue: Semaphore,
    size: Size,
}

impl Gate {
    fn new(size: Size) -> Self {
        Self { places: Arc::new(Semaphore::new(size.places)), queue: Semaphore::new(size.queue), size }
    }

    async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let places = || Arc::clone(&self.places);
        // Whoever waits is served first: a place that becomes free never is without owner.
        if let Ok(place) = places().try_acquire_owned() {
            return Some(place);
        }
        let _waiting = self.queue.try_acquire().ok()?;
        tokio::time::timeout(self.size.wait, places().acquire_owned()).await.ok()?.ok()
    }

    fn is_empty(&self) -> bool {
        self.places.available_permits() == self.size.places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Size = Size { places: 2, queue: 1, wait: Duration::from_millis(20) };

    #[tokio::test]
    async fn s64_a_full_tenant_waits_alone_and_in_a_bounded_queue() {
        let limits = ProxyLimits::with(TWO, Size { places: 3, queue: 0, ..TWO });
        let (full, other) = (TenantId::new(), TenantId::new());
        let first = limits.enter(full, DataCentre::Eu).await.expect("a place");
        let _second = limits.enter(full, DataCentre::Eu).await.expect("a place");
        let tenant_busy = Busy::Tenant { retry_after: COME_BACK };
        let (waited, refused) = tokio::join!(limits.enter(full, DataCentre::Eu), limits.enter(full, DataCentre::Eu));
        assert_eq!(waited.err(), Some(tenant_busy), "after a while");
        assert_eq!(refused.err(), Some(tenant_busy), "at once: the queue is full");
        let others = limits.enter(other, DataCentre::Eu).await.expect("a place");
        assert_eq!(limits.enter(other, DataCentre::Eu).await.err(), Some(Busy::DataCentre { retry_after: COME_BACK }));
        assert!(limits.enter(other, DataCentre::Us).await.is_ok());
        drop((first, others));
        assert!(limits.enter(full, DataCentre::Eu).await.is_ok());
    }

    #[tokio::test]
    async fn tenants_without_a_call_are_forgotten() {
        let limits = ProxyLimits::with(TWO, PER_DATA_CENTRE);
        let busy = TenantId::new();
        let _place = limits.enter(busy, DataCentre::Eu).await.expect("a place");
        for _ in 0..MOST_IDLE {
            drop(limits.enter(TenantId::new(), DataCentre::Eu).await);
        }
        let tenants = limits.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(tenants.contains_key(&busy) && tenants.len() < 10, "{}", tenants.len());
    }
}
