//! Reading the journal.

use serde_json::{Value, json};

use super::{Problem, Reply};
use crate::emulator::journal::Filter;
use crate::emulator::request::Request;
use crate::emulator::state::Shared;

pub(super) fn show(shared: &Shared, request: &Request) -> Reply {
    let parameters = request.parameters();
    let number = |name: &str, default: u64| match parameters.get(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Problem::bad(format!("{name}={text}"), format!("{name} is a number"))),
    };
    let limit = usize::try_from(number("limit", 1_000_000)?).unwrap_or(usize::MAX);
    let filter = Filter {
        after: number("after", 0)?,
        listener: parameters.get("listener"),
        path: parameters.get("path"),
        limit,
    };
    Ok(shared.journal.read(&filter))
}

pub(super) fn clear(shared: &Shared) -> Value {
    shared.journal.clear();
    json!({"cleared": "journal"})
}
