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
    store::{
        audit_event::{Actor, AuditEvent},
        connection,
    },
    telemetry::chain,
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
pub(crate) async fn refuse<G>(
    app: &App,
    backend: &Backend<G>,
    request: &HttpRequest,
    connection_id: ConnectionId,
    error: VendError,
) -> Problem {
    // Whose it is nobody has looked up, where it is not the key's.
    let known = Some(connection_id).filter(|_| error != VendError::NotFound);
    let tenant_id = match (backend.tenant_id, known) {
        (None, Some(connection_id)) => tenant_of(app, connection_id).await,
        (tenant_id, _) => tenant_id,
    };
    put_on_record(app, backend, request, (tenant_id, known), explain(app, connection_id, error))
}

/// The same where the caller's own ids do not lead to one connection.
pub(crate) fn refuse_search<G>(
    app: &App,
    backend: &Backend<G>,
    request: &HttpRequest,
    tenant_id: Option<TenantId>,
    problem: Problem,
) -> Problem {
    put_on_record(app, backend, request, (tenant_id, None), problem)
}

fn put_on_record<G>(
    app: &App,
    backend: &Backend<G>,
    request: &HttpRequest,
    (tenant_id, connection_id): (Option<TenantId>, Option<ConnectionId>),
    problem: Problem,
) -> Problem {
    let event = AuditEvent {
        actor: Actor::ApiKey(backend.api_key_id.clone()),
        action: "token_refused",
        outcome: "refused",
        tenant_id,
        connection_id,
        peer: Some(peer(app, request)),
        request_id: Some(request_id(request)),
        detail: problem.problem_type().map(|problem| problem.slug().to_owned()),
    };
    match app.usage.note_refusal(event, app.clock.shared_now()) {
        Ok(()) => problem,
        Err(Full) => Problem::unavailable(),
    }
}

/// A database that is away must not hide why there is no token.
async fn tenant_of(app: &App, connection_id: ConnectionId) -> Option<TenantId> {
    connection::tenant_of::find(app.pools.engine(), connection_id).await.unwrap_or_else(|error| {
        tracing::warn!(connection.id = %connection_id, error = chain(&error), "a refusal is on record without its tenant");
        None
    })
}

fn explain(app: &App, connection_id: ConnectionId, error: VendError) -> Problem {
    let later = |problem, wait: Duration| Problem::Explained { problem, retry_after: Some(wait) };
    match error {
        VendError::NotFound => Problem::NOT_FOUND,
        VendError::Suspended => Problem::Suspended,
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
