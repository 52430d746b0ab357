//! What is refused before Zoho is asked: shape, body type, tenants, grants.

use super::*;

#[tokio::test]
async fn s40_every_mistake_is_named_and_no_value_repeated() {
    let office = Office::open().await;
    let refused = office.post("/connections", json!({})).await;
    assert_eq!(members(&refused), ["tenant", "product", "data_centre", "scopes", "refresh_token"]);
    let refused = office
        .import(json!({
            "product": "mail", "data_centre": "EU", "scopes": "a", "role": "owner", "status": "active",
            "client": {"id": "x"}, "organization": {"id": "a b"}, "refresh_token": "1000.a b"
        }))
        .await;
    assert_eq!(
        members(&refused),
        ["product", "data_centre", "scopes", "organization.id", "client.secret", "refresh_token", "role", "status"]
            .map(str::to_owned)
    );
    let both = office.import(json!({"self_client_code": "a", "refresh_token": "b"})).await;
    assert_eq!(members(&both), ["refresh_token"]);
    assert!(office.app.zoho.token_calls().await.is_empty());
}

#[tokio::test]
async fn a_data_centre_that_is_off_is_seen_without_asking_zoho() {
    let app = App::builder().config(|config| config.zoho.enabled.retain(|place| place.key() == "us")).start().await;
    let office = Office::of(app).await;
    let refused = office.import(json!({"refresh_token": "1000.any.any"})).await;
    assert_eq!(members(&refused), ["data_centre"]);
    assert!(office.app.zoho.token_calls().await.is_empty());
}

#[tokio::test]
async fn s40_s71_one_body_type_of_a_small_size() {
    let office = Office::open().await;
    let url = format!("http://{}/api/v1/connections", office.app.address(0));
    let send = async |content_type: &str, body: String| {
        let request = office.http.post(&url).bearer_auth(&office.key).header("content-type", content_type).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("text/plain", "{}".to_owned()).await, 415);
    assert_eq!(send("application/x-www-form-urlencoded", "tenant=acme".to_owned()).await, 415);
    assert_eq!(send("application/json; charset=utf-8", "{}".to_owned()).await, 400);
    for body in ["", "[]", "null", "{", "{\"tenant\": \"\\u0000\"}", "\u{0}"] {
        assert_eq!(send("application/json", body.to_owned()).await, 400, "{body:?}");
    }
    let long = format!("{{\"tenant\": \"{}\"}}", "x".repeat(17_000));
    assert_eq!(send("application/json", long).await, 413);
    let stranger = office.http.post(&url).header("content-type", "text/plain").body("x").send().await.unwrap();
    assert_eq!(stranger.status(), 401, "strangers' bodies are nobody's business");
}

#[tokio::test]
async fn s41_another_tenant_and_an_invented_one_are_the_same_answer() {
    let office = Office::open().await;
    office.post("/tenants", json!({"external_id": "globex", "name": "Globex", "slug": "globex"})).await;
    let key = office.key("{connections:write}", Some("globex")).await;
    let token = office.refresh_token(ANN, ASSIST, json!({})).await;
    let mut answers = Vec::new();
    for tenant in ["acme", "nobody"] {
        let body = json!({
            "tenant": tenant, "product": "assist", "data_centre": "eu", "scopes": ["ZohoAssist.userapi.READ"], "refresh_token": token,
        });
        let (status, mut problem) = office.call(&key, Method::POST, "/connections", Some(body)).await;
        assert_eq!((status, &problem["type"]), (404, &json!("/problems/not-found")));
        problem.as_object_mut().unwrap().remove("request_id");
        answers.push(problem);
    }
    assert_eq!(answers[0], answers[1]);

    let (_, acmes) = office.import(json!({"refresh_token": token})).await;
    let path = format!("/connections/{}", acmes["id"].as_str().unwrap());
    let invented = format!("/connections/{}", uuid::Uuid::now_v7());
    for path in [path, invented] {
        let (status, _) = office.call(&key, Method::DELETE, &path, None).await;
        assert_eq!(status, 404);
    }
    let stands = office.app.database.column("select status from connection").await;
    assert_eq!(stands, ["active"]);
}

#[tokio::test]
async fn s53_reading_is_not_writing() {
    let office = Office::open().await;
    let reads = office.key("{connections:read,tokens:read,proxy,audit:read,webhooks:write}", None).await;
    let id = uuid::Uuid::now_v7();
    for (method, path) in [
        (Method::POST, "/connections".to_owned()),
        (Method::DELETE, format!("/connections/{id}")),
        (Method::POST, "/tenants".to_owned()),
    ] {
        let (status, problem) = office.call(&reads, method, &path, Some(json!({}))).await;
        assert_eq!((status, &problem["type"]), (403, &json!("/problems/forbidden")), "{path}");
    }
    let writes = office.key("{connections:write}", None).await;
    for path in ["/tenants", "/organizations", "/connections"] {
        assert_eq!(office.call(&writes, Method::GET, path, None).await.0, 403, "{path}");
    }
}
