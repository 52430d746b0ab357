//! Back to the beginning, wholly or in part.

use serde::Deserialize;
use serde_json::json;

use super::{Problem, Reply};
use crate::emulator::accounts::Devices;
use crate::emulator::ledger::Ledger;
use crate::emulator::state::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct What {
    what: Option<Vec<String>>,
}

const PARTS: [&str; 7] = ["ledger", "journal", "faults", "settings", "clock", "people", "clients"];

pub(super) fn reset(shared: &Shared, what: &What) -> Reply {
    let parts: Vec<&str> = match &what.what {
        None => PARTS.to_vec(),
        Some(parts) => parts.iter().map(String::as_str).collect(),
    };
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(part)) {
        return Err(Problem::bad(format!("cannot reset {unknown:?}"), format!("choose of {}", PARTS.join(", "))));
    }
    let first = shared.first();
    let mut state = shared.write();
    for part in &parts {
        match *part {
            "ledger" => {
                state.ledger = Ledger::default();
                state.secrets.clear();
                state.devices = Devices::default();
            }
            "journal" => shared.journal.clear(),
            "faults" => shared.faults.clear(),
            "settings" => {
                state.settings = first.settings.clone();
                shared.journal.keep(state.settings.journal_limit);
            }
            "clock" => shared.clock.set_offset(0),
            "people" => state.world.people.clone_from(&first.world.people),
            _ => state.world.clients.clone_from(&first.world.clients),
        }
    }
    Ok(json!({"reset": parts}))
}
