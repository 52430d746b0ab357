//! How an attempt ends that connects nothing: said, audited, and what was granted is revoked.

use chrono::{DateTime, Utc};

use super::Failure;
use crate::{
    app::App,
    domain::ids::{PersonId, RevocationId},
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        login_attempt::{self, TakenAttempt},
        revocation::{self, NewRevocation, Reason},
        token_escrow,
        tx::Connection,
    },
    telemetry::chain,
    vault::{grant::KeptGrant, seal::Place},
};

/// Ends an attempt that has a grant but connects nothing: the token is revoked.
pub(super) async fn give_up(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    failure: Failure,
    try_number: i32,
) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if !token_escrow::delete(&mut *tx, &attempt.state_digest, try_number).await? {
        return Ok(());
    }
    let reason =
        if failure == Failure::OrganizationMismatch { Reason::OrganizationMismatch } else { Reason::NotConnected };
    // An attempt that has landed may have this very token in use.
    if !write_failure(&mut tx, attempt, failure, now).await? {
        return Ok(());
    }
    revoke_grant(app, &mut tx, attempt, grant, attempt.purpose.person_id(), reason, now).await?;
    tx.commit().await
}

/// Ends an attempt without a grant. Tries for a while: the browser is waiting to be told.
pub(super) async fn fail(app: &App, attempt: &TakenAttempt, failure: Failure) {
    let written = async || -> Result<(), StoreError> {
        let mut tx = app.pools.begin_as_engine().await?;
        write_failure(&mut tx, attempt, failure, app.clock.shared_now()).await?;
        tx.commit().await
    };
    let policy = backon::ExponentialBuilder::default().with_max_times(8).with_jitter();
    if let Err(error) = backon::Retryable::retry(written, policy).await {
        tracing::error!(error = chain(&error), request.id = %attempt.request_id, "a failed attempt could not be written down");
    }
}

/// False where the attempt has landed already: nothing is written twice.
async fn write_failure(
    tx: &mut Connection,
    attempt: &TakenAttempt,
    failure: Failure,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    if !login_attempt::update_landed(&mut *tx, &attempt.state_digest, false, None, &failure.landing(), now).await? {
        return Ok(false);
    }
    metrics::counter!("attempts_total", "outcome" => failure.slug()).increment(1);
    let event = AuditEvent {
        detail: Some(failure.slug().to_owned()),
        ..event(attempt, attempt.purpose.person_id(), "sign_in_failed", "failed")
    };
    audit_event::insert(&mut *tx, &event, now).await?;
    Ok(true)
}

pub(super) async fn revoke_grant(
    app: &App,
    tx: &mut Connection,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    person_id: Option<PersonId>,
    reason: Reason,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(token) = &grant.refresh_token else { return Ok(()) };
    let revocation_id = RevocationId::new();
    let place = Place::outside_tenants("revocation.token_sealed", revocation_id);
    let new = NewRevocation {
        revocation_id,
        tenant_id: attempt.purpose.tenant_id(),
        connection_id: attempt.purpose.connection_id(),
        person_id,
        client_id: grant.client_id.clone(),
        data_centre: attempt.data_centre,
        reason,
        token_sealed: app.keys.seal(&place, token.expose().as_bytes()),
        sealed_as: place.as_text().to_owned(),
        granted_at: now,
        due_at: now,
    };
    revocation::insert(&mut *tx, &new, now).await
}

/// What happened in this attempt, by whoever it was.
pub(super) fn event(
    attempt: &TakenAttempt,
    person_id: Option<PersonId>,
    action: &'static str,
    outcome: &'static str,
) -> AuditEvent {
    AuditEvent {
        actor: person_id.map_or(Actor::Visitor, Actor::Person),
        action,
        outcome,
        tenant_id: attempt.purpose.tenant_id(),
        connection_id: attempt.purpose.connection_id(),
        peer: Some(attempt.peer.clone()),
        request_id: Some(attempt.request_id),
        detail: None,
    }
}
