use super::*;

#[tokio::test]
async fn s41_another_tenants_endpoints_and_deliveries_do_not_exist() {
    let app = start().await;
    let receiver = Receiver::listen().await;
    let (sam, bea) = (connect(&app, SAM).await, connect(&app, BEA).await);
    let (own, other) = (app.backend_of(&sam, GRANTS).await, app.backend_of(&bea, GRANTS).await);
    let all = app.backend(GRANTS).await;
    let mine = listen_to(&own, &receiver.url("/mine"), &[]).await;
    let everybodys = listen_to(&all, &receiver.url("/all"), &[]).await;
    assert_eq!(everybodys["tenant"], Value::Null);
    send(&own, Method::POST, &format!("/webhook-endpoints/{}/test", id_of(&mine)), None).await;
    receiver.until(1).await;
    let delivery = deliveries(&own, "").await.pop().unwrap();
    let nobodys = "019aa3f2-7c1e-7d10-9b2f-0000000000c0";
    let mut answers = Vec::new();
    for id in [id_of(&mine), id_of(&everybodys), nobodys] {
        let path = format!("/webhook-endpoints/{id}");
        for (method, path, body) in [
            (Method::GET, path.clone(), None),
            (Method::PATCH, path.clone(), Some(json!({"enabled": false}))),
            (Method::DELETE, path.clone(), None),
            (Method::POST, format!("{path}/rotate-secret"), None),
            (Method::POST, format!("{path}/test"), None),
        ] {
            let told = send(&other, method, &path, body).await;
            assert_eq!(told.problem(), "404 not-found", "{path}");
            answers.push(without_ids(&told.text));
        }
    }
    for id in [id_of(&delivery), nobodys] {
        let told = send(&other, Method::POST, &format!("/webhook-deliveries/{id}/redeliver"), None).await;
        assert_eq!(told.problem(), "404 not-found");
        answers.push(without_ids(&told.text));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(deliveries(&other, "").await.is_empty());
    let tenant = mine["tenant"]["id"].as_str().unwrap();
    let foreign = post(&other, "/webhook-endpoints", json!({"url": receiver.url("/"), "tenant": tenant})).await;
    assert_eq!(foreign.problem(), "404 not-found");
    let listed = |told: Told| told.json()["webhook_endpoints"].as_array().unwrap().len();
    assert_eq!(listed(own.get("/api/v1/webhook-endpoints").await), 1);
    assert_eq!(listed(other.get("/api/v1/webhook-endpoints").await), 0);
    assert_eq!(listed(other.get(&format!("/api/v1/webhook-endpoints?tenant={tenant}")).await), 0);
    assert_eq!(listed(all.get("/api/v1/webhook-endpoints").await), 2);
    assert_eq!(listed(all.get(&format!("/api/v1/webhook-endpoints?tenant={tenant}")).await), 1);
}

#[tokio::test]
async fn s53_webhooks_need_their_grant() {
    let app = start().await;
    let back_end = app.backend(&["connections:read", "connections:write", "tokens:read", "proxy", "audit:read"]).await;
    for path in ["/webhook-endpoints", "/webhook-deliveries"] {
        assert_eq!(back_end.get(&format!("/api/v1{path}")).await.problem(), "403 forbidden");
    }
    let refused = post(&back_end, "/webhook-endpoints", json!({"url": "https://hooks.example.com/"})).await;
    assert_eq!(refused.problem(), "403 forbidden");
}

#[tokio::test]
async fn an_endpoint_is_made_changed_and_ended_and_its_secret_is_told_once() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let made = listen_to(&back_end, &receiver.url("/"), &[]).await;
    let wanted = made["events"].as_array().unwrap();
    assert!(wanted.contains(&json!("connection.connected")) && !wanted.contains(&json!("connection.refreshed")));
    let path = format!("/webhook-endpoints/{}", id_of(&made));
    let got = back_end.get(&format!("/api/v1{path}")).await;
    assert_eq!(got.json().get("secret"), None);
    assert!(!back_end.get("/api/v1/webhook-endpoints").await.text.contains("whsec_"));
    let change = json!({"url": receiver.url("/new"), "events": ["connection.refreshed", "connection.refreshed"]});
    let changed = send(&back_end, Method::PATCH, &path, Some(change)).await.json();
    assert_eq!((&changed["url"], &changed["events"]), (&json!(receiver.url("/new")), &json!(["connection.refreshed"])));
    for (body, member) in [
        (json!({"url": "https://10.0.0.1/"}), "url"),
        (json!({"url": ""}), "url"),
        (json!({"events": []}), "events"),
        (json!({"events": ["connection.exploded"]}), "events"),
        (json!({"events": ["webhook.test"]}), "events"),
        (json!({"events": "all"}), "events"),
        (json!({"enabled": "yes"}), "enabled"),
        (json!({"secret": "whsec_mine"}), "secret"),
        (json!({"tenant": "another"}), "tenant"),
    ] {
        let refused = send(&back_end, Method::PATCH, &path, Some(body.clone())).await;
        assert_eq!(refused.problem(), "400 invalid-request", "{body}");
        assert_eq!(refused.json()["errors"][0]["member"], member);
    }
    assert_eq!(post(&back_end, "/webhook-endpoints", json!({})).await.json()["errors"][0]["member"], "url");
    send(&back_end, Method::POST, &format!("{path}/test"), None).await;
    receiver.until(1).await;
    let ended = send(&back_end, Method::DELETE, &path, None).await;
    assert_eq!((ended.status, ended.text.as_str()), (204, ""));
    assert_eq!(send(&back_end, Method::DELETE, &path, None).await.problem(), "404 not-found");
    assert_eq!(app.database.count("webhook_delivery").await, 0);
    let told = app
        .database
        .column("select action from audit_event where action like 'webhook%' order by at, audit_event_id")
        .await;
    let expected =
        ["webhook_endpoint_created", "webhook_endpoint_changed", "webhook_tested", "webhook_endpoint_deleted"];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn endpoints_are_few_and_lists_come_in_pages() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(id_of(&listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await).to_owned());
    }
    let refused = post(&back_end, "/webhook-endpoints", json!({"url": receiver.url("/")})).await;
    assert_eq!(refused.problem(), "400 invalid-request");
    connect(&app, SAM).await;
    receiver.until(20).await;
    for (path, member) in [("/webhook-endpoints", "webhook_endpoints"), ("/webhook-deliveries", "webhook_deliveries")] {
        let mut seen = Vec::new();
        let mut query = "?limit=7".to_owned();
        loop {
            let page = back_end.get(&format!("/api/v1{path}{query}")).await.json();
            seen.extend(page[member].as_array().unwrap().iter().map(|row| id_of(row).to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=7&cursor={next}");
        }
        let distinct: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (20, 20), "{path}");
        assert_eq!(back_end.get(&format!("/api/v1{path}?cursor=x")).await.problem(), "400 invalid-request");
        assert_eq!(back_end.get(&format!("/api/v1{path}?color=x")).await.problem(), "400 invalid-request");
    }
    let of_one = deliveries(&back_end, &format!("?webhook_endpoint={}", ids[3])).await;
    assert_eq!(of_one.len(), 1);
}

