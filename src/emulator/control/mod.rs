//! The control port: JSON for programs under `/control`, pages for people at `/` and `/console`.

mod approve;
mod clock;
mod console;
mod faults;
mod journal;
mod ledger;
mod reset;
mod settings;
mod world;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::Answer;
use super::request::Request;
use super::server::asset;
use super::state::Shared;

/// Said to a program that asked for something the control port cannot do.
#[derive(Debug)]
struct Problem {
    status: u16,
    error: String,
    cure: String,
}

impl Problem {
    fn new(status: u16, error: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { status, error: error.into(), cure: cure.into() }
    }

    fn bad(error: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(400, error, cure)
    }
}

type Reply = Result<Value, Problem>;

const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/control", "this list"),
    ("GET", "/control/servers.toml", "all hosts, as TOML"),
    ("GET", "/control/settings", "dialects and limits"),
    ("PATCH", "/control/settings", "change some of them"),
    ("GET", "/control/clock", "the emulator's time"),
    ("POST", "/control/clock", "{\"advance_seconds\": 3600} or {\"set\": \"2030-01-01T00:00:00Z\"}"),
    ("GET", "/control/people", "everybody, with organizations"),
    ("POST", "/control/people", "add or replace a person, or a list of people"),
    ("DELETE", "/control/people/{dc:zuid}", "remove a person"),
    ("POST", "/control/people/{dc:zuid}/organizations", "add or replace an organization"),
    ("DELETE", "/control/people/{dc:zuid}/organizations/{id}", "remove an organization"),
    ("GET", "/control/clients", "clients with secrets and switches"),
    ("POST", "/control/clients", "add or replace a client"),
    ("PATCH", "/control/clients/{id}", "change redirect_uris, secrets or data_centres"),
    ("DELETE", "/control/clients/{id}", "remove a client"),
    ("GET", "/control/journal?after=&listener=&path=&limit=", "requests and bare connections"),
    ("DELETE", "/control/journal", "forget them"),
    ("GET", "/control/ledger?kind=&state=&person=&client_id=&value=", "every code, token and secret ever issued"),
    ("GET", "/control/ledger/summary", "the same, counted"),
    ("GET", "/control/faults", "faults that are set"),
    ("POST", "/control/faults", "set one"),
    ("DELETE", "/control/faults", "clear all"),
    ("DELETE", "/control/faults/{id}", "clear one"),
    ("POST", "/control/approve", "make a code without a browser"),
    ("POST", "/control/grants/revoke", "what a person does under Connected Apps"),
    ("POST", "/control/reset", "{} for everything, or {\"what\": [\"ledger\", \"journal\", …]}"),
];

pub(super) fn answer(shared: &Shared, request: &Request) -> Answer {
    let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
    let reply = match (method, segments.as_slice()) {
        ("GET", []) => return console::home(shared),
        ("GET", ["console"]) => return console::show(shared, request),
        ("POST", ["console", "code"]) => return console::make_code(shared, request),
        ("POST", ["console", "client"]) => return console::change_client(shared, request),
        ("GET", ["control", "servers.toml"]) => {
            return Answer::new(200, "application/toml", shared.addresses.servers_toml());
        }
        ("GET", ["control"]) => Ok(index(shared)),
        ("GET", ["control", "settings"]) => settings::show(shared),
        ("PATCH", ["control", "settings"]) => read(request).and_then(|change| settings::change(shared, change)),
        ("GET", ["control", "clock"]) => Ok(clock::show(shared)),
        ("POST", ["control", "clock"]) => read(request).and_then(|change| clock::change(shared, &change)),
        ("GET", ["control", "people"]) => Ok(world::people(shared)),
        ("POST", ["control", "people"]) => read(request).and_then(|person| world::put_people(shared, person)),
        ("DELETE", ["control", "people", id]) => world::remove_person(shared, id),
        ("POST", ["control", "people", id, "organizations"]) => {
            read(request).and_then(|new| world::put_organization(shared, id, new))
        }
        ("DELETE", ["control", "people", id, "organizations", organization]) => {
            world::remove_organization(shared, id, organization)
        }
        ("GET", ["control", "clients"]) => Ok(world::clients(shared)),
        ("POST", ["control", "clients"]) => read(request).map(|client| world::put_client(shared, client)),
        ("PATCH", ["control", "clients", id]) => {
            read(request).and_then(|change| world::change_client(shared, id, change))
        }
        ("DELETE", ["control", "clients", id]) => world::remove_client(shared, id),
        ("GET", ["control", "journal"]) => journal::show(shared, request),
        ("DELETE", ["control", "journal"]) => Ok(journal::clear(shared)),
        ("GET", ["control", "ledger"]) => Ok(ledger::show(shared, request)),
        ("GET", ["control", "ledger", "summary"]) => Ok(ledger::summary(shared)),
        ("GET", ["control", "faults"]) => Ok(shared.faults.json()),
        ("POST", ["control", "faults"]) => read(request).and_then(|fault| faults::add(shared, fault)),
        ("DELETE", ["control", "faults"]) => Ok(faults::clear(shared)),
        ("DELETE", ["control", "faults", id]) => faults::remove(shared, id),
        ("POST", ["control", "approve"]) => read(request).and_then(|asked| approve::approve(shared, asked)),
        ("POST", ["control", "grants", "revoke"]) => read(request).and_then(|which| ledger::revoke(shared, &which)),
        ("POST", ["control", "reset"]) => read(request).and_then(|what| reset::reset(shared, &what)),
        _ => match asset(request) {
            Some(asset) => return asset,
            None => Err(Problem::new(
                404,
                format!("no route {} {}", request.method, request.path),
                "GET /control lists all routes",
            )),
        },
    };
    match reply {
        Ok(value) => Answer::json(200, &value),
        Err(problem) => Answer::json(problem.status, &json!({"error": problem.error, "do": problem.cure})),
    }
}

/// An empty body counts as `{}`; the content type does not matter.
fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad(error.to_string(), "send a JSON object; docs/emulator.md has an example of each"))
}

fn index(shared: &Shared) -> Value {
    let routes: Vec<Value> =
        ROUTES.iter().map(|(method, path, does)| json!({"method": method, "path": path, "does": does})).collect();
    json!({"emulator": "of Zoho, not Zoho", "now": clock::show(shared)["now"], "routes": routes})
}
