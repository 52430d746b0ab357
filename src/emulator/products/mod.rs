//! The products behind a token: the calls that tell which organization it belongs to (zoho-oauth.md §10), one harmless
//! list each, and an echo for programs that pass calls on. Each product refuses in its own words (§11).

mod assist;
mod books;
mod call;
mod connect;
mod crm;
mod desk;
mod echo;
mod refusal;
mod salesiq;
mod zia_agents;

use call::Call;

use super::answer::Answer;
use super::data_centre::DataCentre;
use super::request::Request;
use super::server::asset;
use super::state::Shared;
use super::world::Environment;

/// The host a call arrived at.
#[derive(Debug, Clone, Copy)]
struct Host {
    data_centre: DataCentre,
    environment: Environment,
}

pub(super) fn answer(shared: &Shared, request: &Request, data_centre: DataCentre, environment: Environment) -> Answer {
    let host = Host { data_centre, environment };
    let state = shared.read();
    let Some((product, rest)) = product_of(&request.path) else {
        return asset(request).unwrap_or_else(|| nothing_here(&request.path));
    };
    let call = Call::new(&state, request, host, product, shared.clock.now());
    if rest.contains("emulator/echo") {
        return echo::answer(&call, rest);
    }
    let segments: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
    let found = match product {
        "assist" => assist::answer(&call, &segments).or_else(|| salesiq::answer(&call.of("salesiq"), &segments)),
        "connect" => connect::answer(&call, &segments),
        "crm" => crm::answer(&call, &segments),
        "desk" => desk::answer(&call, &segments),
        "books" => books::answer(&call, &segments),
        _ => zia_agents::answer(&call, &segments),
    };
    found.unwrap_or_else(|| nothing_here(&request.path))
}

/// Assist and `SalesIQ` share a prefix here, because they share a port; at Zoho they have hosts of their own.
const PREFIXES: [(&str, &str); 7] = [
    ("/api/v2/", "assist"),
    ("/pulse/", "connect"),
    ("/nativeapi/", "connect"),
    ("/ziaagents/api/", "zia_agents"),
    ("/crm/", "crm"),
    ("/api/v1/", "desk"),
    ("/books/v3/", "books"),
];

fn product_of(path: &str) -> Option<(&'static str, &str)> {
    PREFIXES.iter().find_map(|(prefix, product)| path.strip_prefix(prefix).map(|rest| (*product, rest)))
}

fn nothing_here(path: &str) -> Answer {
    let body = serde_json::json!({"code": "INVALID_URL_PATTERN", "message": format!("the emulator does not know {path}"), "status": "error"});
    Answer::json(404, &body)
}
