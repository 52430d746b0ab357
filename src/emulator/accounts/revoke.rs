//! Revocation (zoho-oauth.md §7): the plain form without client authentication, and the newer one with it.

use serde_json::json;

use super::token::credentials;
use super::token_answer::error;
use crate::emulator::answer::Answer;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::request::Request;
use crate::emulator::state::Shared;

pub(super) fn plain(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.token_parameters();
    let token = parameters.get("token").unwrap_or_default();
    if shared.write().ledger.revoke(token, here, shared.clock.now()) {
        Answer::json(200, &json!({"status": "success"}))
    } else {
        Answer::json(400, &json!({"error": "invalid_token", "status": "error"}))
    }
}

pub(super) fn authenticated(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.token_parameters();
    let basic = request.basic();
    let (client_id, secret) = credentials(&parameters, basic.as_ref());
    {
        let state = shared.read();
        let Some(client) = state.world.client(client_id).filter(|client| client.is_on(here)) else {
            return error(&state.settings, "invalid_client");
        };
        if client.secret(here).is_none_or(|right| Some(right) != secret) {
            return error(&state.settings, "invalid_client_secret");
        }
    }
    plain(shared, request, here)
}
