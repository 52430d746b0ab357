//! The page for owners and administrators.

use std::time::Duration;

use super::*;

/// Sam's own tenant, and the path of its import page.
async fn at_home(app: &App) -> (Visitor, String) {
    let sam = app.visitor();
    sam.go("/login?product=none", SAM).await;
    let slug = app.database.text("select slug from tenant where own_of_person_id is not null").await;
    (sam, format!("/tenants/{slug}/import"))
}

async fn code(app: &App, person: &str, scope: &str) -> String {
    let made = app.zoho.call(Method::POST, "/control/approve", json!({"person": person, "scope": scope})).await;
    made["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_owner_imports_a_code_and_sees_what_it_has_connected() {
    let app = App::start().await;
    let (sam, page) = at_home(&app).await;
    assert!(sam.get("/connections").await.links().contains(&page), "the way there is on the page of connections");
    let code = code(&app, SAM, ASSIST).await;
    let form = [("product", "assist"), ("data_centre", "us"), ("self_client_code", code.as_str()), ("minutes", "5")];
    let answer = sam.submit(&page, &page, &form).await;
    assert!(answer.location().starts_with(&format!("{page}/")), "{}", answer.location());
    let told = sam.get(answer.location()).await;
    told.assert_status(200);
    assert!(told.has("Rivera Supplies") && told.has("Sam Rivera"), "{}", told.text);
    let id = sam.only_connection().await;
    assert!(told.links().contains(&format!("/connections/{id}")), "it is Sam's own");
    let audited =
        app.database.column("select actor_kind || ' ' || action from audit_event order by at, audit_event_id").await;
    assert_eq!(audited.last().unwrap(), "person imported");

    let stranger = app.visitor();
    stranger.go("/login?product=none", BEA).await;
    for path in [&page, answer.location()] {
        assert_eq!(stranger.get(path).await.status, 404);
    }
    let csrf = stranger.get("/connections").await.csrf();
    let forged = stranger.post_form(&page, &[("csrf", &csrf), ("product", "assist")]).await;
    assert_eq!(forged.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_no_secret_shown_again() {
    let app = App::start().await;
    let (sam, page) = at_home(&app).await;
    app.zoho.forget_journal().await;
    let token = "1000.refresh.of.nobody";
    let form = [
        ("product", ""),
        ("data_centre", "mars"),
        ("scopes", "a;b"),
        ("refresh_token", token),
        ("client_id", "1000.SELF"),
        ("organization", "7 7"),
        ("environment", "moon"),
    ];
    let refused = sam.submit(&page, &page, &form).await;
    refused.assert_status(400);
    for field in ["product", "data_centre", "scopes", "client_id", "organization", "environment"] {
        assert!(refused.has(&format!("id=\"{field}-error\"")), "{field}");
    }
    assert_eq!(refused.field("client_id").as_deref(), Some("1000.SELF"), "what is no secret stays");
    assert!(!refused.has(token));
    assert!(app.zoho.token_calls().await.is_empty());

    let good = [("product", "assist"), ("data_centre", "us")];
    let dead = sam.submit(&page, &page, &[&good[..], &[("refresh_token", token)]].concat()).await;
    dead.assert_status(400);
    assert!(dead.has("id=\"refresh_token-error\"") && !dead.has(token));
    let client = [("refresh_token", token), ("client_id", "1000.SELF"), ("client_secret", "a-secret-of-nobody")];
    let wrong = sam.submit(&page, &page, &[&good[..], &client].concat()).await;
    wrong.assert_status(400);
    assert!(wrong.has("id=\"client_id-error\"") && !wrong.has("a-secret-of-nobody"));
    let unknown = sam.submit(&page, &page, &[&good[..], &[("role", "owner")]].concat()).await;
    unknown.assert_status(400);
    let forged = sam.post_form(&page, &good).await;
    assert_eq!(forged.status, 403, "without the form token");
}

#[tokio::test]
async fn a_code_counts_down_and_is_not_presented_once_it_has_run_out() {
    let app = App::start().await;
    let (sam, page) = at_home(&app).await;
    let code = code(&app, SAM, ASSIST).await;
    app.zoho.forget_journal().await;
    // The product is forgotten: nothing is asked of Zoho, and the minutes run.
    let first = sam.submit(&page, &page, &[("data_centre", "us"), ("self_client_code", &code), ("minutes", "2")]).await;
    first.assert_status(400);
    let ends = first.field("code_ends").expect("when it ends");
    assert_eq!(ends, "2026-11-21T10:02:00Z");
    assert!(first.has("data-countdown") && !first.has(&code));
    app.advance(Duration::from_secs(121)).await;
    let again = [
        ("product", "assist"),
        ("data_centre", "us"),
        ("self_client_code", code.as_str()),
        ("minutes", ""),
        ("code_ends", ends.as_str()),
    ];
    let late = sam.submit(&page, &page, &again).await;
    late.assert_status(400);
    assert!(late.has("id=\"self_client_code-error\"") && late.has("minutes of this one are over"), "{}", late.text);
    assert!(app.zoho.token_calls().await.is_empty());
}

#[tokio::test]
async fn a_choice_is_offered_where_zoho_lists_several() {
    let app = App::start().await;
    let bea = app.visitor();
    bea.go("/login?product=none", BEA).await;
    let slug = app.database.text("select slug from tenant").await;
    let page = format!("/tenants/{slug}/import");
    let code = code(&app, BEA, SALESIQ).await;
    let form = [("product", "salesiq"), ("data_centre", "eu"), ("self_client_code", &code), ("scopes", SALESIQ)];
    let answer = bea.submit(&page, &page, &form).await;
    let told = bea.get(answer.location()).await;
    assert!(told.has("Choose the organization"), "{}", told.text);
    let id = bea.only_connection().await;
    assert_eq!(bea.get(&format!("/connections/{id}")).await.values("organization").len(), 3);
}
