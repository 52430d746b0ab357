//! What an administrator may change in a tenant: each change with its audit event, in one transaction
//! that sees this tenant alone.

pub(crate) mod members;

use chrono::{DateTime, Utc};

use crate::{
    app::App,
    domain::{
        api_key::Grant,
        ids::{PersonId, RequestId, TenantId},
    },
    store::{
        StoreError, api_key,
        audit_event::{self, Actor, AuditEvent},
    },
    vault::api_key::{Made, Make, make_once},
    webhooks,
};

/// Who changes something, where.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) tenant_id: TenantId,
    pub(crate) person_id: PersonId,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

impl From<Change> for webhooks::endpoint::By {
    fn from(change: Change) -> Self {
        Self {
            tenant_id: Some(change.tenant_id),
            actor: Actor::Person(change.person_id),
            request_id: change.request_id,
            peer: change.peer,
        }
    }
}

impl Change {
    fn event(self, action: &'static str, detail: String) -> AuditEvent {
        AuditEvent {
            actor: Actor::Person(self.person_id),
            action,
            outcome: "done",
            tenant_id: Some(self.tenant_id),
            connection_id: None,
            peer: Some(self.peer),
            request_id: Some(self.request_id),
            detail: Some(detail),
        }
    }
}

/// The key that somebody asks for.
#[derive(Debug)]
pub(crate) struct NewKey<'a> {
    pub(crate) name: &'a str,
    pub(crate) grants: &'a [Grant],
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// The form's.
    pub(crate) nonce: &'a str,
}

/// Makes a key of the tenant's own. `None` where this very form has made one already.
pub(crate) async fn create_api_key(app: &App, change: Change, new: &NewKey<'_>) -> Result<Option<Made>, StoreError> {
    let now = app.clock.shared_now();
    let make = Make {
        name: new.name,
        tenant_id: Some(change.tenant_id),
        grants: new.grants,
        created_by: &change.person_id.to_string(),
        expires_at: new.expires_at,
    };
    // Of the session's person: nobody else's form names the same key.
    let nonce = format!("{} {} {}", change.tenant_id, change.person_id, new.nonce);
    let mut tx = app.pools.begin_as_tenant(change.tenant_id).await?;
    let Some(made) = make_once(&mut *tx, &make, &nonce, now).await? else { return Ok(None) };
    let event = change.event("api_key_created", made.api_key_id.clone());
    audit_event::insert(&mut *tx, &event, now).await?;
    tx.commit().await?;
    Ok(Some(made))
}

/// Ends a key of the tenant's, everywhere within a second. False where there was none alive.
pub(crate) async fn revoke_api_key(app: &App, change: Change, api_key_id: &str) -> Result<bool, StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_tenant(change.tenant_id).await?;
    if !api_key::update_revoked_of_tenant(&mut *tx, change.tenant_id, api_key_id, now).await? {
        return Ok(false);
    }
    let event = change.event("api_key_revoked", api_key_id.to_owned());
    audit_event::insert(&mut *tx, &event, now).await?;
    tx.commit().await?;
    app.known_keys.forget(api_key_id);
    Ok(true)
}
