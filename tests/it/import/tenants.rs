//! `GET` and `POST /tenants`, and lists that go on.

use super::*;

#[tokio::test]
async fn a_tenant_is_made_once_however_often_it_is_asked_for() {
    let office = Office::open().await;
    let wanted = json!({"external_id": "globex-7", "name": "Globex Corporation"});
    let (status, made) = office.post("/tenants", wanted.clone()).await;
    assert_eq!((status, &made["external_id"], &made["name"]), (201, &json!("globex-7"), &json!("Globex Corporation")));
    assert!(made["slug"].as_str().unwrap().starts_with("globex-corporation-"), "{made}");
    assert_eq!(office.post("/tenants", wanted).await, (200, made.clone()));
    let same = json!({"external_id": "globex-7", "name": "Globex Corporation", "slug": made["slug"]});
    assert_eq!(office.post("/tenants", same).await, (200, made));

    let another = json!({"external_id": "globex-7", "name": "Hooli"});
    assert_eq!(members(&office.post("/tenants", another).await), ["external_id"]);
    let taken = json!({"external_id": "hooli", "name": "Hooli", "slug": "acme"});
    assert_eq!(members(&office.post("/tenants", taken).await), ["slug"]);
    let wrong = json!({"external_id": "", "name": " ", "slug": "A b", "own_of_person_id": "x"});
    assert_eq!(members(&office.post("/tenants", wrong).await), ["external_id", "name", "slug", "own_of_person_id"]);
    assert_eq!(office.app.database.count("tenant").await, 2);
}

#[tokio::test]
async fn s53_a_tenants_key_makes_no_tenants_and_sees_its_own() {
    let office = Office::open().await;
    office.post("/tenants", json!({"external_id": "globex", "name": "Globex", "slug": "globex"})).await;
    let key = office.key("{connections:read,onboarding:write}", Some("globex")).await;
    let wanted = json!({"external_id": "mine", "name": "Mine"});
    let (status, problem) = office.call(&key, Method::POST, "/tenants", Some(wanted)).await;
    assert_eq!((status, &problem["type"]), (403, &json!("/problems/forbidden")));
    let (_, listed) = office.call(&key, Method::GET, "/tenants", None).await;
    let names: Vec<_> = listed["tenants"].as_array().unwrap().iter().map(|tenant| &tenant["slug"]).collect();
    assert_eq!(names, ["globex"]);
    let (_, listed) = office.get("/tenants").await;
    assert_eq!(listed["tenants"].as_array().unwrap().len(), 2);
    assert_eq!(listed["next"], Value::Null);
}

#[tokio::test]
async fn a_list_of_tenants_goes_on_where_its_cursor_says() {
    let office = Office::open().await;
    for number in 0..4 {
        let id = format!("t{number}");
        office.post("/tenants", json!({"external_id": id, "name": id})).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/tenants?limit=2".to_owned());
    loop {
        let (status, listed) = office.get(&path).await;
        assert_eq!(status, 200, "{listed}");
        seen.extend(listed["tenants"].as_array().unwrap().iter().map(|tenant| tenant["external_id"].to_string()));
        let Some(next) = listed["next"].as_str() else { break };
        path = format!("/tenants?limit=2&cursor={next}");
        assert_eq!(office.get(&format!("/organizations?cursor={next}")).await.0, 400, "another list's");
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!(office.get("/tenants?tenant=acme").await.0, 400, "no such parameter");
}

#[tokio::test]
async fn s42_an_empty_filter_does_not_widen_a_list() {
    let office = Office::open().await;
    for path in [
        "/connections?tenant=",
        "/connections?person=",
        "/connections?organization=",
        "/connections?cursor=",
        "/organizations?tenant=",
        "/tenants?limit=",
    ] {
        assert_eq!(members(&office.get(path).await).len(), 1, "{path}");
    }
}

#[tokio::test]
async fn s42_a_key_finds_its_tenant_where_another_ones_external_id_is_its_slug() {
    let office = Office::open().await;
    office.post("/tenants", json!({"external_id": "g-1", "name": "Globex", "slug": "globex"})).await;
    office.post("/tenants", json!({"external_id": "globex", "name": "Other", "slug": "other"})).await;
    let key = office.key("{connections:read,connections:write}", Some("globex")).await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let scopes: Vec<&str> = ASSIST.split(',').collect();
    let body =
        json!({"tenant": "globex", "product": "assist", "data_centre": "eu", "scopes": scopes, "refresh_token": token});
    let (status, connection) = office.call(&key, Method::POST, "/connections", Some(body)).await;
    assert_eq!((status, &connection["tenant"]["external_id"]), (201, &json!("g-1")), "{connection}");
}
