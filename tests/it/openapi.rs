//! The OpenAPI document against the running program: every call that it describes is there, wants the grant that it
//! names, knows the parameters that it lists, and answers in the shape that it promises.

mod schema;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::harness::*;
use schema::Schemas;

const GRANTS: [&str; 7] = [
    "connections:read",
    "connections:write",
    "tokens:read",
    "proxy",
    "onboarding:write",
    "webhooks:write",
    "audit:read",
];

/// An operation of the document.
struct Operation {
    method: Method,
    path: String,
    told: Value,
}

impl Operation {
    /// The path with `id` in every place.
    fn path(&self, id: &str) -> String {
        let pieces = self.path.split('/').map(|piece| if piece.starts_with('{') { id } else { piece });
        format!("/api/v1{}", pieces.collect::<Vec<_>>().join("/"))
    }

    /// The grant that stands beside it; none where no key is needed.
    fn grant(&self) -> Option<&str> {
        self.told["security"][0]["api_key"][0].as_str()
    }

    fn query_parameters(&self) -> Vec<&str> {
        let parameters = self.told["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        query.map(|parameter| parameter["name"].as_str().expect("a name")).collect()
    }
}

async fn document(app: &App) -> Value {
    let told = app.visitor().get("/api/v1/openapi.json").await;
    told.assert_status(200);
    serde_json::from_str(&told.text).expect("JSON")
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").iter();
        methods.map(|(method, told)| Operation {
            method: method.to_uppercase().parse().expect("a method"),
            path: path.clone(),
            told: told.clone(),
        })
    });
    operations.collect()
}

#[tokio::test]
async fn the_document_needs_no_key_and_is_the_file_of_the_documentation() {
    let app = App::start().await;
    let visitor = app.visitor();
    let served = visitor.get("/api/v1/openapi.json").await;
    assert_eq!((served.status, served.header("content-type")), (200, "application/json"));
    assert_eq!(served.header("cache-control"), "no-store");
    assert_eq!(served.text, include_str!("../../docs/openapi.json"));
}

/// The addresses that a page leads to below `/api/docs`, each with the place on it.
fn links(page: &Page) -> Vec<(String, Option<String>)> {
    let links = page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links = links.filter(|link| link.starts_with("/api/docs"));
    links
        .map(|link| link.split_once('#').map_or((link.into(), None), |(to, id)| (to.into(), Some(id.into()))))
        .collect()
}

#[tokio::test]
async fn the_pages_tell_every_call_and_type_and_their_links_lead_somewhere() {
    let app = App::start().await;
    let visitor = app.visitor();
    let mut pages = BTreeMap::from([("/api/docs".to_owned(), visitor.get("/api/docs").await)]);
    let mut known = Vec::new();
    while let Some((path, page)) = pages.iter().find(|(path, _)| !known.contains(*path)) {
        page.assert_status(200);
        known.push(path.clone());
        let unknown: Vec<_> = links(page).into_iter().map(|(to, _)| to).filter(|to| !pages.contains_key(to)).collect();
        for to in unknown {
            let page = visitor.get(&to).await;
            pages.insert(to, page);
        }
    }
    for (path, page) in &pages {
        for (to, id) in links(page) {
            let there = id.as_ref().is_none_or(|id| pages[&to].has(&format!("id=\"{id}\"")));
            assert!(there, "{path} leads to {to}#{id:?}, which is not there");
        }
    }
    let document = document(&app).await;
    for operation in operations(&document) {
        let page = &pages[&format!("/api/docs/{}", operation.told["tags"][0].as_str().expect("a tag"))];
        let id = operation.told["operationId"].as_str().expect("an id");
        let path = format!("/api/v1{}", operation.path);
        assert!(page.has(&path), "{path} is not on its page");
        // The same call by several methods has one place.
        let method = format!("_{}", operation.method.as_str().to_lowercase());
        let places = [id, id.strip_suffix(&method).unwrap_or(id)];
        assert!(places.iter().any(|id| page.has(&format!("id=\"{id}\""))), "{id} has no place on its page");
    }
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        assert!(pages.contains_key(&format!("/api/docs/types/{name}")), "{name} has no page");
    }
    for nothing in ["/api/docs/nothing", "/api/docs/types/nothing", "/api/docs/types", "/api/docs/"] {
        visitor.get(nothing).await.assert_status(404);
    }
}

