//! The pages of an accounts server: sign-in, consent, and one for each mistake.

use askama::Template;

use super::asked::{Asked, Mistake, candidates};
use crate::emulator::answer::Answer;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::request::{Parameters, Request};
use crate::emulator::scopes;
use crate::emulator::settings::OrganizationChoice;
use crate::emulator::state::State;
use crate::emulator::world::{Environment, Person, World};

#[derive(Template)]
#[template(path = "emulator/sign_in.html")]
struct SignInPage<'a> {
    here: DataCentre,
    query: &'a str,
    typed: &'a str,
    several: Vec<Row>,
    groups: Vec<(&'static str, Vec<Row>)>,
    in_flow: bool,
}

struct Row {
    id: String,
    name: String,
    email: String,
    place: &'static str,
    detail: String,
}

fn row(person: &Person) -> Row {
    let names: Vec<&str> = person.organizations.iter().map(|organization| organization.name.as_str()).collect();
    let detail = match names.as_slice() {
        [] => "no organization".to_owned(),
        [one] => shorten(one, 40),
        several => format!("{} organizations", several.len()),
    };
    let (name, email) = (shorten(&person.display_name, 60), person.email.clone());
    Row { id: person.id().to_string(), name, email, place: person.data_centre.title(), detail }
}

/// Long names are part of the sample world; a list need not show all of them.
fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit { text.to_owned() } else { text.chars().take(limit).chain(['…']).collect() }
}

pub(super) fn sign_in(world: &World, here: DataCentre, query: &str, typed: &str, several: &[&Person]) -> Answer {
    let reachable = DataCentre::ALL.into_iter().filter(|place| here.shares_people_with(*place));
    let groups = reachable.filter_map(|place| {
        let people: Vec<Row> = world.people.iter().filter(|person| person.data_centre == place).map(row).collect();
        (!people.is_empty()).then_some((place.title(), people))
    });
    let page = SignInPage {
        here,
        query,
        typed,
        several: several.iter().map(|person| row(person)).collect(),
        groups: groups.collect(),
        in_flow: query.contains("client_id="),
    };
    Answer::page(200, &page)
}

#[derive(Template)]
#[template(path = "emulator/consent.html")]
struct ConsentPage<'a> {
    here: DataCentre,
    query: &'a str,
    person: Row,
    client_id: &'a str,
    scopes: Vec<(String, &'a str)>,
    offline: bool,
    organizations: Vec<Choice>,
    silent: Option<Choice>,
}

struct Choice {
    id: String,
    name: String,
    environment: &'static str,
    products: String,
}

pub(super) fn consent(state: &State, asked: &Asked, person: &Person, query: &str) -> Answer {
    let found = candidates(person, &asked.scopes);
    let mut choices: Vec<Choice> = found
        .iter()
        .map(|organization| {
            let offered = organization.products.iter().filter(|(_, places)| !places.is_empty());
            let titles: Vec<&str> = offered.map(|(product, _)| scopes::product_title(product)).collect();
            Choice {
                id: organization.id.clone(),
                name: organization.name.clone(),
                environment: environment(organization.environment),
                products: titles.join(", "),
            }
        })
        .collect();
    let asks = choices.len() > 1 && state.settings.organization_choice == OrganizationChoice::Consent;
    let silent = if choices.len() == 1 { choices.pop() } else { None };
    let page = ConsentPage {
        here: person.data_centre,
        query,
        person: row(person),
        client_id: &asked.client_id,
        scopes: asked.scopes.iter().map(|scope| (scopes::in_words(scope), scope.as_str())).collect(),
        offline: asked.offline,
        organizations: if asks { choices } else { Vec::new() },
        silent,
    };
    Answer::page(200, &page)
}

fn environment(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "Production",
        Environment::Sandbox => "Sandbox",
        Environment::Developer => "Developer",
    }
}

#[derive(Template)]
#[template(path = "emulator/mistake.html")]
struct MistakePage<'a> {
    here: DataCentre,
    kind: &'static str,
    code: &'static str,
    title: &'static str,
    meaning: &'static str,
    cure: &'static str,
    got: Option<(&'static str, &'a str)>,
}

