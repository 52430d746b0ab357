//! Step 7: what Zoho handed out, sealed and committed before anything else is asked of it.

use std::time::Duration;

use crate::{
    app::App,
    domain::digest::Digest,
    store::{StoreError, token_escrow},
    telemetry::chain,
    vault::{
        grant::{self, KeptGrant},
        seal::OpenError,
    },
};

/// How long the task that holds a grant keeps trying to commit it (security.md R-2).
const PERSEVERANCE: Duration = Duration::from_secs(60);

/// Commits a grant, trying for a minute: nothing slower comes between Zoho's answer and this.
pub(super) async fn keep(app: &App, state: &Digest, grant: &KeptGrant) -> Result<(), StoreError> {
    let sealed = app.keys.seal(&grant::escrow_place(state), &grant.to_json());
    let until = tokio::time::Instant::now() + PERSEVERANCE;
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match token_escrow::insert(app.pools.critical(), state, &sealed, app.clock.shared_now()).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if tokio::time::Instant::now() + pause > until {
            return Err(error);
        }
        tracing::warn!(error = chain(&error), "could not keep a grant yet; trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// Reads a grant that was kept.
pub(super) fn open(app: &App, state: &Digest, sealed: &[u8]) -> Result<KeptGrant, OpenError> {
    let json = app.keys.open(&grant::escrow_place(state), sealed)?;
    KeptGrant::from_json(&json).ok_or(OpenError::Foreign)
}
