//! A code without a browser, for load tests: consent as if the person had clicked.

use serde::Deserialize;
use serde_json::json;

use super::{Problem, Reply, world::no_client};
use crate::emulator::accounts::{callback_url, candidates};
use crate::emulator::clock::Millis;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::{Challenge, ChallengeMethod, CodeRequest, Grant};
use crate::emulator::scopes;
use crate::emulator::state::Shared;
use crate::emulator::world::{Environment, World};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    person: String,
    /// Left out: the only or first one with a product of the scopes; `"all"`: bound to none.
    organization: Option<String>,
    /// Left out: the first client.
    client_id: Option<String>,
    scope: String,
    /// Left out: a self client's code.
    redirect_uri: Option<String>,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    #[serde(default = "offline")]
    access_type: String,
    life_seconds: Option<u32>,
}

fn offline() -> String {
    "offline".to_owned()
}

pub(super) fn approve(shared: &Shared, asked: Approval) -> Reply {
    let mut guard = shared.write();
    let state = &mut *guard;
    let grant = grant(&state.world, &asked)?;
    let challenge = asked.code_challenge.map(|value| {
        let plain = asked.code_challenge_method.as_deref() == Some("plain");
        Challenge { method: if plain { ChallengeMethod::Plain } else { ChallengeMethod::S256 }, value }
    });
    let offline = asked.access_type == "offline";
    let data_centre = grant.data_centre();
    let (organization, environment) = (grant.organization.clone(), grant.environment);
    let life = Millis::from(asked.life_seconds.unwrap_or(state.settings.limits.code_seconds)) * 1000;
    let request =
        CodeRequest { grant, redirect_uri: asked.redirect_uri.clone(), challenge, offline, mints: offline, life };
    let code = state
        .ledger
        .issue_code(request, &state.settings.limits, shared.clock.now())
        .map_err(|_| Problem::new(429, "codes_per_10_minutes is reached", "raise the limit, or advance the clock"))?;
    let accounts = shared.addresses.accounts(data_centre);
    let callback = asked
        .redirect_uri
        .map(|uri| callback_url(&state.settings, &uri, &code, asked.state.as_deref(), (data_centre, &accounts)));
    Ok(json!({
        "code": code, "callback": callback, "data_centre": data_centre, "accounts": accounts,
        "organization": organization, "environment": environment,
    }))
}

fn grant(world: &World, asked: &Approval) -> Result<Grant, Problem> {
    let client = match &asked.client_id {
        Some(id) => world.client(id).ok_or_else(|| no_client(id))?,
        None => world.clients.first().ok_or_else(|| no_client(""))?,
    };
    let person = [DataCentre::Us, DataCentre::Cn].iter().find_map(|here| world.find(&asked.person, *here));
    let person = person.ok_or_else(|| {
        Problem::new(404, format!("nobody is called {:?}", asked.person), "GET /control/people lists everybody")
    })?;
    let scopes = scopes::parse(&asked.scope).ok_or_else(|| {
        Problem::bad(format!("scope {:?}", asked.scope), "write Service.module.OPERATION, separated by commas")
    })?;
    let organization = match asked.organization.as_deref() {
        Some("all") => None,
        Some(id) => Some(person.organization(id).ok_or_else(|| {
            Problem::bad(
                format!("{} has no organization {id:?}", asked.person),
                "GET /control/people lists organizations",
            )
        })?),
        None => candidates(person, &scopes).first().copied(),
    };
    Ok(Grant {
        client_id: client.id.clone(),
        person: person.id(),
        organization: organization.map(|organization| organization.id.clone()),
        environment: organization.map_or(Environment::Production, |organization| organization.environment),
        scopes,
    })
}
