use super::*;

/// What happened to one connection, as a receiver got it, each event once.
fn story(got: &[Received], connection: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let of_it = got.iter().filter(|received| received.json()["data"]["id"] == connection);
    of_it
        .filter(|received| {
            !seen.contains(&received.id().to_owned()) && {
                seen.push(received.id().to_owned());
                true
            }
        })
        .map(Received::kind)
        .collect()
}

#[tokio::test]
async fn r25_no_event_of_a_connection_overtakes_another_and_other_connections_do_not_wait() {
    let app = start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    let (sam, bea) = (connect(&app, SAM).await, connect(&app, BEA).await);
    listen_to(&back_end, &receiver.url("/"), &["connection.connected", "connection.disconnected"]).await;
    receiver.answers(Answer::Status(500));
    app.visitor().sign_in_as(SAM).await;
    receiver.until(1).await;
    send(&back_end, Method::DELETE, &format!("/connections/{sam}"), None).await;
    app.visitor().sign_in_as(SAM).await;
    // Bea's goes out meanwhile.
    receiver.answers(Answer::Status(200));
    app.visitor().sign_in_as(BEA).await;
    let got = receiver.until(2).await;
    assert_eq!(got[1].json()["data"]["id"], bea.as_str());
    wait_for("only hers is written down as delivered", || async {
        (deliveries(&back_end, "?status=pending").await.len() == 3).then_some(())
    })
    .await;
    app.advance(Duration::from_secs(5)).await;
    let got = receiver.until(5).await;
    assert_eq!(story(&got, &sam), ["connection.connected", "connection.disconnected", "connection.connected"]);
    assert_eq!(got[0].id(), got[2].id(), "the first came twice");
    wait_for("all of it is written down as delivered", || async {
        let delivered = deliveries(&back_end, &format!("?connection={sam}&status=delivered")).await;
        (delivered.len() == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn r25_one_endpoint_that_fails_keeps_no_other_waiting() {
    let app = start().await;
    let back_end = app.backend(GRANTS).await;
    let (broken, silent, well) = (Receiver::listen().await, Receiver::listen().await, Receiver::listen().await);
    broken.answers(Answer::Status(503));
    silent.answers(Answer::TooLate);
    for receiver in [&broken, &silent, &well] {
        listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await;
    }
    // More than the silent one has places.
    for _ in 0..12 {
        app.visitor().sign_in_as(SAM).await;
        app.visitor().sign_in_as(BEA).await;
    }
    let got = well.until(24).await;
    let first = broken.got();
    assert!(first.len() <= 2, "each connection waits for its first event");
    let same = got.iter().find(|received| received.id() == first[0].id());
    assert_eq!(same.unwrap().body, first[0].body, "one event is the same everywhere");
    assert_eq!(app.database.text("select count(*) from connection where status = 'active'").await, "2");
}

#[tokio::test]
async fn r25_three_replicas_deliver_each_event_once() {
    let app = App::builder().replicas(3).config(|config| config.webhooks_to_loopback = true).start().await;
    let (back_end, receiver) = (app.backend(GRANTS).await, Receiver::listen().await);
    listen_to(&back_end, &receiver.url("/"), &["connection.connected"]).await;
    let id = connect(&app, SAM).await;
    for _ in 0..9 {
        app.visitor().sign_in_as(SAM).await;
    }
    let got = receiver.until(10).await;
    let numbers = app.database.column("select event_id from webhook_delivery order by sequence").await;
    let came: Vec<_> = got.iter().map(|received| received.id().to_owned()).collect();
    assert_eq!(came, numbers, "in order, each once");
    assert!(got.iter().all(|received| received.json()["data"]["id"] == id.as_str()));
}
