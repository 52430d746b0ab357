//! Setting and clearing faults.

use serde_json::{Value, json};

use super::{Problem, Reply};
use crate::emulator::faults::Fault;
use crate::emulator::state::Shared;

pub(super) fn add(shared: &Shared, fault: Fault) -> Reply {
    fault.check().map_err(|error| Problem::bad(error, "docs/emulator.md lists what a fault can match and do"))?;
    Ok(json!({"id": shared.faults.add(fault)}))
}

pub(super) fn clear(shared: &Shared) -> Value {
    shared.faults.clear();
    json!({"cleared": "faults"})
}

pub(super) fn remove(shared: &Shared, id: &str) -> Reply {
    let number = id
        .parse()
        .map_err(|_| Problem::bad(format!("{id:?} is no fault"), "GET /control/faults lists their numbers"))?;
    if shared.faults.remove(number) {
        Ok(json!({"cleared": number}))
    } else {
        Err(Problem::new(
            404,
            format!("there is no fault {id}"),
            "GET /control/faults lists them; a fault whose count is used up is gone",
        ))
    }
}
