//! A JSON value that fits a schema, made of its examples, with members in the order in which they are told.

use serde_json::Value;
use utoipa::openapi::{
    OpenApi, RefOr, Schema,
    schema::{ArrayItems, Object, SchemaType, Type},
};

use super::types::last;

/// Deeper than any of our answers; a schema that contains itself ends here.
const DEEPEST: usize = 8;

/// Printed over several lines.
pub(super) fn pretty(document: &OpenApi, schema: &RefOr<Schema>) -> String {
    let mut text = String::new();
    write(document, schema, 0, &mut text);
    text
}

fn write(document: &OpenApi, schema: &RefOr<Schema>, depth: usize, text: &mut String) {
    let Some(schema) = resolved(document, schema).filter(|_| depth < DEEPEST) else {
        text.push_str("null");
        return;
    };
    if let Some(example) = own_example(schema) {
        text.push_str(&example.to_string());
        return;
    }
    match schema {
        Schema::Object(object) if object.properties.is_empty() => text.push_str(leaf(object)),
        Schema::Object(object) => write_object(document, object, depth, text),
        Schema::Array(array) => {
            text.push('[');
            if let ArrayItems::RefOrSchema(items) = &array.items {
                write(document, items, depth, text);
            }
            text.push(']');
        }
        Schema::OneOf(one_of) => match one_of.items.first() {
            Some(first) => write(document, first, depth, text),
            None => text.push_str("null"),
        },
        _ => text.push_str("null"),
    }
}

fn write_object(document: &OpenApi, object: &Object, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth + 1);
    text.push('{');
    for (index, (name, member)) in object.properties.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&indent);
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push_str(": ");
        write(document, member, depth + 1, text);
    }
    text.push('\n');
    text.push_str(&indent[2..]);
    text.push('}');
}

fn resolved<'a>(document: &'a OpenApi, schema: &'a RefOr<Schema>) -> Option<&'a Schema> {
    match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(reference) => match document.components.as_ref()?.schemas.get(&last(&reference.ref_location))? {
            RefOr::T(schema) => Some(schema),
            RefOr::Ref(_) => None,
        },
    }
}

fn own_example(schema: &Schema) -> Option<Value> {
    match schema {
        Schema::Object(object) => {
            let word = || object.enum_values.as_ref().and_then(|words| words.first().cloned());
            object.example.clone().or_else(|| object.examples.first().cloned()).or_else(word)
        }
        Schema::Array(array) => array.example.clone().or_else(|| array.examples.first().cloned()),
        Schema::OneOf(one_of) => one_of.example.clone(),
        _ => None,
    }
}

fn leaf(object: &Object) -> &'static str {
    match &object.schema_type {
        SchemaType::Type(Type::String) => "\"…\"",
        SchemaType::Type(Type::Integer | Type::Number) => "0",
        SchemaType::Type(Type::Boolean) => "false",
        SchemaType::Type(Type::Object) => "{}",
        _ => "null",
    }
}
