//! What a call may be refused with, for `responses(…)` of `#[utoipa::path]`: a status, its problem types in
//! the words of their pages, and `Retry-After` where one is sent.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, Ref, RefOr,
        extensions::ExtensionsBuilder,
        header::HeaderBuilder,
        response::{Response, ResponseBuilder},
        schema::{ObjectBuilder, Type},
    },
};

use super::document;
use crate::http::site::problem_types::ProblemType;

/// Refusals of every call that wants a key.
const OF_EVERY_CALL: [ProblemType; 5] = [
    ProblemType::InvalidRequest,
    ProblemType::Unauthenticated,
    ProblemType::Forbidden,
    ProblemType::TooManyRequests,
    ProblemType::Unavailable,
];

/// Named sets: each is a type, so that an annotation can name it.
macro_rules! refusals {
    ($($(#[$about:meta])* $name:ident: $($problem:ident)*;)+) => {
        $(
            $(#[$about])*
            pub(super) struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    answers(&[&OF_EVERY_CALL[..], &[$(ProblemType::$problem),*]].concat())
                }
            }
        )+
    };
}

refusals! {
    /// Of any call with a key.
    Refused: ;
    /// Of a call that names something.
    RefusedOrUnknown: NotFound;
    /// Of an import, which asks Zoho.
    NotImported: NotFound ZohoMisbehaved ZohoThrottled ZohoUnavailable ZohoMisconfigured;
    /// Of a call that needs a token of a named connection.
    NoToken: NotFound NeedsReconnect ChoosingOrganization Disconnected ZohoMisbehaved ZohoThrottled ZohoUnavailable ZohoMisconfigured;
    /// Of a call that finds its connection by the caller's own ids.
    NoTokenOrSeveral: NotFound NeedsReconnect Ambiguous ChoosingOrganization Disconnected ZohoMisbehaved ZohoThrottled ZohoUnavailable ZohoMisconfigured;
}

/// By status, and `default` for those that have no type of their own.
fn answers(problems: &[ProblemType]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<ProblemType>> = BTreeMap::new();
    for problem in problems {
        let status = problem.status().expect("what the API answers has a status");
        by_status.entry(status).or_default().push(*problem);
    }
    let typed = by_status.into_iter().map(|(status, problems)| (status.to_string(), typed(status, &problems).into()));
    typed.chain([("default".to_owned(), untyped().into())]).collect()
}

fn typed(status: u16, problems: &[ProblemType]) -> Response {
    let words: Vec<_> =
        problems.iter().map(|problem| format!("`{}`: {}", problem.slug(), document::detail(*problem))).collect();
    let types: Vec<_> = problems.iter().map(|problem| problem.path()).collect();
    let answer =
        refusal(&words.join("\n\n")).extensions(Some(ExtensionsBuilder::new().add("x-problem-types", types).build()));
    if matches!(status, 429 | 503) { answer.header("Retry-After", retry_after()).build() } else { answer.build() }
}

fn untyped() -> Response {
    refusal("Another status (405, 408, 413, 414, 415, 431, 500): `type` is `about:blank`.").build()
}

fn refusal(description: &str) -> ResponseBuilder {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", body)
}

fn retry_after() -> utoipa::openapi::Header {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds after which it is worth asking again")).build()
}
