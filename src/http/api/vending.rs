//! What the access-token calls and the proxy have in common: how a refused vend is told, and that it is
//! on record (security.md S-55, S-70).

use std::time::Duration;

use actix_web::HttpRequest;

use super::backend::Backend;
use crate::{
    app::App,
    domain::ids::{ConnectionId, TenantId},
    http::{
        caller::{peer, request_id},
        problem::Problem,
        site::problem_types::ProblemType,
    },
    store::audit_event::{Actor, AuditEvent},
    vault::{
        access_token::VendError,
        usage::{Full, Outcome},
    },
};

/// Counts a call that got what it wanted. Nobody is served unaccounted for.
pub(crate) fn count<G>(
    app: &App,
    backend: &Backend<G>,
    connection: (TenantId, ConnectionId),
    outcome: Outcome,
) -> Result<(), Problem> {
    app.usage
        .note(&backend.api_key_id, connection, outcome, app.clock.shared_now())
        .map_err(|Full| Problem::unavailable())
}

/// Puts a refusal on record and tells it.
pub(crate) fn refuse<G>(
    app: &App,
    backend: &Backend<G>,
    request: &HttpRequest,
    connection_id: ConnectionId,
    error: VendError,
) -> Problem {
    let problem = explain(app, connection_id, error);
    let event = AuditEvent {
        actor: Actor::ApiKey(backend.api_key_id.clone()),
        action: "token_refused",
        outcome: "refused",
        tenant_id: backend.tenant_id,
        // Whose it is nobody has looked up, where it is not the key's.
        connection_id: Some(connection_id).filter(|_| error != VendError::NotFound),
        peer: Some(peer(app, request)),
        request_id: Some(request_id(request)),
        detail: problem.problem_type().map(|problem| problem.slug().to_owned()),
    };
    match app.usage.note_refusal(event, app.clock.shared_now()) {
        Ok(()) => problem,
        Err(Full) => Problem::unavailable(),
    }
}

fn explain(app: &App, connection_id: ConnectionId, error: VendError) -> Problem {
    let later = |problem, wait: Duration| Problem::Explained { problem, retry_after: Some(wait) };
    match error {
        VendError::NotFound => Problem::NOT_FOUND,
        VendError::Choosing => Problem::explained(ProblemType::ChoosingOrganization),
        VendError::NeedsReconnect(reason) => Problem::NeedsReconnect {
            reason,
            reconnect_url: format!("{}/connections/{connection_id}", app.config.public_url.origin()),
        },
        VendError::Disconnected => Problem::explained(ProblemType::Disconnected),
        VendError::Throttled { retry_after } => later(ProblemType::ZohoThrottled, retry_after),
        VendError::Unavailable { retry_after } => later(ProblemType::ZohoUnavailable, retry_after),
        VendError::Misconfigured { retry_after } => later(ProblemType::ZohoMisconfigured, retry_after),
        VendError::Misbehaved => Problem::explained(ProblemType::ZohoMisbehaved),
        VendError::Unreadable | VendError::Busy => Problem::unavailable(),
    }
}
