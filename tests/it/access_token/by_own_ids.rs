use super::*;

async fn tenant_of(connected: &Connected) -> String {
    connected.app.database.text("select slug from tenant").await
}

#[tokio::test]
async fn a_connection_is_found_by_tenant_product_organization_and_person() {
    let connected = Connected::start().await;
    let tenant = tenant_of(&connected).await;
    let organization = connected.token("").await.json()["organization"]["id"].as_str().unwrap().to_owned();
    for query in [
        format!("tenant={tenant}"),
        format!("tenant={tenant}&product=assist&organization={organization}&person={SAM}"),
        format!("person={SAM}&product=assist"),
        format!("organization={organization}&minimum_seconds=0"),
    ] {
        let told = connected.back_end.get(&format!("/api/v1/access-token?{query}")).await;
        assert_eq!(told.member("connection_id"), connected.id, "{query}");
    }
    for query in ["tenant=nobody", "person=eu:1", "organization=123456", &format!("tenant={tenant}&product=crm")] {
        let told = connected.back_end.get(&format!("/api/v1/access-token?{query}")).await;
        assert_eq!(told.problem(), "404 not-found", "{query}");
    }
}

#[tokio::test]
async fn s43_nothing_stands_in_for_an_id_that_is_missing_or_empty() {
    let connected = Connected::start().await;
    let own = connected.app.backend_of(&connected.id, TOKENS).await;
    for query in ["", "tenant=", "product=assist&tenant=", "organization=&product=assist", "person=&tenant=x"] {
        let path = format!("/api/v1/access-token?{query}");
        for back_end in [&connected.back_end, &own] {
            assert_eq!(back_end.get(&path).await.problem(), "400 invalid-request", "{query}");
        }
    }
    for query in ["minimum_seconds=", "rejected="] {
        assert_eq!(connected.token(&format!("?{query}")).await.problem(), "400 invalid-request", "{query}");
    }
    let path = "/api/v1/access-token?product=assist";
    assert_eq!(connected.back_end.get(path).await.problem(), "400 invalid-request", "whose?");
    assert_eq!(own.get(path).await.member("connection_id"), connected.id, "the key says whose");
}

#[tokio::test]
async fn s43_two_that_fit_are_told_and_none_is_taken() {
    let connected = Connected::start().await;
    let sam = connected.app.visitor();
    sam.connect("crm", SAM, "all").await;
    let path = format!("/api/v1/access-token?tenant={}", tenant_of(&connected).await);
    let told = connected.back_end.get(&path).await;
    assert_eq!(told.problem(), "409 ambiguous");
    let candidates = told.json()["candidates"].clone();
    let candidates = candidates.as_array().unwrap();
    assert_eq!(candidates.len(), 2);
    assert!(candidates.iter().all(|one| one["tenant"]["id"].is_string() && one["status"] == "active"));
    // What was disconnected gives way.
    let page = format!("/connections/{}/disconnect", connected.id);
    sam.submit(&page, &page, &[]).await;
    assert_eq!(connected.back_end.get(&path).await.member("product"), "crm");
    let path = format!("{path}&product=assist");
    assert_eq!(connected.back_end.get(&path).await.problem(), "409 disconnected");
}

#[tokio::test]
async fn s55_a_refusal_is_on_record_with_its_tenant() {
    let connected = Connected::start().await;
    let sam = connected.app.visitor();
    sam.connect("crm", SAM, "all").await;
    let by_tenant = format!("/api/v1/access-token?tenant={}", tenant_of(&connected).await);
    assert_eq!(connected.back_end.get(&by_tenant).await.problem(), "409 ambiguous");
    assert_eq!(connected.back_end.get("/api/v1/access-token?tenant=nobody").await.problem(), "404 not-found");
    let page = format!("/connections/{}/disconnect", connected.id);
    sam.submit(&page, &page, &[]).await;
    wait_for("the token is refused", || async {
        (connected.token("").await.problem() == "409 disconnected").then_some(())
    })
    .await;
    let question =
        "select distinct concat_ws(' ', e.detail, t.slug is not null, e.connection_id is not null) from audit_event e
        left join tenant t using (tenant_id) where action = 'token_refused' order by 1";
    let refusals = wait_for("the refusals are on record", || async {
        Some(connected.app.database.column(question).await).filter(|refusals| refusals.len() == 3)
    });
    assert_eq!(refusals.await, ["ambiguous t f", "disconnected t t", "not-found f f"]);
}
