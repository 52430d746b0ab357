//! As much of JSON Schema as the document uses, strictly: a member that is not described is a mistake too.

use serde_json::Value;

pub(super) struct Schemas<'a>(&'a Value);

impl<'a> Schemas<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        Self(&document["components"]["schemas"])
    }

    /// Panics with all that does not fit.
    pub(super) fn check(&self, name: &str, value: &Value) {
        let mut wrong = Vec::new();
        self.compare(&self.0[name], value, name, &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}\n{value:#}");
    }

    fn compare(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().expect("a name");
            assert!(self.0[name].is_object(), "{reference} leads nowhere");
            return self.compare(&self.0[name], value, at, wrong);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits = |choice: &&Value| {
                let mut of_choice = Vec::new();
                self.compare(choice, value, at, &mut of_choice);
                of_choice.is_empty()
            };
            if choices.iter().filter(fits).count() != 1 {
                wrong.push(format!("{at} fits none, or several, of its choices"));
            }
            return;
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            wrong.push(format!("{at}: {value} is none of {words:?}"));
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if !kinds.contains(&kind(value)) {
            wrong.push(format!("{at}: {value} is no {kinds:?}"));
        }
        self.compare_inside(schema, value, at, wrong);
    }

    fn compare_inside(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
            for (index, value) in values.iter().enumerate() {
                self.compare(items, value, &format!("{at}[{index}]"), wrong);
            }
        }
        let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object()) else { return };
        for (name, value) in members {
            match properties.get(name) {
                Some(schema) => self.compare(schema, value, &format!("{at}.{name}"), wrong),
                None => wrong.push(format!("{at}.{name} is not described")),
            }
        }
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        for name in required.iter().filter_map(Value::as_str).filter(|name| !members.contains_key(*name)) {
            wrong.push(format!("{at}.{name} is missing"));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let document = serde_json::json!({ "components": { "schemas": {
        "Thing": {
            "type": "object",
            "required": ["id", "kind"],
            "properties": {
                "id": { "type": "string" },
                "kind": { "oneOf": [{ "$ref": "#/components/schemas/Kind" }, { "type": "null" }] },
                "sizes": { "type": ["array", "null"], "items": { "type": "integer" } },
            },
        },
        "Kind": { "type": "string", "enum": ["a", "b"] },
    } } });
    let schemas = Schemas::of(&document);
    let fits = |value: Value| {
        let mut wrong = Vec::new();
        schemas.compare(&schemas.0["Thing"], &value, "Thing", &mut wrong);
        wrong.is_empty()
    };
    assert!(fits(serde_json::json!({ "id": "1", "kind": "a", "sizes": [1] })));
    assert!(fits(serde_json::json!({ "id": "1", "kind": null })));
    for bad in [
        serde_json::json!({ "id": 1, "kind": "a" }),
        serde_json::json!({ "id": "1" }),
        serde_json::json!({ "id": "1", "kind": "c" }),
        serde_json::json!({ "id": "1", "kind": "a", "sizes": ["1"] }),
        serde_json::json!({ "id": "1", "kind": "a", "more": 1 }),
        serde_json::json!([]),
    ] {
        assert!(!fits(bad.clone()), "{bad}");
    }
}
