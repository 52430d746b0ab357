use super::*;

#[tokio::test]
async fn s72_an_address_that_is_not_public_is_refused_and_never_contacted() {
    let app = App::start().await;
    let (back_end, outside) = (app.backend(GRANTS).await, Outside::listen().await);
    let port = outside.authority().rsplit_once(':').unwrap().1.to_owned();
    for host in [
        "127.0.0.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "x.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
        "[fe80::1]",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "224.0.0.1",
    ] {
        let url = format!("https://{host}:{port}/");
        let refused = post(&back_end, "/webhook-endpoints", json!({"url": url})).await;
        assert_eq!(refused.problem(), "400 invalid-request", "{url}");
        assert_eq!(refused.json()["errors"][0]["member"], "url");
        assert!(!refused.text.contains(host) || host == "localhost", "it is not repeated: {}", refused.text);
    }
    for url in [
        "http://127.0.0.1/",
        "http://hooks.example.com/",
        "https://a:b@hooks.example.com/",
        "hooks",
        "ftp://x.example/",
    ] {
        let refused = post(&back_end, "/webhook-endpoints", json!({"url": url})).await;
        assert_eq!(refused.problem(), "400 invalid-request", "{url}");
    }
    assert_eq!(app.database.count("webhook_endpoint").await, 0);
    outside.assert_untouched().await;
}

/// What the URL does not tell, the connection does: here the row was changed behind the program's back, as a name would
/// be that leads somewhere else today.
#[tokio::test]
async fn s72_what_is_not_public_when_it_is_to_be_called_is_not_called() {
    let app = App::start().await;
    let (back_end, outside) = (app.backend(GRANTS).await, Outside::listen().await);
    listen_to(&back_end, "https://hooks.example.com/", &["connection.connected"]).await;
    for url in [
        format!("https://{}/", outside.authority()),
        outside.url(),
        format!("https://localhost:{}/", outside.authority().rsplit_once(':').unwrap().1),
    ] {
        app.database.execute("delete from webhook_delivery").await;
        app.database.execute(&format!("update webhook_endpoint set url = '{url}'")).await;
        app.visitor().sign_in_as(SAM).await;
        let tried = until_tried(&back_end, 1, "pending").await;
        assert_eq!(tried["last_failure"], "not_public", "{url}");
    }
    outside.assert_untouched().await;
}

#[tokio::test]
async fn s72_redirects_are_not_followed_and_endless_answers_are_cut() {
    let app = start().await;
    let (back_end, receiver, outside) = (app.backend(GRANTS).await, Receiver::listen().await, Outside::listen().await);
    let endpoint = listen_to(&back_end, &receiver.url("/"), &[]).await;
    let test = format!("/webhook-endpoints/{}/test", id_of(&endpoint));
    for status in [301, 302, 303, 307, 308] {
        let redirect = format!("HTTP/1.1 {status} X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", outside.url());
        receiver.answers(Answer::Raw(redirect));
        app.database.execute("delete from webhook_delivery").await;
        send(&back_end, Method::POST, &test, None).await;
        let tried = until_tried(&back_end, 1, "pending").await;
        assert_eq!(tried["last_status_code"], status);
    }
    outside.assert_untouched().await;
    for body in ["x".repeat(4 << 20), String::new()] {
        app.database.execute("delete from webhook_delivery").await;
        receiver.answers(Answer::Raw(format!("HTTP/1.1 200 X\r\nContent-Length: 10000000000\r\n\r\n{body}")));
        send(&back_end, Method::POST, &test, None).await;
        until_tried(&back_end, 1, "delivered").await;
    }
    app.database.execute("delete from webhook_delivery").await;
    receiver.answers(Answer::Raw("SSH-2.0-nonsense\r\n".to_owned()));
    send(&back_end, Method::POST, &test, None).await;
    assert_eq!(until_tried(&back_end, 1, "pending").await["last_failure"], "broken_off");
}
