//! Reading the ledger, and taking grants back as a person would.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, Reply};
use crate::emulator::clock::{Millis, rfc3339};
use crate::emulator::ledger::{End, Grant, Holder, fate};
use crate::emulator::request::Request;
use crate::emulator::state::{Shared, State};
use crate::emulator::world::PersonId;

pub(super) fn show(shared: &Shared, request: &Request) -> Value {
    let parameters = request.parameters();
    let mut entries = entries(&shared.read(), shared.clock.now());
    for name in ["kind", "state", "person", "client_id", "value", "data_centre", "organization"] {
        if let Some(wanted) = parameters.get(name) {
            entries.retain(|entry| entry[name] == wanted);
        }
    }
    json!({"entries": entries})
}

pub(super) fn summary(shared: &Shared) -> Value {
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for entry in entries(&shared.read(), shared.clock.now()) {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        *counts.entry(text("kind")).or_default().entry(text("state")).or_default() += 1;
    }
    json!(counts)
}

/// Everything, in the order of issue; client secrets first.
fn entries(state: &State, now: Millis) -> Vec<Value> {
    let mut entries = secrets(state);
    let mut issued: Vec<(u64, Value)> = Vec::new();
    for code in state.ledger.codes() {
        let mut value =
            entry("code", &code.value, &code.grant, code.created, (code.end.as_ref(), Some(code.expires)), now);
        value["redirect_uri"] = json!(code.redirect_uri);
        value["pkce"] = json!(code.challenge.is_some());
        value["self_client"] = json!(code.redirect_uri.is_none());
        value["presented"] = json!(code.presented);
        value["produced"] = json!(code.produced);
        issued.push((code.serial, value));
    }
    for token in state.ledger.refresh_tokens() {
        let mut value =
            entry("refresh_token", &token.value, &token.grant, token.created, (token.end.as_ref(), None), now);
        value["uses"] = json!(token.uses);
        value["last_used"] = json!(token.last_used.map(rfc3339));
        issued.push((token.serial, value));
    }
    for token in state.ledger.access_tokens() {
        let mut value = entry(
            "access_token",
            &token.value,
            &token.grant,
            token.created,
            (token.end.as_ref(), Some(token.expires)),
            now,
        );
        value["refresh_token"] = json!(token.refresh_token);
        issued.push((token.serial, value));
    }
    issued.sort_by_key(|(serial, _)| *serial);
    entries.extend(issued.into_iter().map(|(_, value)| value));
    entries
}

fn entry(
    kind: &str,
    value: &str,
    grant: &Grant,
    created: Millis,
    (end, expires): (Option<&End>, Option<Millis>),
    now: Millis,
) -> Value {
    let (fate, cause, ended) = fate(end, expires, now);
    json!({
        "kind": kind, "value": value, "client_id": grant.client_id, "person": grant.person.to_string(),
        "data_centre": grant.data_centre(), "organization": grant.organization, "environment": grant.environment,
        "scopes": grant.scopes, "created": rfc3339(created), "expires": expires.map(rfc3339),
        "state": fate.key(), "cause": cause, "ended": ended.map(rfc3339),
    })
}

fn secrets(state: &State) -> Vec<Value> {
    let now = state.world.clients.iter().flat_map(|client| {
        client.secrets.iter().map(|(data_centre, value)| {
            json!({"kind": "client_secret", "value": value, "client_id": client.id, "data_centre": data_centre, "state": "live", "cause": ""})
        })
    });
    let once = state.secrets.iter().map(|old| {
        json!({
            "kind": "client_secret", "value": old.value, "client_id": old.client_id, "data_centre": old.data_centre,
            "state": "revoked", "cause": "replaced in the API console", "ended": rfc3339(old.at),
        })
    });
    now.chain(once).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    person: String,
    client_id: Option<String>,
    organization: Option<String>,
}

pub(super) fn revoke(shared: &Shared, which: &Which) -> Reply {
    let mut state = shared.write();
    let people: Vec<PersonId> = match PersonId::parse(&which.person) {
        Some(id) => vec![id],
        None => state
            .world
            .people
            .iter()
            .filter(|person| person.email.eq_ignore_ascii_case(&which.person))
            .map(crate::emulator::world::Person::id)
            .collect(),
    };
    if people.is_empty() {
        return Err(Problem::new(
            404,
            format!("nobody is called {:?}", which.person),
            "GET /control/people lists everybody",
        ));
    }
    let concerned = |holder: &&Holder| {
        people.contains(&holder.person) && which.client_id.as_ref().is_none_or(|client| *client == holder.client_id)
    };
    let holders: Vec<Holder> = state.ledger.holders().filter(concerned).cloned().collect();
    let count = state.ledger.revoke_grants(&holders, which.organization.as_deref(), shared.clock.now());
    Ok(json!({"revoked": count}))
}
