use super::*;

#[tokio::test]
async fn r25_what_fails_is_tried_again_later_and_later_for_a_day_and_is_then_a_dead_letter() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let endpoint = listen_to(&back_end, &receiver.url("/"), &[]).await;
    let path = format!("/webhook-endpoints/{}/test", id_of(&endpoint));
    receiver.answers(Answer::Status(500));
    let event_id = send(&back_end, Method::POST, &path, None).await.json()["event_id"].clone();
    let mut tries = 1;
    let mut waited = 0;
    loop {
        // Nothing happens to it any more until time goes on.
        let done = "select case when claimed_until is null then tries else 0 end from webhook_delivery";
        wait_for("a try", || async { (app.database.text(done).await == tries.to_string()).then_some(()) }).await;
        let newest = deliveries(&back_end, "").await.remove(0);
        assert_eq!(newest["last_status_code"], 500);
        if newest["status"] == "dead" {
            break;
        }
        let at = |name: &str| newest[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let pause = (at("next_try_at") - at("last_tried_at")).num_seconds();
        let full = 5 * 2_i64.pow(tries - 1);
        assert!(
            pause <= full + 1 && (pause >= full / 2 - 1 || waited + pause >= 86_399),
            "try {tries}: {pause} s of {full}"
        );
        app.advance(Duration::from_secs(u64::try_from(pause).unwrap() + 1)).await;
        waited += pause + 1;
        tries += 1;
    }
    assert!((86_400..86_500).contains(&waited), "given up after {waited} s");
    let got = receiver.until(usize::try_from(tries).unwrap()).await;
    assert!(got.iter().all(|received| event_id == received.id()), "always the same id");
    let signatures: std::collections::HashSet<_> =
        got.iter().map(|received| received.header("webhook-signature")).collect();
    assert_eq!(signatures.len(), got.len(), "always another signature");
    // Somebody sends it again.
    receiver.answers(Answer::Status(204));
    let dead = deliveries(&back_end, "?status=dead").await;
    assert_eq!(dead.len(), 1);
    let again =
        send(&back_end, Method::POST, &format!("/webhook-deliveries/{}/redeliver", id_of(&dead[0])), None).await;
    assert_eq!((again.status, again.json()["status"].as_str()), (202, Some("pending")));
    until_tried(&back_end, 1, "delivered").await;
    assert_eq!(receiver.got().last().unwrap().id(), event_id);
}

#[tokio::test]
async fn r25_a_receiver_that_is_back_after_an_hour_gets_everything_in_order() {
    let app = App::builder().replicas(2).config(|config| config.webhooks_to_loopback = true).start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await;
    receiver.answers(Answer::Status(502));
    for _ in 0..6 {
        app.visitor().sign_in_as(SAM).await;
        app.visitor().sign_in_as(BEA).await;
        app.advance(Duration::from_secs(600)).await;
    }
    receiver.answers(Answer::Status(200));
    app.advance(Duration::from_secs(3600)).await;
    wait_for("all are delivered", || async {
        let left = app.database.text("select count(*) from webhook_delivery where status <> 'delivered'").await;
        (left == "0").then_some(())
    })
    .await;
    let order = "select event_id from webhook_delivery order by connection_id, sequence";
    let mut came = Vec::new();
    for received in receiver.got().into_iter().rev() {
        // The last time each came is when it was taken.
        if !came.iter().any(|(_, id)| *id == received.id()) {
            came.push((received.json()["data"]["id"].as_str().unwrap().to_owned(), received.id().to_owned()));
        }
    }
    came.reverse();
    came.sort_by(|one, other| one.0.cmp(&other.0));
    let came: Vec<_> = came.into_iter().map(|(_, id)| id).collect();
    assert_eq!(came, app.database.column(order).await);
}

#[tokio::test]
async fn r25_a_late_200_counts_for_nothing_and_the_same_id_comes_again() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await;
    receiver.answers(Answer::TooLate);
    connect(&app, SAM).await;
    let tried = until_tried(&back_end, 1, "pending").await;
    assert_eq!(tried["last_failure"], "timeout");
    let took = tried["last_duration_ms"].as_i64().unwrap();
    assert!((4_900..6_500).contains(&took), "{took} ms");
    receiver.answers(Answer::Status(200));
    app.advance(Duration::from_secs(5)).await;
    until_tried(&back_end, 2, "delivered").await;
    let got = receiver.until(2).await;
    assert_eq!((got[0].id(), &got[0].body), (got[1].id(), &got[1].body));
    assert_ne!(got[0].header("webhook-timestamp"), got[1].header("webhook-timestamp"));
}

#[tokio::test]
async fn r25_410_ends_an_endpoint_until_somebody_enables_it_again() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let endpoint = listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await;
    let path = format!("/webhook-endpoints/{}", id_of(&endpoint));
    receiver.answers(Answer::Status(410));
    connect(&app, SAM).await;
    let tried = until_tried(&back_end, 1, "dead").await;
    assert_eq!(tried["last_status_code"], 410);
    let now = back_end.get(&format!("/api/v1{path}")).await.json();
    assert_eq!((&now["enabled"], &now["disabled_reason"]), (&json!(false), &json!("gone")));
    let events = "select detail from audit_event where action = 'webhook_endpoint_disabled' and outcome = 'gone'";
    assert_eq!(app.database.text(events).await, id_of(&endpoint));
    app.visitor().sign_in_as(SAM).await;
    assert_eq!(app.database.count("webhook_delivery").await, 1, "nothing is written for it any more");
    let refused = send(&back_end, Method::POST, &format!("{path}/test"), None).await;
    assert_eq!(refused.problem(), "400 invalid-request");
    receiver.answers(Answer::Status(200));
    let enabled = send(&back_end, Method::PATCH, &path, Some(json!({"enabled": true}))).await.json();
    assert_eq!((&enabled["enabled"], &enabled["disabled_reason"]), (&json!(true), &Value::Null));
    app.visitor().sign_in_as(SAM).await;
    receiver.until(2).await;
}

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_off_is_given_up_after_a_day() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let endpoint = listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await;
    let path = format!("/webhook-endpoints/{}", id_of(&endpoint));
    receiver.answers(Answer::Status(500));
    connect(&app, SAM).await;
    until_tried(&back_end, 1, "pending").await;
    send(&back_end, Method::PATCH, &path, Some(json!({"enabled": false}))).await;
    receiver.answers(Answer::Status(200));
    app.advance(Duration::from_secs(3600)).await;
    send(&back_end, Method::PATCH, &path, Some(json!({"enabled": true}))).await;
    until_tried(&back_end, 2, "delivered").await;
    receiver.until(2).await;
}