#[tokio::test]
async fn a_page_of_deliveries_is_one_walk_of_an_index() {
    let app = start().await;
    let (all, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let own = app.backend_of(&connect(&app, SAM).await, GRANTS).await;
    // Of each tenant's endpoint a few, of everybody's a great many.
    for back_end in [&all, &own] {
        listen_to(back_end, &receiver.url("/"), &["connection.recovered"]).await;
    }
    app.database
        .execute(
            "insert into webhook_delivery (webhook_delivery_id, tenant_id, webhook_endpoint_id, event_id, event_type, payload,
                 connection_id, status, tries, created_at, due_at, give_up_at, settled_at)
             select gen_random_uuid(), tenant_id, webhook_endpoint_id, gen_random_uuid(), 'connection.refreshed', '{}',
                 md5((n % 500)::text)::uuid, 'delivered', 1, t, t, t, t
             from (values (timestamptz '2026-11-21T09:00:00Z')) at (t), webhook_endpoint,
                 generate_series(1, case when tenant_id is null then 20000 else 100 end) n",
        )
        .await;
    app.database.execute("analyze webhook_delivery").await;
    let mut site = app.database.site("set app.actor = 'engine'").await;
    let own = app.database.text("select tenant_id from webhook_endpoint where tenant_id is not null").await;
    // As store/webhook_delivery/listed.rs asks, with its parameters in place.
    for (filter, index) in [
        ("true".to_owned(), "webhook_delivery_newest"),
        ("sequence < 9000".to_owned(), "webhook_delivery_newest"),
        ("connection_id = md5('77')::uuid".to_owned(), "webhook_delivery_of_connection"),
        (format!("tenant_id = '{own}'"), "webhook_delivery_by_tenant"),
    ] {
        let explain = format!(
            "explain (analyze, costs off, timing off, summary off)
             select * from webhook_delivery where {filter} order by sequence desc limit 51"
        );
        let plan = plan(&mut site, &explain).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan on webhook_delivery"), "{filter}\n{plan}");
        assert!(!plan.contains("Removed by Filter"), "{filter}\n{plan}");
    }
}