/// Examples of the manual that answer JSON, by the schema that they show.
const SHOWN: [(&str, &str); 2] = [("AccessToken", "{\"access_token\""), ("ConnectionList", "{\"connections\"")];

#[test]
fn the_manual_has_an_example_of_every_call_and_shows_answers_as_they_are() {
    let manual = include_str!("../../docs/http-api.md");
    let document: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).expect("JSON");
    for operation in operations(&document).into_iter().filter(|operation| operation.grant().is_some()) {
        let path =
            operation.path.replace("{id}", "019aa3f2-7c1e-7d10-9b2f-000000000001").replace("{path}", "api/v2/user");
        let ends = ["\"", "?"];
        assert!(ends.iter().any(|end| manual.contains(&format!("\"$SITE{path}{end}"))), "no example of {path}");
    }
    for (schema, start) in SHOWN {
        let at = manual.find(&format!("```json\n{start}")).expect(schema) + "```json".len();
        let block = manual[at..].split("```").next().expect("its end");
        Schemas::of(&document).check(schema, &serde_json::from_str(block).expect("JSON"));
    }
}

#[tokio::test]
async fn s53_every_call_wants_the_grant_that_stands_beside_it_and_no_other() {
    let app = App::start().await;
    let document = document(&app).await;
    let keyless = app.visitor();
    for operation in operations(&document) {
        let path = operation.path("019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41");
        let line = format!("{} {path}", operation.method);
        let without = keyless.request(operation.method.clone(), &path).without_cookies().send().await;
        assert_eq!(without.status == 401, operation.grant().is_some(), "{line}: {}", without.status);
        let Some(wanted) = operation.grant() else { continue };
        assert!(GRANTS.contains(&wanted), "{line} wants {wanted}");
        for grant in GRANTS {
            let back_end = app.backend(&[grant]).await;
            let answer = back_end.request(operation.method.clone(), &path).send().await.expect("an answer");
            let status = answer.status().as_u16();
            assert!(![401, 405].contains(&status), "{line} with {grant}: {status}");
            assert_eq!(status == 403, grant != wanted, "{line} with {grant}: {status}");
        }
    }
}

#[tokio::test]
async fn every_parameter_that_is_listed_is_known() {
    let app = App::start().await;
    let back_end = app.backend(&GRANTS).await;
    for operation in operations(&document(&app).await) {
        if operation.grant().is_none() || operation.grant() == Some("proxy") || operation.method != Method::GET {
            continue;
        }
        let given: Vec<_> = operation.query_parameters().iter().map(|name| format!("{name}=%00")).collect();
        let path = operation.path("019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41");
        let told = back_end.get(&format!("{path}?{}&nonsense=1", given.join("&"))).await;
        assert_eq!(told.problem(), "400 invalid-request", "{path}");
        let unknown: Vec<_> = told.json()["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .filter(|error| error["detail"] == "is no parameter of this call")
            .map(|error| error["member"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(unknown, ["nonsense"], "{path}");
    }
}

#[tokio::test]
async fn answers_and_problems_have_the_shape_that_is_promised() {
    let app = App::start().await;
    let document = document(&app).await;
    let schemas = Schemas::of(&document);
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let back_end = app.backend(&["connections:read", "tokens:read"]).await;
    for (schema, status, path) in [
        ("ConnectionList", 200, "/api/v1/connections".to_owned()),
        ("Connection", 200, format!("/api/v1/connections/{id}")),
        ("AccessToken", 200, format!("/api/v1/connections/{id}/access-token")),
        ("AccessToken", 200, "/api/v1/access-token?organization=60000001".to_owned()),
        ("Problem", 400, "/api/v1/connections?limit=many&color=blue".to_owned()),
        ("Problem", 404, "/api/v1/nothing".to_owned()),
    ] {
        let told = back_end.get(&path).await;
        assert_eq!(told.status, status, "{path}: {}", told.text);
        schemas.check(schema, &told.json());
    }
    sam.connect("crm", SAM, "60000001").await;
    let ambiguous = back_end.get("/api/v1/access-token?person=us:780000001").await;
    assert_eq!(ambiguous.problem(), "409 ambiguous");
    schemas.check("Problem", &ambiguous.json());
}
