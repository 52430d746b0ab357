//! Another tenant's ids and invented ones are the same to every route of the console, and members without the role are
//! told so (security.md S-41, S-29). The routes come from the route table itself.

use reqwest::Method;

use super::console;
use crate::harness::*;

/// Every route under `/tenants/{tenant}`, as `http/mod.rs` names them.
fn routes() -> Vec<String> {
    let table = include_str!("../../../src/http/mod.rs");
    let strings = table.split('"').skip(1).step_by(2);
    let found: Vec<_> = strings.filter(|text| text.starts_with("/tenants/{tenant}/")).map(str::to_owned).collect();
    assert!(found.len() > 8, "{found:?}");
    found
}

async fn ask(visitor: &Visitor, method: &Method, path: &str) -> Page {
    let request = visitor.request(method.clone(), path);
    if method == Method::POST {
        request.same_origin().form(&[("csrf", "x")]).send().await
    } else {
        request.send().await
    }
}

#[tokio::test]
async fn s41_a_foreign_tenant_and_an_invented_one_are_the_same_answer() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let (own, foreign) = (console(&sam).await, console(&bea).await);
    let id = bea.only_connection().await;
    // What is refused for its form is refused before anybody knows who asks: its page may or may not greet them.
    let shape = |page: &Page| {
        let text = if page.status == 400 { String::new() } else { without_ids(&page.text) };
        (page.status, text)
    };
    for route in routes() {
        let filled = |tenant: &str, id: &str| {
            route.replace("/tenants/{tenant}", tenant).replace("{id}", id).replace("{person}", id)
        };
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let invented = ask(&sam, &method, &filled("/tenants/nobody-000000", &id)).await;
            let theirs = ask(&sam, &method, &filled(&foreign, &id)).await;
            assert_eq!(shape(&invented), shape(&theirs), "{method} {route}");
            assert!([404, 405, 400].contains(&theirs.status), "{method} {route}: {}", theirs.status);
            if route.contains("{id}") || route.contains("{person}") {
                // In one's own tenant, somebody else's id and one that nobody has.
                let invented = ask(&sam, &method, &filled(&own, "019aa3f2-7c1e-7d10-9b2f-000000000009")).await;
                let theirs = ask(&sam, &method, &filled(&own, &id)).await;
                assert_eq!(shape(&invented), shape(&theirs), "{method} {route}");
                assert!([404, 405, 400, 403].contains(&theirs.status), "{method} {route}: {}", theirs.status);
            }
        }
    }
}

#[tokio::test]
async fn s29_a_member_is_told_that_it_takes_more_and_a_demotion_bites_at_once() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    let pages = ["organizations", "organizations/csv", "connections", "connections/csv"];
    for page in pages {
        sam.get(&format!("{console}/{page}")).await.assert_status(200);
    }
    app.database.execute("update membership set role = 'member'").await;
    for page in pages {
        sam.get(&format!("{console}/{page}")).await.assert_status(403);
    }
    app.database.execute("delete from membership").await;
    for page in pages {
        sam.get(&format!("{console}/{page}")).await.assert_status(404);
    }
}
