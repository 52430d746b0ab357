//! Making a link.

use chrono::{DateTime, TimeDelta, Utc};

use super::By;
use crate::{
    app::App,
    domain::{
        digest::digest,
        ids::{ConnectionId, OnboardingLinkId, TenantId},
        onboarding::{EmailDomain, ReturnUrl},
        organization::ZohoOrganizationId,
        product::Product,
        scope::ScopeSet,
        secret::{OnboardingToken, random_token},
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        onboarding_link::{self, Inviter, NewLink},
        tx::Tx,
    },
};

/// A link lives so long unless its maker says otherwise.
pub(crate) const USUAL_LIFE: TimeDelta = TimeDelta::days(7);
/// And no longer than this: an address in an old mail is nobody's invitation.
pub(crate) const LONGEST_LIFE: TimeDelta = TimeDelta::days(90);

/// What a link is to ask for.
#[derive(Debug)]
pub(crate) struct Make {
    pub(crate) product: Product,
    /// Beyond the product's own.
    pub(crate) scopes: ScopeSet,
    pub(crate) expected_email_domain: Option<EmailDomain>,
    pub(crate) expected_organization: Option<ZohoOrganizationId>,
    pub(crate) return_url: Option<ReturnUrl>,
    /// The connection that its own person is to reconnect.
    pub(crate) reconnects: Option<ConnectionId>,
    pub(crate) life: TimeDelta,
}

#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) onboarding_link_id: OnboardingLinkId,
    /// The address; the answer is the only place where it can be read.
    pub(crate) url: OnboardingToken,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Makes a link in a transaction that may see the tenant. `None` where one of that id exists: its form
/// was sent once more.
pub(crate) async fn make(
    app: &App,
    mut tx: Tx,
    tenant_id: TenantId,
    id: OnboardingLinkId,
    make: &Make,
    by: &By,
) -> Result<Option<Made>, StoreError> {
    let inviter = match &by.actor {
        Actor::Person(person_id) | Actor::Operator(person_id) => Inviter::Person(*person_id),
        Actor::ApiKey(api_key_id) => Inviter::ApiKey(api_key_id.clone()),
        _ => return Err(StoreError::Inconsistent("a link that nobody made")),
    };
    let now = app.clock.shared_now();
    let token = OnboardingToken::new(random_token());
    let expires_at = now + make.life;
    let new = NewLink {
        onboarding_link_id: id,
        tenant_id,
        token_digest: &digest(token.expose().as_bytes()),
        product: make.product,
        scopes: &make.scopes,
        expected_email_domain: make.expected_email_domain.as_ref(),
        expected_organization: make.expected_organization.as_ref(),
        return_url: make.return_url.as_ref(),
        reconnects: make.reconnects,
        inviter: &inviter,
        expires_at,
    };
    if !onboarding_link::insert(&mut *tx, &new, now).await? {
        return Ok(None);
    }
    let made = by.event("onboarding_link_created", "done", (tenant_id, id));
    audit_event::insert(&mut *tx, &AuditEvent { connection_id: make.reconnects, ..made }, now).await?;
    tx.commit().await?;
    let url = OnboardingToken::new(format!("{}/onboarding/{}", app.config.public_url.origin(), token.expose()));
    Ok(Some(Made { onboarding_link_id: id, url, expires_at }))
}
