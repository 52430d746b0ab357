//! What was done, as back ends read it.

use chrono::SecondsFormat;
use serde::Serialize;
use utoipa::ToSchema;

use super::Tenant;
use crate::store::audit_event::listed;

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuditEventList {
    pub(crate) audit_events: Vec<AuditEvent>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required, example = json!(null))]
    pub(crate) next: Option<String>,
}

/// One thing that was done or refused. Nobody can change or delete it before its time is up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuditEvent {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000e1")]
    id: String,
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.123Z")]
    at: String,
    /// Null where no tenant is concerned.
    #[schema(required)]
    tenant: Option<Tenant>,
    /// Null where no connection is concerned. One that was given up for another may be gone.
    #[schema(required, format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-000000000001")]
    connection_id: Option<String>,
    actor: Actor,
    /// What was done: more kinds may come.
    #[schema(example = "token_refused")]
    action: String,
    /// `done` or another word for it (`works`, `yes`, `already`), or why not: more kinds may come.
    #[schema(example = "refused")]
    outcome: String,
    /// Address of whoever asked; null for our own work.
    #[schema(required, example = "203.0.113.7")]
    peer: Option<String>,
    /// As logs and failure pages quote it; null for our own work.
    #[schema(required, format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41")]
    request_id: Option<String>,
    /// What else is to be known: ids, and words of ours.
    #[schema(required, example = "needs-reconnect")]
    detail: Option<String>,
}

/// Whoever did it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Actor {
    /// `person`, `operator`, `api_key`, `command`, `engine` (this program, unasked) or `visitor` (nobody we know).
    #[schema(example = "api_key")]
    kind: String,
    /// Our id of the person, or the key's.
    #[schema(required, example = "k7Qm2xPa")]
    id: Option<String>,
    /// A person's or a key's, where the key may know it.
    #[schema(required, example = "Nightly export")]
    name: Option<String>,
}

impl From<listed::Listed> for AuditEvent {
    fn from(event: listed::Listed) -> Self {
        Self {
            id: event.audit_event_id.to_string(),
            at: event.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            tenant: event.tenant.map(|tenant| Tenant {
                id: tenant.tenant_id.to_string(),
                external_id: tenant.external_id,
                name: tenant.name,
            }),
            connection_id: event.connection.map(|connection| connection.connection_id.to_string()),
            actor: Actor { kind: event.actor.kind, id: event.actor.id, name: event.actor.name },
            action: event.action,
            outcome: event.outcome,
            peer: event.peer,
            request_id: event.request_id.map(|id| id.to_string()),
            detail: event.detail,
        }
    }
}
