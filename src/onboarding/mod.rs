//! Onboarding: an invitation to connect a Zoho organization to a tenant (security.md S-46).
//!
//! 1. **Make** (`links`): by an administrator or a back end; the token in the address is kept as a
//!    digest. Opening the address changes nothing, for mail scanners open it too.
//! 2. **Start** (`start`): by POST, from a page that names the tenant. The link now belongs to this
//!    browser, and to no other.
//! 3. **Consent** (`consent`): steps 1 to 9 of `login`. There is no connection yet: the grant rests,
//!    sealed, in the link. What was expected of the person is judged here.
//! 4. **Confirm** (`confirm`): the browser shows who and what is about to be connected, and the person
//!    says so once more by POST. One transaction makes connection, membership and session, and ends
//!    the link.
//! 5. **End otherwise** (`end`): refused, withdrawn, or expired: after 24 hours without a word what
//!    rests is revoked at Zoho.
//!
//! Every change locks the link's row first; whoever comes second finds it ended.

pub(crate) mod confirm;
pub(crate) mod consent;
pub(crate) mod end;
pub(crate) mod links;
pub(crate) mod start;

use crate::{
    domain::ids::{OnboardingLinkId, RequestId, TenantId},
    store::audit_event::{Actor, AuditEvent},
};

/// Who does something to a link.
#[derive(Debug, Clone)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) peer: Option<String>,
}

impl By {
    /// This program, unasked.
    pub(crate) const fn engine() -> Self {
        Self { actor: Actor::Engine, request_id: None, peer: None }
    }

    fn event(&self, action: &'static str, outcome: &'static str, link: (TenantId, OnboardingLinkId)) -> AuditEvent {
        let (tenant_id, id) = link;
        AuditEvent {
            actor: self.actor.clone(),
            action,
            outcome,
            tenant_id: Some(tenant_id),
            connection_id: None,
            peer: self.peer.clone(),
            request_id: self.request_id,
            detail: Some(id.to_string()),
        }
    }
}

/// The page of a link for the browser that started it. It names the link by its id, so that the token
/// stands in no row and no log.
pub(crate) fn path(id: OnboardingLinkId) -> String {
    format!("/onboarding/{id}")
}
