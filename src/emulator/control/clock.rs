//! Moving time.

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, Reply};
use crate::emulator::clock::rfc3339;
use crate::emulator::state::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    advance_seconds: Option<f64>,
    set: Option<Value>,
}

pub(super) fn show(shared: &Shared) -> Value {
    let offset = shared.clock.offset();
    json!({"now": rfc3339(shared.clock.now()), "offset_ms": offset, "offset_seconds": offset / 1000})
}

pub(super) fn change(shared: &Shared, change: &Change) -> Reply {
    let cure = "send {\"advance_seconds\": 3600}, {\"set\": \"2030-01-01T00:00:00Z\"} or {\"set\": \"real\"}";
    match (change.advance_seconds, &change.set) {
        (Some(seconds), None) if seconds.is_finite() && seconds.abs() < 1e10 => {
            #[expect(clippy::cast_possible_truncation, reason = "bounded on the line above, far below 2^53")]
            shared.clock.advance((seconds * 1000.0) as i64);
        }
        (None, Some(Value::String(real))) if real == "real" => shared.clock.set_offset(0),
        (None, Some(Value::String(text))) => {
            let instant =
                DateTime::parse_from_rfc3339(text).map_err(|error| Problem::bad(format!("{text:?}: {error}"), cure))?;
            shared.clock.set(instant.timestamp_millis());
        }
        (None, Some(Value::Number(seconds))) if seconds.is_i64() => {
            shared.clock.set(seconds.as_i64().unwrap_or_default().saturating_mul(1000));
        }
        _ => return Err(Problem::bad("neither advance_seconds nor set, or both", cure)),
    }
    shared.changed();
    Ok(show(shared))
}
