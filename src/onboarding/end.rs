//! Ends without a connection: what rested is revoked at Zoho.

use chrono::{DateTime, TimeDelta, Utc};

use super::By;
use crate::{
    app::App,
    domain::{
        digest::Digest,
        ids::{OnboardingLinkId, RevocationId, TenantId},
        onboarding::{LinkState, Refusal},
    },
    store::{
        StoreError, audit_event,
        onboarding_link::{self, End, Named, OnboardingLink},
        revocation::{self, NewRevocation, Reason},
        tx::Connection,
    },
    vault::{
        grant::{KeptGrant, resting_place},
        seal::Place,
    },
    webhooks::event::{self, Event},
};

/// What does not open is looked at again after this long: its key may come back.
const LATER: TimeDelta = TimeDelta::minutes(10);

/// The person said no to what they saw. False: the link has ended, or is another browser's.
pub(crate) async fn refuse(app: &App, id: OnboardingLinkId, browser: &Digest, by: &By) -> Result<bool, StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    onboarding_link::lock(&mut *tx, id).await?;
    let link = onboarding_link::find(&mut *tx, &Named::Id(id)).await?;
    let Some(link) = link.filter(|link| link.state(now) == LinkState::Consented && link.is_of(browser)) else {
        return Ok(false);
    };
    end(app, &mut tx, &link, End::Refused(Refusal::Person), now).await?;
    let of = (link.tenant_id, id);
    audit_event::insert(&mut *tx, &by.event("onboarding_refused", Refusal::Person.key(), of), now).await?;
    event::insert(&mut tx, Event::onboarding_refused(link.tenant_id, id, Refusal::Person.key()), now).await?;
    tx.commit().await?;
    app.wake_revocations.notify_one();
    Ok(true)
}

/// The tenant takes its invitation back. What has ended stays as it is; false: there is no such link of
/// the tenant's.
pub(crate) async fn withdraw(
    app: &App,
    tenant_id: Option<TenantId>,
    id: OnboardingLinkId,
    by: &By,
) -> Result<bool, StoreError> {
    let now = app.clock.shared_now();
    // As engine: what rests there is moved to the revocations.
    let mut tx = app.pools.begin_as_engine().await?;
    onboarding_link::lock(&mut *tx, id).await?;
    let link = onboarding_link::find(&mut *tx, &Named::Id(id)).await?;
    let Some(link) = link.filter(|link| tenant_id.is_none_or(|own| own == link.tenant_id)) else { return Ok(false) };
    if !link.state(now).is_open() {
        return Ok(true);
    }
    end(app, &mut tx, &link, End::Withdrawn, now).await?;
    audit_event::insert(&mut *tx, &by.event("onboarding_withdrawn", "done", (link.tenant_id, id)), now).await?;
    tx.commit().await?;
    app.wake_revocations.notify_one();
    Ok(true)
}

/// Ends the links whose time is up, one after the other. Tells how many there were.
pub(crate) async fn expire_due(app: &App) -> Result<usize, StoreError> {
    let mut ended = 0;
    while expire_one(app).await? {
        ended += 1;
    }
    if ended > 0 {
        app.wake_revocations.notify_one();
    }
    Ok(ended)
}

async fn expire_one(app: &App) -> Result<bool, StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    let Some(id) = onboarding_link::find_due(&mut *tx, now).await? else { return Ok(false) };
    let link = onboarding_link::find(&mut *tx, &Named::Id(id)).await?;
    let link = link.ok_or(StoreError::Inconsistent("onboarding_link.due_at"))?;
    match end(app, &mut tx, &link, End::Expired, now).await {
        Ok(()) => {
            let event = By::engine().event("onboarding_expired", "done", (link.tenant_id, id));
            audit_event::insert(&mut *tx, &event, now).await?;
        }
        Err(StoreError::Inconsistent(_)) => {
            tracing::error!(onboarding_link.id = %id, "a grant that nobody confirmed does not open; it is not revoked yet");
            onboarding_link::update_due(&mut *tx, id, now + LATER).await?;
        }
        Err(error) => return Err(error),
    }
    tx.commit().await?;
    Ok(true)
}

/// Ends the locked link and hands over what rested to the revocations.
async fn end(
    app: &App,
    tx: &mut Connection,
    link: &OnboardingLink,
    end: End,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = link.onboarding_link_id;
    if let Some(rested) = onboarding_link::find_rested(&mut *tx, id).await? {
        let json = app.keys.open(&resting_place(link.tenant_id, id), &rested.grant_sealed);
        let grant = json.ok().and_then(|json| KeptGrant::from_json(&json));
        let grant = grant.ok_or(StoreError::Inconsistent("onboarding_link.grant_sealed"))?;
        if let Some(token) = &grant.refresh_token {
            let revocation_id = RevocationId::new();
            let place = Place::outside_tenants("revocation.token_sealed", revocation_id);
            let new = NewRevocation {
                revocation_id,
                tenant_id: Some(link.tenant_id),
                connection_id: None,
                person_id: Some(rested.person_id),
                client_id: grant.client_id.clone(),
                data_centre: rested.data_centre,
                reason: Reason::NotConnected,
                token_sealed: app.keys.seal(&place, token.expose().as_bytes()),
                sealed_as: place.as_text().to_owned(),
                granted_at: rested.consented_at,
                due_at: now,
            };
            revocation::insert(&mut *tx, &new, now).await?;
        }
    }
    onboarding_link::update_ended(&mut *tx, id, end, now).await?;
    Ok(())
}
