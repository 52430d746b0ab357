//! `GET /organizations`.

use super::*;

#[tokio::test]
async fn organizations_are_listed_with_their_tenant() {
    let office = Office::open().await;
    office.post("/tenants", json!({"external_id": "globex", "name": "Globex", "slug": "globex"})).await;
    for (tenant, organization) in [("acme", "77000000"), ("acme", "77000001"), ("globex", "77000000")] {
        let token = office.refresh_token(ANN, ASSIST, json!({"organization": organization})).await;
        assert_eq!(office.import(json!({"tenant": tenant, "refresh_token": token})).await.0, 201);
    }
    let ids = |listed: &Value| -> Vec<String> {
        let list = listed["organizations"].as_array().unwrap();
        list.iter().map(|one| format!("{} {}", one["tenant"]["external_id"], one["id"]).replace('"', "")).collect()
    };
    let (_, all) = office.get("/organizations").await;
    assert_eq!(ids(&all), ["acme 77000000", "acme 77000001", "globex 77000000"]);
    assert_eq!(all["organizations"][0]["name"], "Zylker");
    assert_eq!(all["organizations"][0]["product"], "assist");
    assert_eq!(ids(&office.get("/organizations?tenant=globex").await.1), ["globex 77000000"]);
    assert_eq!(ids(&office.get("/organizations?tenant=nobody").await.1), Vec::<String>::new());
    let (_, page) = office.get("/organizations?limit=2").await;
    let rest = office.get(&format!("/organizations?limit=2&cursor={}", page["next"].as_str().unwrap())).await.1;
    assert_eq!((ids(&page).len(), ids(&rest)), (2, vec!["globex 77000000".to_owned()]));
    let key = office.key("{connections:read}", Some("globex")).await;
    let (_, own) = office.call(&key, Method::GET, "/organizations", None).await;
    assert_eq!(ids(&own), ["globex 77000000"]);
    assert_eq!(ids(&office.call(&key, Method::GET, "/organizations?tenant=acme", None).await.1), Vec::<String>::new());
}
