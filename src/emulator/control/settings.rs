//! Dialects and limits, shown and changed.

use serde_json::{Value, json};

use super::{Problem, Reply};
use crate::emulator::settings::{Settings, merge};
use crate::emulator::state::Shared;

pub(super) fn show(shared: &Shared) -> Reply {
    serde_json::to_value(&shared.read().settings).map_err(|error| Problem::new(500, error.to_string(), "report this"))
}

pub(super) fn change(shared: &Shared, change: Value) -> Reply {
    let cure = "GET /control/settings shows every name with its present value";
    if !change.is_object() {
        return Err(Problem::bad("settings are an object", cure));
    }
    let mut state = shared.read();
    let mut value = json!(state.settings);
    merge(&mut value, change);
    let settings: Settings = serde_json::from_value(value).map_err(|error| Problem::bad(error.to_string(), cure))?;
    for status in [settings.token.error_status, settings.throttle.status, settings.products.salesiq_error_status] {
        if !(200..=599).contains(&status) {
            return Err(Problem::bad(format!("{status} is no status"), "use 200 to 599"));
        }
    }
    if let Some(name) = &settings.current_person {
        let known = state
            .world
            .people
            .iter()
            .any(|person| person.email.eq_ignore_ascii_case(name) || person.id().to_string() == *name);
        if !known {
            return Err(Problem::bad(
                format!("nobody is called {name:?}"),
                "GET /control/people lists everybody; use an e-mail address or eu:795000000",
            ));
        }
    }
    shared.journal.keep(settings.journal_limit);
    state.settings = settings;
    Ok(json!(state.settings))
}
