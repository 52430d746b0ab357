//! Disconnecting: unusable everywhere with the commit, revoked at Zoho with a receipt.

use std::{sync::Arc, time::Duration};

use super::{deposit::REFRESH_TOKEN, revoke, seal::Place};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::{ConnectionId, RequestId, RevocationId, TenantId},
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
    pub(crate) actor: Actor,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

/// What has become of the refresh token at Zoho, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RevokedAtZoho {
    Yes,
    /// Zoho did not know it any more, or the connection had ended before.
    Already,
    /// It is tried until Zoho confirms.
    Pending,
    /// Nobody asked Zoho: another connection lives by the same imported token.
    Shared,
}

impl RevokedAtZoho {
    pub(crate) const ALL: [Self; 4] = [Self::Yes, Self::Already, Self::Pending, Self::Shared];

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Already => "already",
            Self::Pending => "pending",
            Self::Shared => revoke::SHARED,
        }
    }
}

/// Does nothing where the connection has ended already. What Zoho said is found in the receipt, too.
pub(crate) async fn disconnect(app: &Arc<App>, disconnect: Disconnect) -> Result<RevokedAtZoho, StoreError> {
    let (tenant_id, connection_id) = (disconnect.tenant_id, disconnect.connection_id);
    let ended = end(app, &disconnect).await?;
    app.tokens.forget(connection_id);
    if let Some(revocation_id) = ended {
        let task = {
            let app = Arc::clone(app);
            app.clone().spawn(async move { revoke::revoke_now(&app, revocation_id).await })
        };
        // Late or failed: the worker goes on, and the receipt says pending until then.
        if let Ok(Ok(Err(error))) = tokio::time::timeout(PATIENCE, task).await {
            tracing::warn!(error = chain(&error), "a revocation is left to the worker");
        }
    }
    let receipt = revocation::find_receipt(app.pools.engine(), tenant_id, connection_id).await?;
    Ok(match receipt.map(|receipt| receipt.outcome) {
        Some(None) => RevokedAtZoho::Pending,
        Some(Some(outcome)) if outcome == revoke::SHARED => RevokedAtZoho::Shared,
        Some(Some(outcome)) if ended.is_some() && outcome == "yes" => RevokedAtZoho::Yes,
        Some(Some(_)) | None => RevokedAtZoho::Already,
    })
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
        actor: disconnect.actor.clone(),
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
