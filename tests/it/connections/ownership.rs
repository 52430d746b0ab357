//! Somebody else's connection and an invented one are the same answer.

use reqwest::Method;

use super::*;

#[tokio::test]
async fn s41_another_persons_connection_and_an_invented_one_are_the_same_answer() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let foreign = bea.only_connection().await;
    let invented = uuid::Uuid::now_v7().to_string();
    let csrf = sam.get("/connections").await.csrf();
    let before = app.database.row_counts().await;
    for (method, end) in [
        (Method::GET, ""),
        (Method::HEAD, ""),
        (Method::GET, "/disconnect"),
        (Method::POST, "/disconnect"),
        (Method::POST, "/reconnect"),
        (Method::POST, "/organization"),
    ] {
        let mut answers = Vec::new();
        for id in [foreign.as_str(), &invented, "no-id-at-all", "0", &foreign.to_uppercase()] {
            let request = sam.request(method.clone(), &format!("/connections/{id}{end}"));
            let request = match method {
                Method::POST => request.same_origin().form(&[("csrf", &csrf)]),
                _ => request,
            };
            let mut page = request.send().await;
            assert_eq!(page.status, 404, "{method} {end} {id}");
            page.headers.remove("date");
            let mut headers: Vec<_> = page
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", without_ids(value.to_str().unwrap())))
                .collect();
            headers.sort();
            answers.push((headers, without_ids(&page.text)));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{method} {end}");
    }
    assert_eq!(app.database.row_counts().await, before);
    assert!(row(&app, &foreign).await.starts_with("active"));
}

#[tokio::test]
async fn s41_a_person_sees_their_own_connections_only() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    assert_eq!(sam.connection_ids().await.len(), 1);
    assert!(!sam.get("/connections").await.has("Novak"));
    assert!(!bea.get("/connections").await.has("Rivera"));
}

#[tokio::test]
async fn s29_who_leaves_a_tenant_has_no_connection_there_at_once() {
    let app = App::builder().replicas(2).start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    app.database.execute("delete from membership").await;
    for replica in 0..2 {
        assert_eq!(sam.via(replica).get(&format!("/connections/{id}")).await.status, 404);
    }
}

#[tokio::test]
async fn s43_nothing_stands_in_for_a_missing_or_empty_name() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let tenant = sam.get("/connections").await.field("tenant").unwrap();
    let before = app.database.row_counts().await;
    for (form, status) in [
        (&[("product", "desk")][..], 400),
        (&[("product", "desk"), ("tenant", "")], 404),
        (&[("product", ""), ("tenant", &tenant)], 400),
        (&[("tenant", &tenant)], 400),
        (&[("product", "nonsense"), ("tenant", &tenant)], 400),
        (&[("product", "none"), ("tenant", &tenant)], 400),
        (&[("product", "desk"), ("tenant", &tenant), ("scopes", "not a scope;")], 400),
    ] {
        let page = sam.submit("/connections", "/connections", form).await;
        assert!([status, 400].contains(&page.status), "{form:?}: {}", page.status);
        assert!(page.set_cookies().is_empty());
    }
    for empty in ["/connections/", "/connections//disconnect", "/connections/%20"] {
        assert_eq!(sam.get(empty).await.status, 404, "{empty}");
    }
    assert_eq!(app.database.row_counts().await, before);
}
