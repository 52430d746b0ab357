//! `/api/v1/onboarding-links`.

use super::*;

fn members(told: &Told) -> Vec<String> {
    assert_eq!(told.problem(), "400 invalid-request", "{}", told.text);
    let errors = told.json()["errors"].as_array().unwrap().clone();
    errors.iter().map(|error| error["member"].as_str().unwrap().to_owned()).collect()
}

fn acme() -> Value {
    json!({"external_id": "acme", "name": "Acme"})
}

#[tokio::test]
async fn s23_s30_a_link_is_a_random_address_that_no_row_holds() {
    let site = Inviting::open().await;
    let made = site.post(&json!({"tenant": acme(), "product": "crm"})).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"));
    let made = made.json();
    let mut members: Vec<_> = made.as_object().unwrap().keys().collect();
    members.sort_unstable();
    assert_eq!(members, ["expires_at", "id", "url"]);
    assert_eq!(made["expires_at"], "2026-11-28T10:00:00Z");
    let url = made["url"].as_str().unwrap();
    let start = format!("{}/onboarding/", site.app.public_url().origin());
    let token = url.strip_prefix(&start).unwrap();
    assert_eq!(token.len(), 43);
    let bea = site.app.visitor();
    let link = Link { id: made["id"].as_str().unwrap().to_owned(), path: format!("/onboarding/{token}") };
    consent(&bea, &link, BEA).await;
    confirm(&bea, &link, &[]).await;
    for row in site.app.database.rows_with_secrets().await {
        assert!(!row.contains(token), "{row}");
    }
    let other = site.post(&json!({"tenant": "acme", "product": "crm", "expires_in": "36h"})).await;
    assert_eq!(other.json()["expires_at"], "2026-11-22T22:00:00Z");
}

#[tokio::test]
async fn a_new_external_id_is_a_new_tenant_and_a_known_one_is_not() {
    let site = Inviting::open().await;
    for name in [json!("Acme"), json!("Acme renamed"), json!(null)] {
        let told = site.post(&json!({"tenant": {"external_id": "acme", "name": name}, "product": "crm"})).await;
        assert_eq!(told.status, 201, "{}", told.text);
    }
    assert_eq!(site.app.database.column("select name from tenant").await, ["Acme"]);
    let nameless = site.post(&json!({"tenant": {"external_id": "globex"}, "product": "crm"})).await;
    assert_eq!(members(&nameless), ["tenant.name"]);
    assert_eq!(site.post(&json!({"tenant": "globex", "product": "crm"})).await.problem(), "404 not-found");
    assert_eq!(site.app.database.text("select count(*) from onboarding_link").await, "3");
}

#[tokio::test]
async fn s46_what_makes_no_link_is_told_member_by_member() {
    let site = Inviting::open().await;
    for elsewhere in ["https://evil.test/", "https://app.example.com.evil.test/", "http://app.example.com/", "/done"] {
        let told = site.post(&json!({"tenant": acme(), "product": "crm", "return_url": elsewhere})).await;
        assert_eq!(members(&told), ["return_url"], "{elsewhere}");
    }
    let told = site
        .post(&json!({"tenant": {"external_id": ""}, "product": "mail", "scopes": ["a b/c"], "expected_email_domain": "@x",
                     "expected_organization": "a b", "expires_in": "91d", "state": "connected"}))
        .await;
    assert_eq!(
        members(&told),
        [
            "tenant.external_id",
            "product",
            "scopes",
            "expected_email_domain",
            "expected_organization",
            "expires_in",
            "state"
        ]
    );
    assert_eq!(members(&site.post(&json!({})).await), ["tenant", "product"]);
    assert_eq!(members(&site.post(&json!({"tenant": 5, "product": "crm"})).await), ["tenant"]);
    let tables = ["onboarding_link", "tenant"];
    for table in tables {
        assert_eq!(site.app.database.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn extra_scopes_are_shown_and_asked_for() {
    let site = Inviting::open().await;
    let wanted = json!({"tenant": acme(), "product": "crm", "scopes": ["ZohoCRM.users.READ", "zohocrm.modules.read"]});
    let made = site.post(&wanted).await.json();
    let path = made["url"].as_str().unwrap().strip_prefix(site.app.public_url().origin()).unwrap().to_owned();
    let link = Link { id: made["id"].as_str().unwrap().to_owned(), path };
    let bea = site.app.visitor();
    assert!(bea.get(&link.path).await.has("ZohoCRM.users.READ"));
    let ask = start(&bea, &link).await;
    let scopes = parameter(&ask, "scope").unwrap();
    assert_eq!(scopes.matches("ZohoCRM.users.READ").count(), 1, "{scopes}");
    assert_eq!(scopes.to_lowercase().matches("zohocrm.modules.read").count(), 1, "{scopes}");
}

#[tokio::test]
async fn s41_s42_a_tenants_key_invites_to_its_tenant_alone() {
    let site = Inviting::open().await;
    let (own, foreign) = (site.invite("crm", PLAIN).await, site.invite_to("globex", "crm", PLAIN).await);
    let acme = site.app.database.text("select tenant_id from tenant where external_id = 'acme'").await;
    let (key, insert) = Backend::new(site.app.public_url(), site.app.addresses(), Some(&acme), &["onboarding:write"]);
    site.app.database.execute(&insert).await;
    let post = async |body: Value| {
        Told::read(key.request(Method::POST, "/api/v1/onboarding-links").json(&body).send().await.unwrap()).await
    };
    for (tenant, status) in [
        (json!({"external_id": "acme"}), "201"),
        (json!("acme"), "201"),
        (json!({"external_id": "globex", "name": "Globex"}), "403 forbidden"),
        (json!({"external_id": "new", "name": "New"}), "403 forbidden"),
        (json!("globex"), "404 not-found"),
        (json!("nobody"), "404 not-found"),
    ] {
        assert_eq!(post(json!({"tenant": tenant, "product": "crm"})).await.problem(), status, "{tenant}");
    }
    assert_eq!(site.app.database.count("tenant").await, 2);
    let invented = uuid::Uuid::now_v7().to_string();
    for (id, found) in [(&own.id, true), (&foreign.id, false), (&invented, false)] {
        let path = format!("/api/v1/onboarding-links/{id}");
        let expected = if found { [200, 204] } else { [404, 404] };
        for (method, status) in [Method::GET, Method::DELETE].into_iter().zip(expected) {
            let told = key.request(method, &path).send().await.unwrap();
            assert_eq!(told.status().as_u16(), status, "{path}");
        }
    }
    assert_eq!(site.state(&foreign).await, "created");
}
