//! For everybody but operators there is nothing under `/operator` (security.md S-41, S-49). The routes come from the
//! route table itself.

use reqwest::Method;

use super::site;
use crate::harness::*;

/// Every route under `/operator`, as `http/mod.rs` names them.
fn routes() -> Vec<String> {
    let table = include_str!("../../../src/http/mod.rs");
    let strings = table.split('"').skip(1).step_by(2);
    let found: Vec<_> = strings.filter(|text| text.starts_with("/operator")).map(str::to_owned).collect();
    assert!(!found.is_empty());
    found
}

/// Everything that an answer tells: status, headers, text. Whether a connection is kept depends on whether a body that
/// nobody read had arrived.
fn told(page: &Page) -> (u16, Vec<(String, String)>, String) {
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let mut headers: Vec<_> =
        page.headers.iter().map(header).filter(|(name, _)| name != "date" && name != "connection").collect();
    headers.sort();
    (page.status, headers, without_ids(&page.text))
}

/// A request in one of the ways in which people and scanners send it.
async fn ask(visitor: &Visitor, method: &Method, path: &str, way: usize) -> Page {
    let request = visitor.request(method.clone(), path);
    match way {
        0 => request.send().await,
        1 => request.same_origin().form(&[("csrf", "x")]).send().await,
        2 => {
            let csrf = visitor.get("/connections").await.field("csrf").unwrap_or_default();
            request.same_origin().form(&[("csrf", csrf.as_str())]).send().await
        }
        3 => request.body("application/json", "{}").send().await,
        _ => request.same_origin().body("application/x-www-form-urlencoded", &"x".repeat(100_000)).send().await,
    }
}

#[tokio::test]
async fn s49_for_others_the_operators_pages_are_no_pages() {
    let (app, sam) = site().await;
    let slug = app.database.text("select slug from tenant").await;
    let (bea, nobody) = (app.visitor(), app.visitor());
    bea.sign_in_as(BEA).await;
    let id = bea.only_connection().await;
    for route in routes() {
        let path = route.replace("{tenant}", &slug).replace("{id}", &id);
        for visitor in [&bea, &nobody] {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
                for way in 0..5 {
                    let page = ask(visitor, &method, &path, way).await;
                    let invented = ask(visitor, &method, "/operator/invented", way).await;
                    assert_eq!(told(&page), told(&invented), "{method} {route} {way}");
                    assert_eq!(page.status, 404, "{method} {route} {way}");
                }
            }
        }
        // Whose they are is told when the method is wrong.
        sam.request(Method::PUT, &path).send().await.assert_status(405);
    }
    assert!(!bea.get("/connections").await.has("/operator/"));
    assert!(sam.get("/connections").await.links().contains(&"/operator/tenants".to_owned()));
    assert_eq!(app.database.count("audit_event where action like 'operator%'").await, 0);
}

#[tokio::test]
async fn s29_whoever_is_granted_sees_them_with_the_next_request_and_loses_them_so() {
    let (app, sam) = site().await;
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    bea.get("/operator/tenants").await.assert_status(404);
    app.database.execute("insert into operator values ('eu', '795000001', '2026-11-21T10:00:00Z')").await;
    bea.get("/operator/tenants").await.assert_status(200);
    assert!(bea.get("/connections").await.has("/operator/tenants"));
    app.database.execute("delete from operator").await;
    bea.get("/operator/tenants").await.assert_status(404);
    sam.get("/operator/tenants").await.assert_status(200);
}

#[test]
fn s49_what_operators_look_at_names_no_sealed_column() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/operator");
    let mut files: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    // What is read of one connection, by administrators as well.
    for shared in ["connection/of_tenant.rs", "token_vend.rs", "audit_event.rs"] {
        files.push(std::path::Path::new(root).with_file_name(shared));
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["_sealed", "_digest", "select c.*", "select r.*"] {
            assert!(!text.contains(word), "{word} in {}", file.display());
        }
    }
}
