//! What a fault does to an answer.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::emulator::answer::Answer;

/// Any combination of these; those that change how bytes travel are performed by [`super::transport`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::emulator) struct Act {
    pub(in crate::emulator) status: Option<u16>,
    pub(in crate::emulator) delay_ms: Option<u64>,
    html: Option<String>,
    body: Option<String>,
    body_base64: Option<String>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    redirect: Option<String>,
    json: Option<Edit>,
    /// Bytes a second.
    pub(in crate::emulator) drip: Option<u32>,
    /// Bytes of the body that are sent before the connection is cut, although the head promised all.
    pub(in crate::emulator) truncate: Option<usize>,
    /// RST in place of an answer.
    pub(in crate::emulator) reset: bool,
    /// An answer without end.
    pub(in crate::emulator) endless: Option<Part>,
    /// These bytes on the connection in place of an answer, which then closes.
    pub(in crate::emulator) raw: Option<String>,
    /// Silence in place of the head.
    pub(in crate::emulator) hang: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::emulator) enum Part {
    Head,
    Body,
}

/// Members of a JSON answer, by JSON pointer (RFC 6901).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Edit {
    set: BTreeMap<String, Value>,
    remove: Vec<String>,
}

impl Act {
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(status) = self.status.filter(|status| StatusCode::from_u16(*status).is_err() || *status < 200) {
            return Err(format!("status {status}: use 200 to 999"));
        }
        if self.drip == Some(0) {
            return Err("drip 0: use \"hang\": true for silence".to_owned());
        }
        if let Some(Err(error)) = self.body_base64.as_ref().map(|text| STANDARD.decode(text)) {
            return Err(format!("body_base64: {error}"));
        }
        let edit = self.json.iter().flat_map(|edit| edit.set.keys().chain(&edit.remove));
        match edit.into_iter().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            Some(pointer) => Err(format!("json: {pointer:?} is no JSON pointer; write \"/{pointer}\"")),
            None => Ok(()),
        }
    }

    /// Whether it puts another answer in the place of the real one.
    pub(super) fn replaces(&self) -> bool {
        self.html.is_some()
            || self.body.is_some()
            || self.body_base64.is_some()
            || self.redirect.is_some()
            || self.endless.is_some()
            || self.raw.is_some()
            || (self.status.is_some_and(|status| status >= 300) && self.json.is_none())
    }

    /// The answer that is written: `real` if there was one, changed as asked.
    pub(in crate::emulator) fn apply(&self, real: Option<Answer>) -> Answer {
        let mut answer = real.unwrap_or_else(|| {
            let status = self.status.unwrap_or(200);
            Answer::html(
                status,
                format!(
                    "<!doctype html><title>{status}</title><h1>{status}</h1><p>A fault set by the control port.</p>"
                ),
            )
        });
        if let Some(html) = &self.html {
            answer = Answer::html(answer.status, html.clone());
        }
        if let Some(body) = &self.body {
            answer.body = body.clone().into();
        }
        if let Some(body) = self.body_base64.as_ref().and_then(|text| STANDARD.decode(text).ok()) {
            answer.body = body.into();
        }
        if let Some(target) = &self.redirect {
            answer = Answer::redirect(302, target);
        }
        if let Some(edit) = &self.json {
            edit.apply(&mut answer);
        }
        if let Some(status) = self.status {
            answer.status = status;
        }
        if let Some(content_type) = &self.content_type {
            answer.headers.retain(|(name, _)| name != "content-type");
            answer.headers.push(("content-type".to_owned(), content_type.clone()));
        }
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            answer.headers.retain(|(known, _)| *known != name);
            answer.headers.push((name, value.clone()));
        }
        answer
    }
}

impl Edit {
    fn apply(&self, answer: &mut Answer) {
        let Ok(mut value) = serde_json::from_slice::<Value>(&answer.body) else { return };
        for (pointer, new) in &self.set {
            set(&mut value, pointer, new.clone());
        }
        for pointer in &self.remove {
            if let Some((parent, name)) = split(pointer) {
                match value.pointer_mut(parent) {
                    Some(Value::Object(members)) => drop(members.remove(&name)),
                    Some(Value::Array(items)) => {
                        if let Some(index) = name.parse().ok().filter(|index| *index < items.len()) {
                            items.remove(index);
                        }
                    }
                    _ => {}
                }
            }
        }
        answer.body = value.to_string().into();
    }
}

/// The pointer of the parent, and the last name unescaped.
fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, name) = pointer.rsplit_once('/')?;
    Some((parent, name.replace("~1", "/").replace("~0", "~")))
}

/// Sets what the pointer names, making objects on the way where there are none.
fn set(value: &mut Value, pointer: &str, new: Value) {
    let Some((parent, name)) = split(pointer) else {
        *value = new;
        return;
    };
    if value.pointer(parent).is_none() {
        set(value, parent, Value::Object(serde_json::Map::new()));
    }
    match value.pointer_mut(parent) {
        Some(Value::Array(items)) => match name.parse().ok().and_then(|index: usize| items.get_mut(index)) {
            Some(item) => *item = new,
            None => items.push(new),
        },
        Some(place) => {
            if !place.is_object() {
                *place = Value::Object(serde_json::Map::new());
            }
            place[name] = new;
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_set_made_and_removed_by_pointer() {
        let act: Act = serde_json::from_value(json!({
            "json": {"set": {"/a": 1, "/b/c": "new", "/list/0/name": null}, "remove": ["/gone", "/list/1"]}
        }))
        .unwrap();
        let real = Answer::json(200, &json!({"a": 0, "gone": true, "list": [{"name": "x"}, 2]}));
        let answer: Value = serde_json::from_slice(&act.apply(Some(real)).body).unwrap();
        assert_eq!(answer, json!({"a": 1, "b": {"c": "new"}, "list": [{"name": null}]}));
    }
}
