//! The device flow (zoho-oauth.md §12): a device shows a code, a person enters it in a browser, the device polls.
//!
//! Its requests are held in memory only; a restart forgets them, as their five minutes would anyway.

use std::collections::HashMap;

use serde_json::json;

use super::asked::candidates;
use super::pages;
use super::token::credentials;
use super::token_answer::{error, granted};
use crate::emulator::answer::Answer;
use crate::emulator::clock::Millis;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::{CodeRequest, Grant, Presented, opaque};
use crate::emulator::request::Request;
use crate::emulator::scopes;
use crate::emulator::state::Shared;
use crate::emulator::world::Environment;

const LIFE: Millis = 300_000;
const INTERVAL: Millis = 30_000;

/// Devices that wait, by device code.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Devices(HashMap<String, Device>);

#[derive(Debug, Clone)]
struct Device {
    user_code: String,
    client_id: String,
    scopes: Vec<String>,
    offline: bool,
    expires: Millis,
    polled: Option<Millis>,
    answer: Option<Decision>,
}

#[derive(Debug, Clone)]
enum Decision {
    /// A code of the ledger, redeemed by the next poll at its data centre.
    Granted(String, DataCentre),
    Refused,
}

/// `POST /oauth/v3/device/code`
pub(super) fn begin(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.token_parameters();
    let mut state = shared.read();
    let client_id = parameters.get("client_id").unwrap_or_default();
    let known = state.world.client(client_id).is_some_and(|client| client.is_on(here));
    if !known || parameters.get("grant_type") != Some("device_request") {
        return error(&state.settings, "invalid_client");
    }
    let Some(scopes) = parameters.get("scope").and_then(scopes::parse) else {
        return error(&state.settings, "invalid_scope");
    };
    let now = shared.clock.now();
    let device_code = opaque().replacen("1000.", "1004.", 1);
    let user_code: String = device_code.chars().skip(5).take(8).collect::<String>().to_uppercase();
    let device = Device {
        user_code: user_code.clone(),
        client_id: client_id.to_owned(),
        scopes,
        offline: parameters.get("access_type") == Some("offline"),
        expires: now + LIFE,
        polled: None,
        answer: None,
    };
    state.devices.0.retain(|_, device| device.expires > now);
    state.devices.0.insert(device_code.clone(), device);
    let page = format!("{}/oauth/v3/device", shared.addresses.accounts(here));
    Answer::json(
        200,
        &json!({
            "user_code": user_code, "device_code": device_code, "interval": INTERVAL, "expires_in": LIFE,
            "verification_url": page, "verification_uri_complete": format!("{page}?code={user_code}"),
        }),
    )
}

/// `POST /oauth/v3/device/token`, no faster than every 30 seconds.
pub(super) fn poll(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.token_parameters();
    let basic = request.basic();
    let (client_id, secret) = credentials(&parameters, basic.as_ref());
    let mut guard = shared.write();
    let state = &mut *guard;
    let right =
        state.world.client(client_id).filter(|client| client.is_on(here)).and_then(|client| client.secret(here));
    if right.is_none() || parameters.get("grant_type") != Some("device_token") {
        return error(&state.settings, "invalid_client");
    }
    if right != secret {
        return error(&state.settings, "invalid_client_secret");
    }
    let now = shared.clock.now();
    let code = parameters.get("code").or_else(|| parameters.get("device_code")).unwrap_or_default();
    let Some(device) = state.devices.0.get_mut(code).filter(|device| device.client_id == client_id) else {
        return error(&state.settings, "invalid_code");
    };
    if now >= device.expires {
        return error(&state.settings, "expired");
    }
    match device.answer.clone() {
        Some(Decision::Refused) => error(&state.settings, "access_denied"),
        Some(Decision::Granted(_, place)) if place != here => {
            Answer::json(200, &json!({"error": "other_dc", "user_location": place}))
        }
        Some(Decision::Granted(grant, _)) => {
            state.devices.0.remove(code);
            let presented =
                Presented { code: &grant, client_id, data_centre: here, redirect_uri: None, verifier: None };
            match state.ledger.redeem(&presented, &state.settings.limits, now) {
                Ok(issued) => granted(shared, state, &issued, false),
                Err(_) => error(&state.settings, "invalid_code"),
            }
        }
        None if device.polled.is_some_and(|polled| now < polled + INTERVAL) => error(&state.settings, "slow_down"),
        None => {
            device.polled = Some(now);
            error(&state.settings, "authorization_pending")
        }
    }
}

/// `GET /oauth/v3/device`: where the person enters the code.
pub(super) fn show(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.parameters();
    let state = shared.read();
    pages::device(&state.world, here, parameters.get("code").unwrap_or_default(), None)
}

/// `POST /oauth/v3/device`: code, person, and accept or reject. The organization is the first that offers a product.
pub(super) fn decide(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let form = request.form();
    let typed = form.get("code").unwrap_or_default().trim().to_uppercase();
    let mut guard = shared.write();
    let state = &mut *guard;
    let now = shared.clock.now();
    let waiting = state
        .devices
        .0
        .values_mut()
        .find(|device| device.user_code == typed && device.expires > now && device.answer.is_none());
    let person = state.world.find(form.get("person").unwrap_or_default(), here);
    let (Some(device), Some(person)) = (waiting, person) else {
        let problem = "No device waits with this code, or nobody was chosen. Codes live five minutes.";
        return pages::device(&state.world, here, &typed, Some(problem));
    };
    let on = state.world.client(&device.client_id).is_some_and(|client| client.is_on(person.data_centre));
    if form.get("answer") != Some("accept") || !on {
        device.answer = Some(Decision::Refused);
        return pages::device_done(here, false);
    }
    let organization = candidates(person, &device.scopes).first().copied();
    let grant = Grant {
        client_id: device.client_id.clone(),
        person: person.id(),
        organization: organization.map(|organization| organization.id.clone()),
        environment: organization.map_or(Environment::Production, |organization| organization.environment),
        scopes: device.scopes.clone(),
    };
    let place = grant.data_centre();
    let asked = CodeRequest {
        grant,
        redirect_uri: None,
        challenge: None,
        offline: device.offline,
        mints: device.offline,
        life: device.expires - now,
    };
    device.answer = Some(match state.ledger.issue_code(asked, &state.settings.limits, now) {
        Ok(code) => Decision::Granted(code, place),
        Err(_) => Decision::Refused,
    });
    pages::device_done(here, true)
}
