//! Schemas of the document, as words and tables.

use utoipa::openapi::{
    OpenApi, RefOr, Schema,
    schema::{ArrayItems, KnownFormat, Object, SchemaFormat, SchemaType, Type},
};

use super::Prose;

/// A named schema: an object with its members, or a closed list of words.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) about: Prose,
    pub(crate) members: Vec<Member>,
    pub(crate) words: Vec<String>,
}

pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) about: Prose,
    pub(crate) required: bool,
}

/// A type in a few words: "list of", a name that may be a link, "or null".
#[derive(Default)]
pub(crate) struct Kind {
    pub(crate) is_list: bool,
    pub(crate) is_nullable: bool,
    pub(crate) name: Named,
    /// Smallest and largest number.
    pub(crate) range: Option<(String, String)>,
}

impl Kind {
    pub(super) const fn is_known(&self) -> bool {
        !matches!(self.name, Named::Anything)
    }
}

/// The template has the words.
#[derive(Default)]
pub(crate) enum Named {
    #[default]
    Anything,
    Schema(String),
    Text,
    Uuid,
    Time,
    Number,
    Truth,
    Object,
}

pub(super) fn described(document: &OpenApi) -> Vec<Described> {
    let schemas = document.components.iter().flat_map(|components| &components.schemas);
    let named = schemas.filter_map(|(name, schema)| match schema {
        RefOr::T(Schema::Object(object)) => Some(Described {
            name: name.clone(),
            about: Prose::new(object.description.as_deref().unwrap_or_default()),
            members: members(object),
            words: words(object),
        }),
        RefOr::T(_) | RefOr::Ref(_) => None,
    });
    named.collect()
}

fn members(object: &Object) -> Vec<Member> {
    let member = |(name, schema): (&String, &RefOr<Schema>)| Member {
        name: name.clone(),
        kind: kind(schema),
        about: Prose::new(&about(schema)),
        required: object.required.contains(name),
    };
    object.properties.iter().map(member).collect()
}

pub(super) fn words(object: &Object) -> Vec<String> {
    object.enum_values.iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

/// What stands beside a member; a reference may carry words of its own.
fn about(schema: &RefOr<Schema>) -> String {
    match schema {
        RefOr::Ref(reference) => reference.description.clone(),
        RefOr::T(Schema::Object(object)) => object.description.clone().unwrap_or_default(),
        RefOr::T(Schema::Array(array)) => array.description.clone().unwrap_or_default(),
        RefOr::T(Schema::OneOf(one_of)) => {
            let own = one_of.description.clone();
            own.or_else(|| one_of.items.iter().map(about).find(|about| !about.is_empty())).unwrap_or_default()
        }
        RefOr::T(_) => String::new(),
    }
}

pub(super) fn kind(schema: &RefOr<Schema>) -> Kind {
    match schema {
        RefOr::Ref(reference) => Kind { name: Named::Schema(last(&reference.ref_location)), ..Kind::default() },
        RefOr::T(Schema::Array(array)) => {
            let is_nullable = is_nullable(&array.schema_type);
            match &array.items {
                ArrayItems::RefOrSchema(items) => Kind { is_list: true, is_nullable, ..kind(items) },
                ArrayItems::False => Kind { is_list: true, is_nullable, ..Kind::default() },
            }
        }
        RefOr::T(Schema::OneOf(one_of)) => {
            let one = one_of.items.iter().find(|item| !is_null(item)).map(kind).unwrap_or_default();
            Kind { is_nullable: one_of.items.iter().any(is_null), ..one }
        }
        RefOr::T(Schema::Object(object)) => Kind {
            is_list: false,
            is_nullable: is_nullable(&object.schema_type),
            name: named(object),
            range: object
                .minimum
                .as_ref()
                .zip(object.maximum.as_ref())
                .map(|(least, most)| (shown(least), shown(most))),
        },
        RefOr::T(_) => Kind::default(),
    }
}

fn named(object: &Object) -> Named {
    let types: Vec<Type> = match &object.schema_type {
        SchemaType::Type(one) => vec![one.clone()],
        SchemaType::Array(several) => several.clone(),
        SchemaType::AnyValue => Vec::new(),
    };
    match types.into_iter().find(|one| *one != Type::Null) {
        Some(Type::String) => match &object.format {
            Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)) => Named::Time,
            Some(SchemaFormat::Custom(format)) if format == "uuid" => Named::Uuid,
            _ => Named::Text,
        },
        Some(Type::Integer | Type::Number) => Named::Number,
        Some(Type::Boolean) => Named::Truth,
        Some(Type::Object) => Named::Object,
        Some(Type::Array | Type::Null) | None => Named::Anything,
    }
}

fn shown(number: &utoipa::Number) -> String {
    match number {
        utoipa::Number::Int(number) => number.to_string(),
        utoipa::Number::UInt(number) => number.to_string(),
        utoipa::Number::Float(number) => number.to_string(),
    }
}

fn is_nullable(schema_type: &SchemaType) -> bool {
    match schema_type {
        SchemaType::Array(types) => types.contains(&Type::Null),
        SchemaType::Type(one) => *one == Type::Null,
        SchemaType::AnyValue => false,
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

/// The name at the end of `#/components/schemas/Name`.
pub(super) fn last(reference: &str) -> String {
    reference.rsplit('/').next().unwrap_or_default().to_owned()
}
