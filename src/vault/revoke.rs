//! Making refresh tokens die at Zoho: tried until Zoho has confirmed, with a receipt.
//!
//! A token that another connection lives by, as imports can have it, is left alone, and the receipt says so. That is
//! judged here, at the last moment, and not where a connection ends: of two that end at once, each in its own
//! transaction, both are over when the later one's token comes here, so that one of them revokes it.

use std::time::Duration;

use chrono::TimeDelta;

use super::{seal::Place, token_digest};
use crate::{
    app::App,
    domain::{data_centre::DataCentre, ids::RevocationId, secret::RefreshToken},
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        connection::stored_token,
        revocation::{self, Claimed},
    },
    telemetry::chain,
    zoho::{Revoked, TokenError},
};

/// Longest pause between two tries.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// The outcome of what was not revoked, because another connection lives by it.
pub(crate) const SHARED: &str = "shared";

/// Revokes what is due, as one replica among many. Tells how many it tried.
pub(crate) async fn revoke_due(app: &App) -> Result<usize, StoreError> {
    let claimed = revocation::claim_due(app.pools.critical(), None, app.clock.shared_now()).await?;
    let tried = claimed.len();
    futures_util::future::join_all(claimed.into_iter().map(|claimed| revoke_one(app, claimed))).await;
    Ok(tried)
}

/// Revokes this one now, unless somebody is at it.
pub(crate) async fn revoke_now(app: &App, revocation_id: RevocationId) -> Result<(), StoreError> {
    for claimed in revocation::claim_due(app.pools.critical(), Some(revocation_id), app.clock.shared_now()).await? {
        revoke_one(app, claimed).await;
    }
    Ok(())
}

async fn revoke_one(app: &App, claimed: Claimed) {
    let revocation_id = claimed.revocation_id;
    let written = if let Some(outcome) = try_to_revoke(app, &claimed).await {
        write_receipt(app, &claimed, outcome).await
    } else {
        let due_at = app.clock.shared_now() + pause(claimed.tries);
        revocation::update_due(app.pools.critical(), revocation_id, due_at).await
    };
    // The claim runs out, and it is tried again: revoking twice does no harm.
    if let Err(error) = written {
        tracing::warn!(error = chain(&error), revocation.id = %revocation_id, "how a revocation went is not written yet");
    }
}

async fn try_to_revoke(app: &App, claimed: &Claimed) -> Option<&'static str> {
    let place = Place::from_text(claimed.sealed_as.clone());
    let token = match app.keys.open_text(&place, &claimed.token_sealed) {
        Ok(token) => RefreshToken::new(token.as_str()),
        Err(error) => {
            tracing::error!(error = chain(&error), revocation.id = %claimed.revocation_id, "a token to revoke does not open");
            return None;
        }
    };
    let Some(hosts) = app.config.zoho.servers.hosts(claimed.data_centre) else {
        tracing::error!(data_centre = %claimed.data_centre, "tokens wait to be revoked in a data centre that the servers table does not name");
        return None;
    };
    let digests = token_digest::all_of(&app.keys, token.expose().as_bytes());
    match stored_token::is_held(app.pools.critical(), &digests, &claimed.client_id, claimed.data_centre).await {
        Ok(true) => return Some(SHARED),
        Ok(false) => {}
        Err(error) => {
            tracing::warn!(error = chain(&error), revocation.id = %claimed.revocation_id, "nobody knows who else holds a token to revoke");
            return None;
        }
    }
    match app.zoho.revoke(&hosts.accounts, &token).await {
        Ok(Revoked::Now) => Some("yes"),
        Ok(Revoked::Already) => Some("already"),
        Err(error) => {
            tracing::warn!(class = error.class(), data_centre = %claimed.data_centre, revocation.id = %claimed.revocation_id, "zoho did not revoke a token yet");
            None
        }
    }
}

async fn write_receipt(app: &App, claimed: &Claimed, outcome: &'static str) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if revocation::update_done(&mut *tx, claimed.revocation_id, outcome, now).await? {
        let event = AuditEvent {
            actor: Actor::Engine,
            action: if outcome == SHARED { "left_at_zoho" } else { "revoked_at_zoho" },
            outcome,
            tenant_id: claimed.tenant_id,
            connection_id: claimed.connection_id,
            peer: None,
            request_id: None,
            detail: None,
        };
        audit_event::insert(&mut *tx, &event, now).await?;
    }
    tx.commit().await
}

/// 5 s · 2ⁿ with jitter, at most an hour.
fn pause(tries: i32) -> TimeDelta {
    let exponent = u32::try_from(tries).unwrap_or(0).min(10);
    let full = TimeDelta::seconds(5 * 2_i64.pow(exponent)).min(LONGEST_PAUSE);
    full / 2 + full * rand::random_range(0..=500) / 1000
}

/// For a grant that could not even be kept: there is no row to work from, so a few tries must do.
pub(crate) async fn at_once(app: &App, data_centre: DataCentre, token: &RefreshToken) {
    let accounts = &app.hosts(data_centre).accounts;
    let policy = backon::ExponentialBuilder::default().with_min_delay(Duration::from_millis(500)).with_max_times(5);
    if backon::Retryable::retry(|| app.zoho.revoke(accounts, token), policy)
        .when(TokenError::is_transient)
        .await
        .is_err()
    {
        tracing::error!(%data_centre, "a refresh token was lost: neither kept nor revoked");
        metrics::counter!("refresh_tokens_lost_total").increment(1);
    }
}