/// Zoho shows these to the person and tells the client nothing: no redirect (zoho-oauth.md §4).
pub(super) fn mistake(mistake: Mistake, here: DataCentre, parameters: &Parameters) -> Answer {
    let (kind, code, title, meaning, cure, parameter) = match mistake {
        Mistake::Client => (
            "client",
            "ERROR_invalid_client",
            "Invalid Client",
            "No client with this id is registered.",
            "Compare client_id with the API console, and check that the flow starts at the data centre where the client is registered.",
            "client_id",
        ),
        Mistake::NotEnabledHere => (
            "client",
            "ERROR_invalid_client",
            "Invalid Client",
            "The client exists, but it is not switched on for the data centre of the person who signed in.",
            "In the API console open the client, then Settings, and switch this data centre on under Multi-DC.",
            "client_id",
        ),
        Mistake::ResponseType => (
            "response",
            "ERROR_invalid_response_type",
            "Invalid Response Type",
            "The request does not ask for an authorization code.",
            "Send response_type=code.",
            "response_type",
        ),
        Mistake::RedirectUri => (
            "redirect",
            "ERROR_invalid_redirect_uri",
            "Invalid Redirect Uri",
            "The redirect URI is not one of those registered for this client. They are compared exactly.",
            "Register this very address in the API console, or send the one that is registered: scheme, host, port, path and query all count.",
            "redirect_uri",
        ),
        Mistake::Scope => (
            "scope",
            "ERROR_invalid_scope",
            "Invalid OAuth Scope",
            "A scope is missing, misspelled, or of a service Zoho does not know.",
            "Write Service.module.OPERATION, separated by commas, without blanks.",
            "scope",
        ),
        Mistake::Challenge => (
            "challenge",
            "ERROR_invalid_code_challenge",
            "Invalid Code Challenge",
            "The PKCE challenge is too short, too long, or of an unknown method.",
            "Send 43 to 128 characters, with code_challenge_method S256 or plain.",
            "code_challenge_method",
        ),
    };
    let got = parameters.get(parameter).map(|value| (parameter, value));
    Answer::page(400, &MistakePage { here, kind, code, title, meaning, cure, got })
}

#[derive(Template)]
#[template(path = "emulator/notice.html")]
struct NoticePage<'a> {
    here: &'a str,
    title: &'a str,
    text: String,
}

fn notice(status: u16, here: &str, title: &str, text: String) -> Answer {
    Answer::page(status, &NoticePage { here, title, text })
}

pub(super) fn unknown_person(name: &str, here: DataCentre) -> Answer {
    let text = format!(
        "Nobody here answers to “{name}”. Use an e-mail address or data-centre:ZUID of a sample person, or add one at the control port: POST /control/people."
    );
    notice(404, here.title(), "No such person", text)
}

pub(super) fn unknown_organization(id: &str, person: &Person) -> Answer {
    let text = format!("{} has no organization “{id}” that offers what the scopes are for.", person.email);
    notice(400, person.data_centre.title(), "No such organization", text)
}

pub(super) fn too_many(person: &Person) -> Answer {
    let text =
        "Too many codes were made for this client and person. Wait, or move the clock: POST /control/clock.".to_owned();
    notice(400, person.data_centre.title(), "Access Denied", text)
}

/// What the token endpoint answers to those who do not speak its language: a page.
pub(super) fn token_page(status: u16) -> Answer {
    let text = "The token endpoint takes POST with grant_type in a form body.".to_owned();
    notice(status, "accounts server", "Error occurred", text)
}

pub(super) fn nothing_here(request: &Request, known: bool) -> Answer {
    if known {
        let text = format!("{} does not take {}.", request.path, request.method);
        return notice(405, &request.listener.to_string(), "Method not allowed", text);
    }
    notice(404, &request.listener.to_string(), "Nothing here", format!("The emulator does not know {}.", request.path))
}

pub(super) fn home(here: DataCentre) -> Answer {
    let text = format!("This is the emulated accounts server of {}. Its consent page is /oauth/v2/auth.", here.title());
    notice(200, here.title(), "Accounts server", text)
}

#[derive(Template)]
#[template(path = "emulator/device.html")]
struct DevicePage<'a> {
    here: DataCentre,
    code: &'a str,
    people: Vec<(String, String)>,
    problem: Option<&'a str>,
}

pub(super) fn device(world: &World, here: DataCentre, code: &str, problem: Option<&str>) -> Answer {
    let reachable = world.people.iter().filter(|person| here.shares_people_with(person.data_centre));
    let people =
        reachable.map(|person| (person.id().to_string(), format!("{} ({})", person.email, person.data_centre.title())));
    let status = if problem.is_some() { 400 } else { 200 };
    Answer::page(status, &DevicePage { here, code, people: people.collect(), problem })
}

pub(super) fn device_done(here: DataCentre, accepted: bool) -> Answer {
    let (title, text) = if accepted {
        ("Device connected", "Go back to the device; it will notice with its next poll.")
    } else {
        ("Device refused", "The device will be told so with its next poll.")
    };
    notice(200, here.title(), title, text.to_owned())
}
