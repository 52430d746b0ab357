//! `GET /openapi.json`: the whole API as an OpenAPI 3.1 document, made from the route table and the types
//! that are serialized. `docs/openapi.json` is the same text; a test compares them, and writes the file when
//! `UPDATE_DOCS=1` is set.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use utoipa::{
    OpenApi as _,
    openapi::{
        HttpMethod, InfoBuilder, LicenseBuilder, OpenApi, PathItem, RefOr, Server,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};

/// Headings, in the order in which people read them.
const TAGS: [(&str, &str); 9] = [
    ("tokens", "Access tokens that work: fetched for one connection, refreshed by us, at most once for all who ask."),
    ("proxy", "Calls to a product without handling its token."),
    ("connections", "Which connections there are, how they stand, and their end."),
    ("tenants", "Your customers here, and the Zoho organizations they have connected."),
    ("onboarding", "Invitations to your customers to connect their Zoho organizations themselves."),
    (
        "webhooks",
        "Being told what happens, by Standard Webhooks: signed, in order for each connection, tried for a day.",
    ),
    ("deliveries", "What became of each event at each endpoint, and sending it again."),
    ("audit", "What was done and what was refused, by whom and from where."),
    ("meta", "About the API itself; needs no key."),
];

const ABOUT: &str = "\
Zoho connections of your customers, and access tokens that work.

Send an API key as `Authorization: Bearer lwz_…`. It sees one tenant or all of them, and needs the grant that stands \
beside each call. Answers are JSON and must not be cached; times are RFC 3339 in UTC; members may be added. Unknown \
parameters and members are refused. Whatever goes wrong is a problem document (RFC 9457) whose `type` decides.";

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(|| finished(super::Described::openapi()));

static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_pretty_json().expect("a document of strings") + "\n");

pub(crate) fn document() -> &'static OpenApi {
    &DOCUMENT
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "meta", security(()),
    responses((status = 200, description = "The API in OpenAPI 3.1", content_type = "application/json")),
)]
pub(crate) async fn get_openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(TEXT.as_str())
}

fn finished(mut document: OpenApi) -> OpenApi {
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build();
    let info = InfoBuilder::new().title("Login with Zoho").version(env!("CARGO_PKG_VERSION"));
    document.info = info.description(Some(ABOUT)).license(Some(license)).build();
    document.servers = Some(vec![Server::new(super::ROOT)]);
    document.tags = Some(
        TAGS.into_iter().map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build()).collect(),
    );
    let components = document.components.get_or_insert_default();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("lwz_<id>_<secret>")
        .description(Some("An API key. What stands beside a call is the grant that the key needs."));
    components.security_schemes.insert("api_key".to_owned(), RefOr::T(SecurityScheme::Http(key.build())));
    for item in document.paths.paths.values_mut() {
        name_apart(item);
    }
    document
}

/// An operation's id is unique; one handler for several methods is several operations.
fn name_apart(item: &mut PathItem) {
    let mut operations = operations_mut(item);
    let ids: Vec<_> = operations.iter().map(|(_, operation)| operation.operation_id.clone()).collect();
    for (method, operation) in &mut operations {
        let id = operation.operation_id.clone();
        if ids.iter().filter(|other| **other == id).count() > 1 {
            operation.operation_id = id.map(|id| format!("{id}_{}", name(method).to_ascii_lowercase()));
        }
    }
}

fn operations_mut(item: &mut PathItem) -> Vec<(HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Head, &mut item.head),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation))).collect()
}

/// The operations of a path, in the order in which they are told.
pub(crate) fn operations(item: &PathItem) -> Vec<(&'static str, &Operation)> {
    let all = [
        (HttpMethod::Get, &item.get),
        (HttpMethod::Head, &item.head),
        (HttpMethod::Post, &item.post),
        (HttpMethod::Put, &item.put),
        (HttpMethod::Patch, &item.patch),
        (HttpMethod::Delete, &item.delete),
    ];
    let there = all.into_iter().filter_map(|(method, operation)| Some((name(&method), operation.as_ref()?)));
    there.collect()
}

const fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Head => "HEAD",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Trace => "TRACE",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_has_the_routes_and_the_routes_are_in_the_document() {
        let listed = super::super::endpoints().listed();
        let described: BTreeSet<String> = document()
            .paths
            .paths
            .iter()
            .flat_map(|(path, item)| operations(item).into_iter().map(move |(method, _)| format!("{method} {path}")))
            .collect();
        assert_eq!(described, listed, "left: #[utoipa::path(…)] of the handlers, right: the route table");
    }

    #[test]
    fn every_operation_says_what_it_is_and_what_it_needs() {
        let tags: BTreeSet<_> = TAGS.iter().map(|(tag, _)| *tag).collect();
        let mut ids = BTreeSet::new();
        for (path, item) in &document().paths.paths {
            for (method, operation) in operations(item) {
                let id = operation.operation_id.clone().expect("an id");
                assert!(operation.summary.as_deref().is_some_and(|summary| summary.ends_with('.')), "{id}");
                assert!(ids.insert(id.clone()), "{id} twice");
                let tag = operation.tags.as_deref().unwrap_or_default();
                assert!(tag.len() == 1 && tags.contains(tag[0].as_str()), "{method} {path}: {tag:?}");
                assert!(operation.security.is_some(), "{id}: which grant, or security(()) for none");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = TEXT.as_str();
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        for rest in text.split("\"$ref\": \"#").skip(1) {
            let pointer = rest.split('"').next().expect("its end");
            assert!(value.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn the_file_is_the_document_that_is_served() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
            std::fs::write(file, TEXT.as_str()).expect("docs/openapi.json can be written");
        }
        let written = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            written == *TEXT,
            "docs/openapi.json is not what the routes say: run `UPDATE_DOCS=1 cargo test openapi`"
        );
    }
}
