//! What becomes of attempts that nobody is finishing: escrows are settled by any replica, the lost
//! are told, the old are swept.

use super::{Failure, escrow, settle};
use crate::{
    app::App,
    store::{StoreError, browser_session, imported_code, login_attempt, token_escrow},
    telemetry::chain,
};

/// Settles the escrows whose claim has run out. Tells how many there were.
pub(crate) async fn settle_due(app: &App) -> Result<usize, StoreError> {
    let claimed = token_escrow::claim_due(app.pools.critical(), app.clock.shared_now()).await?;
    let count = claimed.len();
    futures_util::future::join_all(claimed.into_iter().map(|claimed| settle_one(app, claimed))).await;
    Ok(count)
}

async fn settle_one(app: &App, claimed: token_escrow::Claimed) {
    let attempt = match login_attempt::find_kept(app.pools.engine(), &claimed.state_digest).await {
        Ok(Some(attempt)) => attempt,
        Ok(None) => {
            tracing::error!("an escrow has no attempt that waits for it");
            return;
        }
        Err(error) => {
            tracing::warn!(error = chain(&error), "an escrow is not settled yet");
            return;
        }
    };
    match escrow::open(app, &claimed.state_digest, &claimed.grant_sealed) {
        Ok(grant) => drop(settle::settle_kept(app, &attempt, &grant, claimed.try_number, claimed.created_at).await),
        // Nothing is deleted: the key may come back (security.md R-22).
        Err(error) => {
            tracing::error!(error = chain(&error), request.id = %attempt.request_id, "an escrow does not open");
        }
    }
}

/// Attempts whose program died before it could keep the answer.
pub(crate) async fn report_lost(app: &App) -> Result<(), StoreError> {
    let lost =
        login_attempt::update_lost(app.pools.engine(), &Failure::SignInLost.landing(), app.clock.shared_now()).await?;
    if lost > 0 {
        metrics::counter!("attempts_total", "outcome" => Failure::SignInLost.slug()).increment(lost);
        tracing::error!(count = lost, "attempts were lost between exchange and escrow");
    }
    Ok(())
}

/// Sweeps attempts, codes and sessions that have ended, in small batches.
pub(crate) async fn sweep(app: &App) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    login_attempt::delete_old(app.pools.engine(), now).await?;
    imported_code::delete_old(app.pools.engine(), now).await?;
    browser_session::delete_ended(app.pools.engine(), now).await?;
    Ok(())
}
