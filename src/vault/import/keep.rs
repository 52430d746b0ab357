//! Step 3: what came of a code is written down as a token to be revoked, due in ten minutes, before
//! anything slower is asked. The transaction that connects it deletes that row; whoever dies before
//! leaves it to the worker. So no refresh token is alive at Zoho that nobody knows.

use std::time::Duration;

use chrono::TimeDelta;

use super::ImportError;
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::{RevocationId, TenantId},
    },
    store::revocation::{self, NewRevocation, Reason},
    telemetry::chain,
    vault::{grant::KeptGrant, revoke, seal::Place},
};

/// Longer than everything that an import may still ask and wait for.
const RESPITE: TimeDelta = TimeDelta::minutes(10);

/// Keeps a new grant, trying for half a minute; what cannot be kept is revoked at once.
pub(super) async fn keep(
    app: &App,
    tenant_id: TenantId,
    data_centre: DataCentre,
    grant: &KeptGrant,
) -> Result<RevocationId, ImportError> {
    let token = grant.refresh_token.as_ref().ok_or(ImportError::Misbehaved)?;
    let revocation_id = RevocationId::new();
    let place = Place::outside_tenants("revocation.token_sealed", revocation_id);
    let now = app.clock.shared_now();
    let new = NewRevocation {
        revocation_id,
        tenant_id: Some(tenant_id),
        connection_id: None,
        person_id: None,
        client_id: grant.client_id.clone(),
        data_centre,
        reason: Reason::NotConnected,
        token_sealed: app.keys.seal(&place, token.expose().as_bytes()),
        sealed_as: place.as_text().to_owned(),
        granted_at: now,
        due_at: now + RESPITE,
    };
    let policy = backon::ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .with_max_times(20);
    let kept = backon::Retryable::retry(|| revocation::insert(app.pools.critical(), &new, now), policy).await;
    if let Err(error) = kept {
        tracing::error!(error = chain(&error), "an imported grant could not be kept; revoking it");
        revoke::at_once(app, data_centre, token).await;
        return Err(error.into());
    }
    Ok(revocation_id)
}

/// Nothing is connected: the token dies now, and not in ten minutes.
pub(super) async fn give_up(app: &App, kept: RevocationId) {
    if let Err(error) = revocation::update_due(app.pools.critical(), kept, app.clock.shared_now()).await {
        tracing::warn!(error = chain(&error), "a token that was not connected is revoked in ten minutes");
    }
    app.wake_revocations.notify_one();
}
