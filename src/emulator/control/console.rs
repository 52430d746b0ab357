//! Pages for people: what runs where, and the API console with its clients and the codes of self clients.

use askama::Template;

use crate::emulator::accounts::candidates;
use crate::emulator::answer::Answer;
use crate::emulator::clock::Millis;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::{CodeRequest, Grant, opaque};
use crate::emulator::request::{Parameters, Request};
use crate::emulator::scopes;
use crate::emulator::state::{Shared, State};
use crate::emulator::world::{Environment, Person};

#[derive(Template)]
#[template(path = "emulator/home.html")]
struct HomePage {
    servers: Vec<Server>,
    people: Vec<(String, String, String, usize)>,
}

struct Server {
    title: &'static str,
    key: &'static str,
    accounts: String,
    api: String,
}

pub(super) fn home(shared: &Shared) -> Answer {
    let server = |place: DataCentre| Server {
        title: place.title(),
        key: place.key(),
        accounts: shared.addresses.accounts(place),
        api: shared.addresses.api(place),
    };
    let state = shared.read();
    let person = |person: &Person| {
        (person.id().to_string(), person.email.clone(), person.display_name.clone(), person.organizations.len())
    };
    let page = HomePage {
        servers: DataCentre::ALL.map(server).into(),
        people: state.world.people.iter().map(person).collect(),
    };
    Answer::page(200, &page)
}

#[derive(Template)]
#[template(path = "emulator/console.html")]
struct ConsolePage {
    clients: Vec<ClientCard>,
    people: Vec<(String, String)>,
    person: String,
    client_id: String,
    scope: String,
    minutes: u32,
    organizations: Vec<(String, String, &'static str)>,
    asks: bool,
    made: Option<Made>,
    error: Option<String>,
}

struct ClientCard {
    id: String,
    redirect_uris: String,
    rows: Vec<Switch>,
}

struct Switch {
    key: &'static str,
    title: &'static str,
    on: bool,
    secret: String,
}

struct Made {
    code: String,
    minutes: Millis,
    accounts: String,
}

pub(super) fn show(shared: &Shared, request: &Request) -> Answer {
    let parameters = request.parameters();
    let state = shared.read();
    let number: Option<u64> = parameters.get("made").and_then(|text| text.parse().ok());
    let code = number.and_then(|number| state.ledger.codes().find(|code| code.serial == number));
    let made = code.map(|code| Made {
        code: code.value.clone(),
        minutes: (code.expires - code.created) / 60_000,
        accounts: shared.addresses.accounts(code.grant.data_centre()),
    });
    page(&state, &parameters, made, None)
}

fn page(state: &State, asked: &Parameters, made: Option<Made>, error: Option<String>) -> Answer {
    let text = |name: &str| asked.get(name).unwrap_or_default().to_owned();
    let clients: Vec<ClientCard> = state
        .world
        .clients
        .iter()
        .map(|client| ClientCard {
            id: client.id.clone(),
            redirect_uris: client.redirect_uris.join("\n"),
            rows: DataCentre::ALL
                .map(|place| Switch {
                    key: place.key(),
                    title: place.title(),
                    on: client.is_on(place),
                    secret: client.secret(place).unwrap_or_default().to_owned(),
                })
                .into(),
        })
        .collect();
    let person = find(state, &text("person"));
    let scopes = scopes::parse(&text("scope"));
    let organizations = match (person, &scopes) {
        (Some(person), Some(scopes)) => candidates(person, scopes)
            .into_iter()
            .map(|organization| (organization.id.clone(), organization.name.clone(), organization.environment.key()))
            .collect(),
        _ => Vec::new(),
    };
    let status = if error.is_some() { 400 } else { 200 };
    let page = ConsolePage {
        clients,
        people: state
            .world
            .people
            .iter()
            .map(|person| (person.id().to_string(), format!("{} ({})", person.email, person.data_centre.title())))
            .collect(),
        person: text("person"),
        client_id: text("client_id"),
        scope: text("scope"),
        minutes: text("minutes").parse().unwrap_or(3),
        asks: made.is_none() && error.is_none() && person.is_some() && scopes.is_some(),
        organizations,
        made,
        error,
    };
    Answer::page(status, &page)
}

fn find<'a>(state: &'a State, name: &str) -> Option<&'a Person> {
    state.world.people.iter().find(|person| person.id().to_string() == name)
}

/// A self client's code. Unlike the consent page, the console always asks for the organization.
pub(super) fn make_code(shared: &Shared, request: &Request) -> Answer {
    let form = request.form();
    let mut guard = shared.write();
    let state = &mut *guard;
    let (grant, minutes) = match self_grant(state, &form) {
        Ok(granted) => granted,
        Err(error) => return page(state, &form, None, Some(error)),
    };
    let life = Millis::from(minutes) * 60_000;
    let asked = CodeRequest { grant, redirect_uri: None, challenge: None, offline: true, mints: true, life };
    match state.ledger.issue_code(asked, &state.settings.limits, shared.clock.now()) {
        Ok(code) => {
            let number = state.ledger.codes().find(|known| known.value == code).map_or(0, |known| known.serial);
            Answer::see_other(&format!("/console?made={number}"))
        }
        Err(_) => page(state, &form, None, Some("Too many codes were made for this client and person.".to_owned())),
    }
}

fn self_grant(state: &State, form: &Parameters) -> Result<(Grant, u32), String> {
    let client_id = form.get("client_id").unwrap_or_default();
    let client = state.world.client(client_id).ok_or("Choose a client.")?;
    let person = find(state, form.get("person").unwrap_or_default()).ok_or("Choose the account the code is for.")?;
    let scopes = form
        .get("scope")
        .and_then(scopes::parse)
        .ok_or("Enter a valid scope: Service.module.OPERATION, separated by commas.")?;
    let minutes = form.get("minutes").and_then(|text| text.parse().ok()).filter(|minutes| (1..=10).contains(minutes));
    let minutes = minutes.ok_or("A code lives 1 to 10 minutes.")?;
    let found = candidates(person, &scopes);
    let id = form.get("organization").unwrap_or_default();
    let chosen = found.iter().find(|organization| organization.id == id);
    if chosen.is_none() && !found.is_empty() {
        return Err("Choose an organization.".to_owned());
    }
    let grant = Grant {
        client_id: client.id.clone(),
        person: person.id(),
        organization: chosen.map(|organization| organization.id.clone()),
        environment: chosen.map_or(Environment::Production, |organization| organization.environment),
        scopes,
    };
    Ok((grant, minutes))
}

/// The client's settings: redirect URIs, Multi-DC switches, a new secret for a data centre.
pub(super) fn change_client(shared: &Shared, request: &Request) -> Answer {
    let form = request.form();
    let mut guard = shared.write();
    let state = &mut *guard;
    let Some(mut client) = form.get("client_id").and_then(|id| state.world.client(id)).cloned() else {
        return page(state, &Parameters::default(), None, Some("There is no such client.".to_owned()));
    };
    client.redirect_uris =
        form.get("redirect_uris").unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect();
    let on = form.iter().filter(|(name, _)| name == "on").filter_map(|(_, key)| DataCentre::from_key(key));
    client.data_centres = on.collect();
    if let Some(place) = form.get("new_secret").and_then(DataCentre::from_key) {
        let fresh: String = opaque().chars().filter(char::is_ascii_hexdigit).take(42).collect();
        client.secrets.insert(place.key().to_owned(), fresh);
    }
    state.put_client(client, shared.clock.now());
    Answer::see_other("/console")
}
