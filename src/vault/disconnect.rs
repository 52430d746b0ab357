//! Disconnecting: unusable everywhere with the commit, revoked at Zoho with a receipt.

use std::{sync::Arc, time::Duration};

use super::{deposit::REFRESH_TOKEN, revoke, seal::Place};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::{ConnectionId, PersonId, RequestId, RevocationId, TenantId},
        webhook::EventType,
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        connection,
        revocation::{self, NewRevocation, Reason},
    },
    telemetry::chain,
    webhooks::event::{self, Event},
};

/// How long the caller waits for Zoho's word before being told that it is pending.
const PATIENCE: Duration = Duration::from_secs(4);

/// Which connection, and who says so.
#[derive(Debug, Clone)]
pub(crate) struct Disconnect {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) data_centre: DataCentre,
    pub(crate) person_id: PersonId,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

/// Does nothing where the connection has ended already. What Zoho said is found in the receipt.
pub(crate) async fn disconnect(app: &Arc<App>, disconnect: Disconnect) -> Result<(), StoreError> {
    let Some(revocation_id) = end(app, &disconnect).await? else { return Ok(()) };
    let task = {
        let app = Arc::clone(app);
        app.clone().spawn(async move { revoke::revoke_now(&app, revocation_id).await })
    };
    // Late or failed: the worker goes on, and the receipt says pending until then.
    if let Ok(Ok(Err(error))) = tokio::time::timeout(PATIENCE, task).await {
        tracing::warn!(error = chain(&error), "a revocation is left to the worker");
    }
    Ok(())
}

async fn end(app: &App, disconnect: &Disconnect) -> Result<Option<RevocationId>, StoreError> {
    let now = app.clock.shared_now();
    let Disconnect { tenant_id, connection_id, .. } = *disconnect;
    let mut tx = app.pools.begin_as_engine().await?;
    let Some(held) = connection::find_held(&mut *tx, tenant_id, connection_id).await? else { return Ok(None) };
    if !connection::update_disconnected(&mut *tx, tenant_id, connection_id, now).await? {
        return Ok(None);
    }
    let event = AuditEvent {
        actor: Actor::Person(disconnect.person_id),
        action: "disconnected",
        outcome: "done",
        tenant_id: Some(tenant_id),
        connection_id: Some(connection_id),
        peer: Some(disconnect.peer.clone()),
        request_id: Some(disconnect.request_id),
        detail: None,
    };
    audit_event::insert(&mut *tx, &event, now).await?;
    let disconnected = Event::of_connection(EventType::ConnectionDisconnected, tenant_id, connection_id);
    event::insert(&mut tx, disconnected, now).await?;
    let revocation_id = match held.refresh_token_sealed {
        None => None,
        Some(token_sealed) => {
            let new = NewRevocation {
                revocation_id: RevocationId::new(),
                tenant_id: Some(tenant_id),
                connection_id: Some(connection_id),
                person_id: held.person_id,
                client_id: held.client_id,
                data_centre: disconnect.data_centre,
                reason: Reason::Disconnected,
                token_sealed,
                sealed_as: Place::column(REFRESH_TOKEN, tenant_id, connection_id).as_text().to_owned(),
                granted_at: held.consented_at,
                due_at: now,
            };
            revocation::insert(&mut *tx, &new, now).await?;
            Some(new.revocation_id)
        }
    };
    tx.commit().await?;
    Ok(revocation_id)
}
