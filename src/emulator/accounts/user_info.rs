//! `GET /oauth/user/info` (zoho-oauth.md §8).

use serde_json::{Value, json};

use crate::emulator::answer::Answer;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::request::Request;
use crate::emulator::scopes;
use crate::emulator::settings::IdForm;
use crate::emulator::state::Shared;

pub(super) fn answer(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let state = shared.read();
    let token = request.access_token().and_then(|value| state.ledger.access_token(value));
    let Some(token) = token.filter(|token| token.is_live(shared.clock.now()) && token.grant.data_centre() == here)
    else {
        return no("INVALID_OAUTHTOKEN");
    };
    // One capture shows this refusal where AaaServer scopes were granted together with the OIDC scope `profile`.
    let mixed = token.grant.scopes.iter().any(|scope| scope == "profile");
    if mixed || !scopes::allow(&token.grant.scopes, "AaaServer.profile.READ") {
        return no("INVALID_OAUTHSCOPE");
    }
    let Some(person) = state.world.people.get(&token.grant.person) else { return no("INVALID_OAUTHTOKEN") };
    Answer::json(
        200,
        &json!({
            "First_Name": person.first_name, "Email": person.email, "Last_Name": person.last_name,
            "Display_Name": person.display_name, "ZUID": number(&person.zuid, state.settings.token.zuid),
        }),
    )
}

/// Ids are numbers in captures and text in some fixtures; they have up to 19 digits.
pub(in crate::emulator) fn number(id: &str, form: IdForm) -> Value {
    match (form, id.parse::<u64>()) {
        (IdForm::Number, Ok(number)) => json!(number),
        _ => json!(id),
    }
}

fn no(cause: &str) -> Answer {
    Answer::json(401, &json!({"response": "error", "cause": cause}))
}
