//! A test call: does the connection work, here and now?
//!
//! 1. An access token, as a back end would get it.
//! 2. The product's most harmless call, which lists the organizations of the token: the connection's
//!    must be among them. Where the product has none, or the right to it was not granted, the profile.
//! 3. A token that the product refuses is replaced once; a fresh one that is refused, too, is the answer.
//!
//! What came of it stands in the connection's history.

use std::sync::Arc;

use chrono::TimeDelta;

use super::access_token::{VendError, Vended, Wanted, vend};
use crate::{
    app::App,
    domain::{
        ids::{ConnectionId, PersonId, RequestId, TenantId},
        product::PROFILE_SCOPE,
        test_outcome::TestOutcome,
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
    },
    zoho::{CallError, Refusal},
};

/// Long enough for the call itself.
const MINIMUM: TimeDelta = TimeDelta::seconds(60);

/// Which connection, and who asks.
#[derive(Debug, Clone)]
pub(crate) struct TestCall {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) person_id: PersonId,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    #[error("the connection is not in use")]
    NotInUse,
    #[error("a refresh under way did not come to an end in time")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) async fn test_call(app: &Arc<App>, test: TestCall) -> Result<TestOutcome, TestError> {
    let outcome = match attempt(app, &test).await {
        Ok(outcome) => outcome,
        Err(error) => outcome_of(error)?,
    };
    let event = AuditEvent {
        actor: Actor::Person(test.person_id),
        action: "tested",
        outcome: outcome.key(),
        tenant_id: Some(test.tenant_id),
        connection_id: Some(test.connection_id),
        peer: Some(test.peer),
        request_id: Some(test.request_id),
        detail: None,
    };
    audit_event::insert(app.pools.engine(), &event, app.clock.shared_now()).await?;
    Ok(outcome)
}

fn outcome_of(error: VendError) -> Result<TestOutcome, TestError> {
    Ok(match error {
        VendError::NotFound | VendError::Suspended | VendError::Choosing | VendError::Disconnected => {
            return Err(TestError::NotInUse);
        }
        VendError::Busy => return Err(TestError::Busy),
        VendError::NeedsReconnect(_) => TestOutcome::NeedsReconnect,
        VendError::Throttled { .. } => TestOutcome::Throttled,
        VendError::Unavailable { .. } => TestOutcome::Unreachable,
        VendError::Misconfigured { .. } => TestOutcome::Misconfigured,
        VendError::Misbehaved => TestOutcome::Misbehaved,
        VendError::Unreadable => TestOutcome::Unreadable,
    })
}

async fn attempt(app: &Arc<App>, test: &TestCall) -> Result<TestOutcome, VendError> {
    let wanted = |rejected| Wanted {
        connection_id: test.connection_id,
        tenant_id: Some(test.tenant_id),
        minimum: MINIMUM,
        rejected,
    };
    let vended = vend(app, &wanted(None)).await?;
    let outcome = call(app, &vended).await;
    if outcome != TestOutcome::TokenRefused {
        return Ok(outcome);
    }
    let vended = vend(app, &wanted(Some(vended.token_id))).await?;
    Ok(call(app, &vended).await)
}

async fn call(app: &App, vended: &Vended) -> TestOutcome {
    let Some(hosts) = app.config.zoho.servers.hosts(vended.data_centre) else { return TestOutcome::Misconfigured };
    let granted = |scope| vended.scopes_granted.covers(scope);
    let answered = if vended.product.discovery_scope().is_some_and(granted) {
        let Some(host) = hosts.product(vended.product, vended.organization.environment) else {
            return TestOutcome::Misconfigured;
        };
        let listed = app.zoho.organizations(vended.product, host, &vended.access_token).await;
        listed.map(|found| found.iter().any(|organization| organization.id == vended.organization.zoho_id))
    } else if granted(PROFILE_SCOPE) {
        app.zoho.profile(&hosts.accounts, &vended.access_token).await.map(|_| true)
    } else {
        return TestOutcome::NothingToTry;
    };
    match answered {
        Ok(true) => TestOutcome::Works,
        Ok(false) => TestOutcome::AnotherOrganization,
        Err(error) => told(error),
    }
}

fn told(error: CallError) -> TestOutcome {
    match error {
        CallError::Refused(Refusal::Token) => TestOutcome::TokenRefused,
        CallError::Refused(Refusal::Scope) => TestOutcome::ScopeMissing,
        CallError::Refused(Refusal::Organization) | CallError::Unusable(_) => TestOutcome::AnotherOrganization,
        CallError::Refused(Refusal::Permission) => TestOutcome::NotPermitted,
        CallError::Throttled { .. } => TestOutcome::Throttled,
        CallError::Unavailable => TestOutcome::Unreachable,
        CallError::Misbehaved(_) | CallError::Redirected => TestOutcome::Misbehaved,
    }
}
