//! What an operator may do to a tenant as a whole; each change with its audit event, in the tenant it touches, and its
//! webhook, in one transaction.
//!
//! **Suspending** stops everything of a tenant within a second on every replica. The row of the tenant says so, and each
//! way in asks it where it reads what it needs anyway:
//! - an API key of the tenant is judged with it (`store::api_key`), and so is nothing else of its requests;
//! - a vend, and with it the proxy, reads it with the connection (`store::connection::vended`); both are remembered for
//!   half a second at most;
//! - whatever would put tokens into the tenant locks the row against it (`tenant::is_suspended_for_share`): the end of a
//!   sign-in, a confirmed invitation, an import;
//! - the worker refreshes nothing of it, and its webhooks wait;
//! - its console is read-only (`http::tenant`).
//!
//! Its refresh tokens stay as they are at Zoho: they do not end by not being used, and the first call after a resumption
//! fetches an access token.

pub(crate) mod delete;

use crate::{
    app::App,
    domain::{
        ids::{PersonId, RequestId, TenantId},
        webhook::EventType,
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        operator::tenants::Tenant,
        tenant,
        tx::Tx,
    },
    webhooks::event::{self, Event},
};

/// Who does it.
#[derive(Debug)]
pub(crate) struct By {
    pub(crate) person_id: PersonId,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

impl By {
    fn event(self, action: &'static str, tenant_id: TenantId) -> AuditEvent {
        AuditEvent {
            actor: Actor::Operator(self.person_id),
            action,
            outcome: "done",
            tenant_id: Some(tenant_id),
            connection_id: None,
            peer: Some(self.peer),
            request_id: Some(self.request_id),
            detail: None,
        }
    }
}

/// Does nothing where it is suspended already.
pub(crate) async fn suspend(app: &App, of: &Tenant, by: By) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if !tenant::update_suspended(&mut *tx, of.tenant_id, now).await? {
        return Ok(());
    }
    tell(app, tx, of, by.event("tenant_suspended", of.tenant_id), EventType::TenantSuspended).await
}

/// Does nothing where it is not suspended, or is being deleted.
pub(crate) async fn resume(app: &App, of: &Tenant, by: By) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if !tenant::update_resumed(&mut *tx, of.tenant_id, now).await? {
        return Ok(());
    }
    tell(app, tx, of, by.event("tenant_resumed", of.tenant_id), EventType::TenantResumed).await
}

/// Writes down what the transaction does, and commits it.
async fn tell(app: &App, mut tx: Tx, of: &Tenant, audit: AuditEvent, event_type: EventType) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    tracing::info!(tenant.id = %of.tenant_id, action = audit.action, "an operator changed a tenant");
    audit_event::insert(&mut *tx, &audit, now).await?;
    let event = Event::of_tenant(event_type, of.tenant_id, of.external_id.as_deref(), &of.name);
    event::insert(&mut tx, event, now).await?;
    tx.commit().await?;
    app.wake_webhooks.notify_one();
    Ok(())
}
