//! Signing in to the emulator: pick somebody. There are no passwords here, and the pages say so.

use url::form_urlencoded;

use super::pages;
use crate::emulator::answer::Answer;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::request::{Parameters, Request};
use crate::emulator::server::accounts_url;
use crate::emulator::state::Shared;
use crate::emulator::world::{Person, PersonId, World};

/// Parameter of ours: what was typed and did not name exactly one person.
const TYPED: &str = "emulator_typed";

pub(super) fn show(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.parameters();
    let typed = parameters.get(TYPED).unwrap_or_default();
    let state = shared.read();
    let several = state.world.named(typed, here);
    pages::sign_in(&state.world, here, &parameters.without(&[TYPED]), typed, &several)
}

/// The form of the sign-in page: a button with a person, or a typed e-mail address.
pub(super) fn choose(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let form = request.form();
    let rest = Parameters::parse(form.get("query").unwrap_or_default().as_bytes()).without(&["emulator_person", TYPED]);
    let name = form.get("person").or_else(|| form.get("email")).unwrap_or_default();
    let state = shared.read();
    let found = state.world.named(name, here);
    let [person] = found.as_slice() else {
        let typed = form_urlencoded::Serializer::new(String::new()).append_pair(TYPED, name).finish();
        return Answer::see_other(&format!("/signin?{rest}&{typed}"));
    };
    let next =
        accounts_url(shared, person.data_centre, &format!("/oauth/v2/auth?{rest}&emulator_person={}", person.id()));
    remember(request, Answer::see_other(&next), Some(person)).after(state.settings.sign_in_delay_ms)
}

/// Signs out everywhere and asks again.
pub(super) fn leave(request: &Request) -> Answer {
    let rest = request.parameters().without(&["emulator_person"]);
    remember(request, Answer::see_other(&format!("/signin?{rest}")), None)
}

/// Cookies know no ports, so each data centre has a cookie name of its own; signing in at one signs out of the others,
/// as with one browser and one person.
pub(super) fn remember(request: &Request, mut answer: Answer, now: Option<&Person>) -> Answer {
    for data_centre in DataCentre::ALL {
        let name = name(data_centre);
        if now.is_none_or(|person| person.data_centre != data_centre) && request.cookie(&name).is_some() {
            answer = answer.with("set-cookie", format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"));
        }
    }
    match now {
        Some(person) => answer.with("set-cookie", cookie(person)),
        None => answer,
    }
}

fn name(data_centre: DataCentre) -> String {
    format!("emulator_person_{data_centre}")
}

fn cookie(person: &Person) -> String {
    format!("{}={}; Path=/; HttpOnly; SameSite=Lax", name(person.data_centre), person.zuid)
}

/// Whoever is signed in: here first, then anywhere the person could be moved to.
pub(super) fn signed_in<'a>(world: &'a World, request: &Request, here: DataCentre) -> Option<&'a Person> {
    let others = DataCentre::ALL.into_iter().filter(|other| *other != here && here.shares_people_with(*other));
    [here].into_iter().chain(others).find_map(|data_centre| {
        let zuid = request.cookie(&name(data_centre))?;
        world.people.get(&PersonId { data_centre, zuid: zuid.to_owned() })
    })
}
