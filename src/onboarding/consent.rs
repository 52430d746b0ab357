//! Consent came back: what was granted rests in the link, or is revoked.

use chrono::{DateTime, TimeDelta, Utc};

use super::{By, path};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::{OnboardingLinkId, PersonId},
        onboarding::{LinkState, Refusal},
        organization::{Environment, FoundOrganization},
        scope::ScopeSet,
    },
    login::Failure,
    store::{
        StoreError,
        audit_event::{self, AuditEvent},
        onboarding_link::{self, End, Named, OnboardingLink, Reconnects, Resting},
        tx::Connection,
    },
    vault::{
        deposit::{self, Matches},
        grant::{KeptGrant, resting_place},
    },
    webhooks::event::{self, Event},
};

/// What nobody confirms within this time is revoked (security.md S-5).
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// A grant, and what Zoho told about it.
#[derive(Debug)]
pub(crate) struct Consent<'a> {
    pub(crate) grant: &'a KeptGrant,
    pub(crate) person_id: PersonId,
    pub(crate) email: &'a str,
    pub(crate) data_centre: DataCentre,
    pub(crate) scopes_requested: &'a ScopeSet,
    pub(crate) organizations: &'a [FoundOrganization],
    pub(crate) environment: Option<Environment>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Received {
    /// It rests; otherwise it is the caller's to revoke.
    pub(crate) rests: bool,
    /// Where the browser goes.
    pub(crate) landing: String,
}

/// Within the transaction that settles the attempt.
pub(crate) async fn receive(
    app: &App,
    tx: &mut Connection,
    id: OnboardingLinkId,
    consent: &Consent<'_>,
    by: &By,
    now: DateTime<Utc>,
) -> Result<Received, StoreError> {
    let not_kept = Received { rests: false, landing: path(id) };
    onboarding_link::lock(&mut *tx, id).await?;
    let Some(link) = onboarding_link::find(&mut *tx, &Named::Id(id)).await? else { return Ok(not_kept) };
    // Withdrawn or expired meanwhile, or another tab was faster: its page tells.
    if link.state(now) != LinkState::Started {
        return Ok(not_kept);
    }
    let of = (link.tenant_id, id);
    if let Some(reconnects) = &link.reconnects
        && let Some(failure) = mismatch(&mut *tx, &link, reconnects, consent).await?
    {
        let told = AuditEvent {
            connection_id: Some(reconnects.connection_id),
            detail: Some(failure.slug().to_owned()),
            ..by.event("sign_in_failed", "failed", of)
        };
        audit_event::insert(&mut *tx, &told, now).await?;
        return Ok(Received { rests: false, landing: failure.landing() });
    }
    let organizations = match expected(&link, consent) {
        Ok(organizations) => organizations,
        Err(refusal) => {
            onboarding_link::update_ended(&mut *tx, id, End::Refused(refusal), now).await?;
            audit_event::insert(&mut *tx, &by.event("onboarding_refused", refusal.key(), of), now).await?;
            event::insert(&mut *tx, Event::onboarding_refused(link.tenant_id, id, refusal.key()), now).await?;
            return Ok(not_kept);
        }
    };
    let resting = Resting {
        grant_sealed: &app.keys.seal(&resting_place(link.tenant_id, id), &consent.grant.to_json()),
        person_id: consent.person_id,
        data_centre: consent.data_centre,
        scopes_requested: consent.scopes_requested,
        organizations: &organizations,
        environment: consent.environment,
        confirm_by: now + PATIENCE,
    };
    let rests = onboarding_link::update_consented(&mut *tx, id, &resting, now).await?;
    if rests {
        audit_event::insert(&mut *tx, &by.event("onboarding_consented", "done", of), now).await?;
    }
    Ok(Received { rests, ..not_kept })
}

/// A reconnect is of the same Zoho user and organization, or of nothing. The link stands: a slip of the hand should not
/// need another.
async fn mismatch(
    tx: &mut Connection,
    link: &OnboardingLink,
    reconnects: &Reconnects,
    consent: &Consent<'_>,
) -> Result<Option<Failure>, StoreError> {
    if consent.person_id != reconnects.person_id {
        return Ok(Some(Failure::WrongPerson));
    }
    let connection_id = reconnects.connection_id;
    let matches =
        deposit::matches(tx, link.tenant_id, connection_id, consent.environment, consent.organizations).await?;
    Ok((matches != Matches::SameOrganization).then_some(Failure::OrganizationMismatch))
}

/// The organizations that may be connected, if the person is whom the link was made for.
fn expected(link: &OnboardingLink, consent: &Consent<'_>) -> Result<Vec<FoundOrganization>, Refusal> {
    if link.expected_email_domain.as_ref().is_some_and(|domain| !domain.is_of(consent.email)) {
        return Err(Refusal::EmailDomain);
    }
    if let Some(reconnects) = &link.reconnects {
        return Ok(vec![reconnects.organization.clone()]);
    }
    let found = consent.organizations.to_vec();
    // Where Zoho lists none, the person will say: it is compared then.
    let Some(only) = link.expected_organization.as_ref().filter(|_| !found.is_empty()) else { return Ok(found) };
    let expected: Vec<_> = found.into_iter().filter(|organization| organization.id == *only).collect();
    if expected.is_empty() { Err(Refusal::Organization) } else { Ok(expected) }
}
