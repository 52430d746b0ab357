//! The body of a webhook: `{"type","timestamp","data"}`, where `data` of what happened to a connection is
//! the connection as the API tells it, at that moment, and whatever the event adds. Never a token.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use crate::{
    domain::{connection::Status, webhook::EventType},
    store::connection::listed::ListedConnection,
};

/// The whole body. The type comes first, for those who read it in a log.
pub(super) fn body(event_type: EventType, data: &Value, now: DateTime<Utc>) -> String {
    let timestamp = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    // Written by hand, because a map would sort its members.
    format!(r#"{{"type":{},"timestamp":{},"data":{data}}}"#, json!(event_type.key()), json!(timestamp))
}

/// The members of the API's `Connection`, with `more` after them.
pub(super) fn of_connection(connection: &ListedConnection, more: Map<String, Value>) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let reason = match connection.status {
        Status::NeedsReconnect(reason) => Some(reason.key()),
        Status::Choosing | Status::Active | Status::Disconnected => None,
    };
    let person = connection.person.as_ref().map(|person| {
        json!({
            "id": person.person_id, "zuid": person.zuid, "display_name": person.display_name, "email": person.email,
        })
    });
    let organization = connection.organization.as_ref().map(|organization| {
        json!({
            "id": organization.zoho_id.as_str(), "name": organization.name, "environment": organization.environment.key(),
        })
    });
    let mut data = json!({
        "id": connection.connection_id,
        "tenant": {
            "id": connection.tenant_id, "external_id": connection.tenant_external_id, "name": connection.tenant_name,
        },
        "person": person,
        "organization": organization,
        "product": connection.product.key(),
        "data_centre": connection.data_centre.key(),
        "status": connection.status.key(),
        "status_reason": reason,
        "scopes_requested": connection.scopes_requested,
        "scopes_granted": connection.scopes_granted,
        "connected_at": time(connection.connected_at),
        "last_refreshed_at": connection.last_refreshed_at.map(time),
        "last_used_at": connection.last_used_at.map(time),
        "health": connection.health.key(),
    });
    if let Value::Object(members) = &mut data {
        members.extend(more);
    }
    data
}
