//! Deleting a tenant (security.md S-48), for good:
//!
//! 1. **Begin**: one transaction suspends it for ever, revokes its keys, ends its invitations and memberships, and tells
//!    whoever wants to know. With the commit nothing of it works any more, and nobody can put anything into it.
//! 2. **End**: any replica ends its connections, a few at a time: each refresh token moves to the revocations, due now,
//!    and the ciphertext is erased from the row. Whoever dies in between leaves the rest to the others.
//! 3. **Revoke**: as every revocation, until Zoho has confirmed; then that ciphertext is erased, too, and its receipt stays.
//! 4. **Erase**: once all of that is through, the secrets of imported clients and the webhooks go, and the external id and
//!    the slug are free for a tenant that has nothing to do with this one. Audit and receipts stay.

use std::sync::Arc;

use super::{By, tell};
use crate::{
    app::App,
    domain::{ids::TenantId, webhook::EventType},
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        operator::tenants::Tenant,
        tenant::deleted,
    },
    telemetry::chain,
    vault::{deposit::REFRESH_TOKEN, seal::Place},
};

/// Step 1. Does nothing where it has begun.
pub(crate) async fn delete(app: &App, of: &Tenant, by: By) -> Result<(), StoreError> {
    let mut tx = app.pools.begin_as_engine().await?;
    if !deleted::begin(&mut tx, of.tenant_id, app.clock.shared_now()).await? {
        return Ok(());
    }
    let event = AuditEvent { detail: Some(of.slug.clone()), ..by.event("tenant_deleted", of.tenant_id) };
    tell(app, tx, of, event, EventType::TenantDeleted).await?;
    app.wake_deletions.notify_one();
    Ok(())
}

/// Steps 2 and 4, a piece of each deletion under way. Tells how much it ended: while there is anything, there may be more.
pub(crate) async fn go_on(app: &Arc<App>) -> Result<usize, StoreError> {
    let mut ended = 0;
    for tenant_id in deleted::list(app.pools.engine()).await? {
        match go_on_with(app, tenant_id).await {
            Ok(piece) => ended += piece,
            // The others' deletions do not wait for it.
            Err(error) => tracing::warn!(error = chain(&error), tenant.id = %tenant_id, "a deletion does not go on"),
        }
    }
    if ended > 0 {
        app.wake_revocations.notify_one();
    }
    Ok(ended)
}

async fn go_on_with(app: &App, tenant_id: TenantId) -> Result<usize, StoreError> {
    let piece = end_piece(app, tenant_id).await?;
    if piece > 0 {
        return Ok(piece);
    }
    let told = deleted::delete_deliveries(app.pools.engine(), tenant_id).await?;
    if told == 0 {
        erase(app, tenant_id).await?;
    }
    Ok(usize::try_from(told).unwrap_or(usize::MAX))
}

async fn end_piece(app: &App, tenant_id: TenantId) -> Result<usize, StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    let place = Place::column(REFRESH_TOKEN, tenant_id, "");
    let ended = deleted::end_connections(&mut *tx, tenant_id, place.as_text(), now).await?;
    let event = |connection_id| AuditEvent {
        connection_id: Some(connection_id),
        detail: Some("tenant_deleted".to_owned()),
        ..event("disconnected", tenant_id)
    };
    let events: Vec<_> = ended.iter().map(|connection_id| (event(*connection_id), now)).collect();
    audit_event::insert_many(&mut *tx, &events).await?;
    tx.commit().await?;
    Ok(ended.len())
}

async fn erase(app: &App, tenant_id: TenantId) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if !deleted::erase(&mut tx, tenant_id, now).await? {
        return Ok(());
    }
    audit_event::insert(&mut *tx, &event("tenant_erased", tenant_id), now).await?;
    tracing::info!(tenant.id = %tenant_id, "nothing is left of a deleted tenant but its history");
    tx.commit().await
}

fn event(action: &'static str, tenant_id: TenantId) -> AuditEvent {
    AuditEvent {
        actor: Actor::Engine,
        action,
        outcome: "done",
        tenant_id: Some(tenant_id),
        connection_id: None,
        peer: None,
        request_id: None,
        detail: None,
    }
}
