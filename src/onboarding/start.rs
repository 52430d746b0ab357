//! Starting: the link becomes this browser's.

use super::By;
use crate::{
    app::App,
    domain::digest::Digest,
    store::{
        StoreError, audit_event,
        onboarding_link::{self, OnboardingLink},
    },
};

/// Binds a link to the browser. False: it has ended meanwhile, or another browser was faster.
pub(crate) async fn start(app: &App, link: &OnboardingLink, browser: &Digest, by: &By) -> Result<bool, StoreError> {
    let now = app.clock.shared_now();
    let id = link.onboarding_link_id;
    let mut tx = app.pools.begin_as_engine().await?;
    if !onboarding_link::update_started(&mut *tx, id, browser, now).await? {
        return Ok(false);
    }
    if link.browser_digest.is_none() {
        audit_event::insert(&mut *tx, &by.event("onboarding_started", "done", (link.tenant_id, id)), now).await?;
    }
    tx.commit().await?;
    Ok(true)
}
