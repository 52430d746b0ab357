//! People, organizations and clients, added, changed and removed.

use serde_json::{Value, json};

use super::{Problem, Reply};
use crate::emulator::settings::merge;
use crate::emulator::state::{Shared, State};
use crate::emulator::world::{Client, Organization, Person, PersonId};

pub(super) fn people(shared: &Shared) -> Value {
    json!({"people": shared.read().world.people})
}

/// One person, or a list.
pub(super) fn put_people(shared: &Shared, newcomers: Value) -> Reply {
    let read = if newcomers.is_array() {
        serde_json::from_value(newcomers)
    } else {
        serde_json::from_value(newcomers).map(|person| vec![person])
    };
    let cure = "send a person as GET /control/people shows them, or a list of people";
    let mut people: Vec<Person> = read.map_err(|error| Problem::bad(error.to_string(), cure))?;
    for person in &mut people {
        if person.zuid.is_empty() || person.zuid.contains([';', ' ', ',']) {
            return Err(Problem::bad(format!("zuid {:?}", person.zuid), "use digits, as Zoho does"));
        }
        if person.display_name.is_empty() {
            format!("{} {}", person.first_name, person.last_name).trim().clone_into(&mut person.display_name);
        }
    }
    let value = json!({"people": people});
    let mut state = shared.write();
    for person in people {
        state.world.people.put(person);
    }
    Ok(value)
}

fn parse(id: &str) -> Result<PersonId, Problem> {
    PersonId::parse(id)
        .ok_or_else(|| Problem::bad(format!("{id:?} is no person"), "write data-centre:ZUID, for example eu:795000000"))
}

fn nobody(id: &str) -> Problem {
    Problem::new(404, format!("there is no {id}"), "GET /control/people lists everybody")
}

pub(super) fn remove_person(shared: &Shared, id: &str) -> Reply {
    let wanted = parse(id)?;
    if shared.write().world.people.remove(&wanted) { Ok(json!({"removed": id})) } else { Err(nobody(id)) }
}

fn person_mut<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Person, Problem> {
    let wanted = parse(id)?;
    state.world.people.get_mut(&wanted).ok_or_else(|| nobody(id))
}

pub(super) fn put_organization(shared: &Shared, id: &str, organization: Organization) -> Reply {
    let mut state = shared.write();
    let person = person_mut(&mut state, id)?;
    match person.organizations.iter_mut().find(|known| known.id == organization.id) {
        Some(known) => *known = organization,
        None => person.organizations.push(organization),
    }
    Ok(json!(person))
}

pub(super) fn remove_organization(shared: &Shared, id: &str, organization: &str) -> Reply {
    let mut state = shared.write();
    let person = person_mut(&mut state, id)?;
    person.organizations.retain(|known| known.id != organization);
    Ok(json!(person))
}

pub(super) fn clients(shared: &Shared) -> Value {
    json!({"clients": shared.read().world.clients})
}

pub(super) fn put_client(shared: &Shared, client: Client) -> Value {
    let value = json!(client);
    let mut state = shared.write();
    state.put_client(client, shared.clock.now());
    value
}

/// Members given replace the old ones; `secrets` are laid over the old ones, data centre by data centre.
pub(super) fn change_client(shared: &Shared, id: &str, change: Value) -> Reply {
    let mut state = shared.write();
    let known = state.world.client(id).ok_or_else(|| no_client(id))?;
    let mut value = json!(known);
    merge(&mut value, change);
    value["client_id"] = json!(id);
    if let Some(secrets) = value["secrets"].as_object_mut() {
        secrets.retain(|_, secret| !secret.is_null());
    }
    let client: Client = serde_json::from_value(value).map_err(|error| {
        Problem::bad(error.to_string(), "send redirect_uris, secrets (null removes one) or data_centres")
    })?;
    let value = json!(client);
    state.put_client(client, shared.clock.now());
    Ok(value)
}

pub(super) fn no_client(id: &str) -> Problem {
    Problem::new(404, format!("there is no client {id:?}"), "GET /control/clients lists all")
}

pub(super) fn remove_client(shared: &Shared, id: &str) -> Reply {
    let mut state = shared.write();
    let mut known = state.world.client(id).cloned().ok_or_else(|| no_client(id))?;
    known.secrets.clear();
    state.put_client(known, shared.clock.now());
    state.world.clients.retain(|client| client.id != id);
    Ok(json!({"removed": id}))
}
