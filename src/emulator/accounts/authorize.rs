//! Consent.
//!
//! 1. The request is checked; a mistake ends on a page.
//! 2. Who is it? `emulator_person` in the query, else the sign-in cookie, else (with auto-approve) the current person,
//!    else the sign-in page.
//! 3. The browser is moved to the accounts server of the person's data centre.
//! 4. Is the client switched on there?
//! 5. A consent already given is not asked for again, unless `prompt=consent`.
//! 6. Otherwise the page: scopes in words, the organization if there are several, accept or reject.
//! 7. Back to the client with a code, or with the refusal.

use super::asked::{Asked, Mistake, candidates};
use super::{callback, pages, sign_in};
use crate::emulator::answer::Answer;
use crate::emulator::clock::Millis;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::{CodeRequest, Grant, Refusal};
use crate::emulator::request::{Parameters, Request};
use crate::emulator::server::accounts_url;
use crate::emulator::settings::OrganizationChoice;
use crate::emulator::state::{Shared, State};
use crate::emulator::world::{Environment, Organization, Person};

/// Parameters of ours in a request to `/oauth/v2/auth`; Zoho has none of them.
pub(super) const OWN: [&str; 3] = ["emulator_person", "emulator_organization", "emulator_answer"];

pub(super) fn begin(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.parameters();
    let mut state = shared.read();
    let asked = match Asked::read(&state.world, &parameters) {
        Ok(asked) => asked,
        Err(mistake) => return pages::mistake(mistake, here, &parameters),
    };
    let named = parameters.get("emulator_person");
    let Some(person) = who(&state, request, named, here).cloned() else {
        if let Some(name) = named {
            return pages::unknown_person(name, here);
        }
        drop(state);
        return Answer::see_other(&format!("/signin?{}", request.query));
    };
    let at_once = state.settings.auto_approve || parameters.get("emulator_answer").is_some();
    if person.data_centre != here && !at_once {
        let query = format!("{}&emulator_person={}", parameters.without(&["emulator_person"]), person.id());
        return Answer::see_other(&accounts_url(shared, person.data_centre, &format!("/oauth/v2/auth?{query}")));
    }
    if let Err(mistake) = asked.check_enabled(&state.world, person.data_centre) {
        return pages::mistake(mistake, person.data_centre, &parameters);
    }
    let answer = if at_once {
        let refused = parameters.get("emulator_answer") == Some("reject");
        let wanted = parameters.get("emulator_organization");
        finish(shared, &mut state, &asked, &person, wanted, refused)
    } else if let Some(remembered) = remembered(&state, &asked, &person) {
        code(shared, &mut state, &asked, &person, remembered, false)
    } else {
        pages::consent(&state, &asked, &person, &parameters.without(&OWN))
    };
    let signs_in = named.is_some() && !state.settings.auto_approve;
    if signs_in { sign_in::remember(request, answer, Some(&person)) } else { answer }
}

/// The form of the consent page.
pub(super) fn decide(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let form = request.form();
    let parameters = Parameters::parse(form.get("query").unwrap_or_default().as_bytes());
    let mut state = shared.read();
    let asked = match Asked::read(&state.world, &parameters) {
        Ok(asked) => asked,
        Err(mistake) => return pages::mistake(mistake, here, &parameters),
    };
    let name = form.get("person").unwrap_or_default();
    let Some(person) = state.world.find(name, here).cloned() else { return pages::unknown_person(name, here) };
    if let Err(mistake) = asked.check_enabled(&state.world, person.data_centre) {
        return pages::mistake(mistake, person.data_centre, &parameters);
    }
    let refused = form.get("answer") != Some("accept");
    finish(shared, &mut state, &asked, &person, form.get("organization"), refused)
}

fn who<'a>(state: &'a State, request: &Request, named: Option<&str>, here: DataCentre) -> Option<&'a Person> {
    if let Some(name) = named {
        return state.world.find(name, here);
    }
    let signed_in = sign_in::signed_in(&state.world, request, here);
    if signed_in.is_some() || !state.settings.auto_approve {
        return signed_in;
    }
    let current = state.settings.current_person.as_deref().and_then(|name| state.world.find(name, here));
    current.or_else(|| state.world.people.iter().find(|person| here.shares_people_with(person.data_centre)))
}

/// The organization of an earlier consent that covers this request, so that no page is needed.
fn remembered(state: &State, asked: &Asked, person: &Person) -> Option<(Option<String>, Environment)> {
    if asked.prompt {
        return None;
    }
    let holder = crate::emulator::ledger::Holder { client_id: asked.client_id.clone(), person: person.id() };
    let consent = state.ledger.consent(&holder, &asked.scopes, asked.offline)?;
    Some((consent.organization.clone(), consent.environment))
}

/// After the answer, however it was given.
fn finish(
    shared: &Shared,
    state: &mut State,
    asked: &Asked,
    person: &Person,
    wanted: Option<&str>,
    refused: bool,
) -> Answer {
    if refused {
        let accounts = shared.addresses.accounts(person.data_centre);
        let place = (person.data_centre, accounts.as_str());
        return Answer::see_other(&callback::refused(
            &state.settings,
            &asked.redirect_uri,
            asked.state.as_deref(),
            place,
        ));
    }
    if let Some(remembered) = remembered(state, asked, person).filter(|_| wanted.is_none()) {
        return code(shared, state, asked, person, remembered, false);
    }
    let found = candidates(person, &asked.scopes);
    match choose(&found, wanted, state.settings.organization_choice) {
        Ok(place) => code(shared, state, asked, person, place, asked.offline),
        Err(unknown) => pages::unknown_organization(unknown, person),
    }
}

/// No organization: because there is none, because all are wanted, or because the products shall ask.
fn choose<'a>(
    found: &[&Organization],
    wanted: Option<&'a str>,
    choice: OrganizationChoice,
) -> Result<(Option<String>, Environment), &'a str> {
    let chosen = match wanted {
        Some("all") => None,
        Some(id) => Some(found.iter().find(|organization| organization.id == id).ok_or(id)?),
        None if choice == OrganizationChoice::Product && found.len() > 1 => None,
        None => found.first(),
    };
    Ok(chosen.map_or((None, Environment::Production), |chosen| (Some(chosen.id.clone()), chosen.environment)))
}

fn code(
    shared: &Shared,
    state: &mut State,
    asked: &Asked,
    person: &Person,
    (organization, environment): (Option<String>, Environment),
    mints: bool,
) -> Answer {
    let grant = Grant {
        client_id: asked.client_id.clone(),
        person: person.id(),
        organization,
        environment,
        scopes: asked.scopes.clone(),
    };
    let request = CodeRequest {
        grant,
        redirect_uri: Some(asked.redirect_uri.clone()),
        challenge: asked.challenge.clone(),
        offline: asked.offline,
        mints,
        life: Millis::from(state.settings.limits.code_seconds) * 1000,
    };
    let limits = state.settings.limits.clone();
    shared.changed();
    match state.ledger.issue_code(request, &limits, shared.clock.now()) {
        Ok(code) => {
            let accounts = shared.addresses.accounts(person.data_centre);
            let place = (person.data_centre, accounts.as_str());
            let url = callback::granted(&state.settings, &asked.redirect_uri, &code, asked.state.as_deref(), place);
            Answer::see_other(&url)
        }
        Err(Refusal::Throttled) => pages::too_many(person),
        Err(_) => pages::mistake(Mistake::Client, person.data_centre, &Parameters::default()),
    }
}
