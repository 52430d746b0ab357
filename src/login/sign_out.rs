//! Signing out: the session's row goes, and nothing ever writes it again.

use super::Visit;
use crate::{
    app::App,
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        browser_session, tenant,
    },
};

/// Ends the session that the visit presented; does nothing where none is alive.
pub(crate) async fn sign_out(app: &App, visit: &Visit) -> Result<(), StoreError> {
    let (Some(session), Some(digest)) = (&visit.session, &visit.session_digest) else { return Ok(()) };
    let person_id = session.person.person_id;
    let mut tx = app.pools.begin_as_engine().await?;
    let event = AuditEvent {
        actor: Actor::Person(person_id),
        action: "signed_out",
        outcome: "done",
        tenant_id: tenant::find_own(&mut *tx, person_id).await?,
        connection_id: None,
        peer: Some(visit.peer.clone()),
        request_id: Some(visit.request_id),
        detail: None,
    };
    browser_session::delete(&mut *tx, digest).await?;
    audit_event::insert(&mut *tx, &event, app.clock.shared_now()).await?;
    tx.commit().await
}
