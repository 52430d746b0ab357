//! An accounts server: consent, tokens, revocation, and who somebody is.

mod asked;
mod authorize;
mod callback;
mod device;
mod openid;
mod pages;
mod revoke;
mod sign_in;
mod token;
mod token_answer;
pub(super) mod user_info;

use std::collections::BTreeMap;

use serde_json::json;

use super::answer::Answer;
use super::data_centre::DataCentre;
use super::request::Request;
use super::server::asset;
use super::state::Shared;

pub(super) use asked::candidates;
pub(super) use callback::granted as callback_url;
pub(super) use device::Devices;

pub(super) fn answer(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let path = request.path.trim_end_matches('/');
    let get = request.method == "GET" || request.method == "HEAD";
    let post = request.method == "POST";
    match path {
        "/oauth/v2/auth" if get => authorize::begin(shared, request, here),
        "/oauth/v2/auth/answer" if post => authorize::decide(shared, request, here),
        "/signin" if get => sign_in::show(shared, request, here),
        "/signin" if post => sign_in::choose(shared, request, here),
        "/signout" if get => sign_in::leave(request),
        "/oauth/v2/token" if post => token::answer(shared, request, here),
        "/oauth/v2/token/revoke" if post => revoke::plain(shared, request, here),
        "/oauth/v2/revoke/token" if post => revoke::authenticated(shared, request, here),
        "/oauth/v3/device/code" if post => device::begin(shared, request, here),
        "/oauth/v3/device/token" if post => device::poll(shared, request, here),
        "/oauth/v3/device" if get => device::show(shared, request, here),
        "/oauth/v3/device" if post => device::decide(shared, request, here),
        "/oauth/user/info" if get => user_info::answer(shared, request, here),
        "/oauth/serverinfo" if get => server_info(shared),
        "/.well-known/openid-configuration" if get => openid::discovery(shared, here),
        "/oauth/v2/userinfo" if get || post => openid::user_info(shared, request, here),
        "/oauth/v2/keys" if get => openid::keys(),
        "/oauth/v2/introspect" if post => openid::introspect(shared, request, here),
        "" if get => pages::home(here),
        _ => asset(request).unwrap_or_else(|| pages::nothing_here(request, KNOWN.contains(&path))),
    }
}

/// Paths that exist with another method.
const KNOWN: [&str; 14] = [
    "/oauth/v2/auth",
    "/oauth/v2/auth/answer",
    "/signin",
    "/signout",
    "/oauth/v2/token",
    "/oauth/v2/token/revoke",
    "/oauth/v2/revoke/token",
    "/oauth/user/info",
    "/oauth/serverinfo",
    "/oauth/v2/userinfo",
    "/oauth/v2/keys",
    "/oauth/v2/introspect",
    "/oauth/v3/device/code",
    "/oauth/v3/device/token",
];

/// China is not listed (zoho-oauth.md §2).
fn server_info(shared: &Shared) -> Answer {
    let listed = DataCentre::ALL.into_iter().filter(|data_centre| *data_centre != DataCentre::Cn);
    let locations: BTreeMap<&str, String> =
        listed.map(|place| (place.key(), shared.addresses.accounts(place))).collect();
    Answer::json(200, &json!({"result": "success", "locations": locations}))
}
