//! `POST /oauth/v2/token`: codes and refresh tokens become access tokens.
//!
//! Judged in this order: a grant type at all (else a page), a known grant type and client (`invalid_client`), the client's
//! secret here (`invalid_client_secret`), the grant itself. Errors come with status 200 (zoho-oauth.md §6).

use super::pages;
use super::token_answer::{error, granted, throttled};
use crate::emulator::answer::Answer;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::{Grant, Issued, Presented, Refusal};
use crate::emulator::request::{Parameters, Request};
use crate::emulator::scopes;
use crate::emulator::settings::Settings;
use crate::emulator::state::{Shared, State};

pub(super) fn answer(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.token_parameters();
    let basic = request.basic();
    let json = request.content_type().eq_ignore_ascii_case("application/json");
    let mut guard = shared.write();
    let state = &mut *guard;
    let settings = state.settings.clone();
    let Some(grant_type) = parameters.get("grant_type") else {
        return if json { error(&settings, "invalid_client") } else { pages::token_page(400) };
    };
    let (client_id, secret) = credentials(&parameters, basic.as_ref());
    let known = state.world.client(client_id).filter(|client| client.is_on(here));
    let Some(client) =
        known.filter(|_| ["authorization_code", "refresh_token", "client_credentials"].contains(&grant_type))
    else {
        return error(&settings, "invalid_client");
    };
    if client.secret(here).is_none_or(|right| Some(right) != secret) {
        return error(&settings, "invalid_client_secret");
    }
    let client_id = client.id.clone();
    let issued = match grant_type {
        "authorization_code" => exchange(shared, state, &settings, &parameters, &client_id, here),
        "refresh_token" => {
            let token = parameters.get("refresh_token").unwrap_or_default();
            state.ledger.refresh(token, &client_id, here, &settings.limits, shared.clock.now())
        }
        _ => match client_credentials(state, &parameters, &client_id, here) {
            Ok(grant) => Ok(own_account(shared, state, &settings, grant)),
            Err(word) => return error(&settings, word),
        },
    };
    match issued {
        Ok(issued) => granted(shared, state, &issued, grant_type == "refresh_token"),
        Err(Refusal::InvalidCode) => error(&settings, "invalid_code"),
        Err(Refusal::RedirectUri) => error(&settings, "invalid_redirect_uri"),
        Err(Refusal::Verifier) => error(&settings, &settings.token.pkce_error),
        Err(Refusal::Throttled) => throttled(&settings),
    }
}

/// Basic authentication counts where the parameters name no client.
pub(super) fn credentials<'a>(
    parameters: &'a Parameters,
    basic: Option<&'a (String, String)>,
) -> (&'a str, Option<&'a str>) {
    match (parameters.get("client_id"), basic) {
        (None, Some((id, secret))) => (id, Some(secret)),
        (id, _) => (id.unwrap_or_default(), parameters.get("client_secret")),
    }
}

fn exchange(
    shared: &Shared,
    state: &mut State,
    settings: &Settings,
    parameters: &Parameters,
    client_id: &str,
    here: DataCentre,
) -> Result<Issued, Refusal> {
    let presented = Presented {
        code: parameters.get("code").unwrap_or_default(),
        client_id,
        data_centre: here,
        redirect_uri: parameters.get("redirect_uri"),
        verifier: parameters.get("code_verifier"),
    };
    state.ledger.redeem(&presented, &settings.limits, shared.clock.now())
}

/// `soid=ZohoCRM.<zsoid>` names the organization a self client acts for (zoho-oauth.md §12).
fn client_credentials(
    state: &State,
    parameters: &Parameters,
    client_id: &str,
    here: DataCentre,
) -> Result<Grant, &'static str> {
    let scopes = parameters.get("scope").and_then(scopes::parse).ok_or("invalid_scope")?;
    let soid = parameters.get("soid").ok_or("missing_org_info")?;
    let (_, id) = soid.split_once('.').ok_or("invalid_soid")?;
    let mut here = state.world.people.iter().filter(|person| person.data_centre == here);
    let found = here.find_map(|person| person.organization(id).map(|organization| (person, organization)));
    let (person, organization) = found.ok_or("invalid_soid")?;
    Ok(Grant {
        client_id: client_id.to_owned(),
        person: person.id(),
        organization: Some(organization.id.clone()),
        environment: organization.environment,
        scopes,
    })
}

/// No refresh token comes of it.
fn own_account(shared: &Shared, state: &mut State, settings: &Settings, grant: Grant) -> Issued {
    let access_token = state.ledger.issue_access_token(&grant, None, &settings.limits, shared.clock.now());
    Issued { access_token, refresh_token: None, grant, seconds: settings.limits.access_token_seconds }
}
