//! Calls to products: what is sent, and that no answer is waited for, or read, for ever.

use std::time::Duration;

use bytes::Bytes;

use super::{
    patient,
    server::{Server, Then, answer, json},
};
use crate::{
    domain::{product::Product, proxy_path::ProxyPath, proxy_query::ProxyQuery, secret::AccessToken},
    zoho::{AnswerBody, CallLimits, Method, ProductAnswer, ProductCall, Unanswered, Verdict},
};

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(60);
const LIMITS: CallLimits = CallLimits { first_byte: LONG, idle: LONG, whole: LONG, size: 1024 * 1024 };
const CSV: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n";

async fn call(server: &Server, method: Method, limits: CallLimits) -> Result<ProductAnswer, Unanswered> {
    let call = ProductCall {
        product: Product::Salesiq,
        origin: &server.origin(),
        method,
        path: &ProxyPath::parse("api/v2/portals").expect("a path"),
        query: &ProxyQuery::parse("a=1").expect("a query"),
        headers: &[("accept", "application/json".to_owned())],
        body: &Bytes::new(),
        limits,
    };
    patient().call(&call, &AccessToken::new("1000.access")).await
}

async fn read(body: &mut AnswerBody) -> Result<usize, Unanswered> {
    let mut read = 0;
    while let Some(piece) = body.next().await? {
        read += piece.len();
    }
    Ok(read)
}

async fn failure(then: Then, limits: CallLimits) -> Unanswered {
    let server = Server::start(then).await;
    let all = async { read(&mut call(&server, Method::Get, limits).await?.body).await };
    tokio::time::timeout(Duration::from_secs(9), all).await.expect("a short timeout").expect_err("no whole answer")
}

#[tokio::test]
async fn s61_a_call_is_what_was_asked_and_a_token() {
    let server = Server::start(json(r#"{"data":[]}"#)).await;
    let mut answer = call(&server, Method::Post, LIMITS).await.unwrap();
    assert_eq!((answer.status, answer.verdict, answer.length), (200, Verdict::Answered, Some(11)));
    assert_eq!(answer.body.take_whole().as_deref(), Some(&br#"{"data":[]}"#[..]));
    let request = server.request().to_ascii_lowercase();
    let mut lines: Vec<_> = request.lines().filter(|line| !line.is_empty() && !line.starts_with("host:")).collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "post /api/v2/portals?a=1 http/1.1",
            "accept-encoding: identity",
            "accept: application/json",
            "authorization: zoho-oauthtoken 1000.access",
            "content-length: 0",
            "user-agent: login-with-zoho",
        ]
    );
}

#[tokio::test]
async fn s62_headers_of_the_connection_stay_behind() {
    let headers = "Content-Type: text/plain\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\nX-Kept: 1\r\n";
    let server = Server::start(answer("404 Not Found", headers, "x")).await;
    let answer = call(&server, Method::Get, LIMITS).await.unwrap();
    let names: Vec<_> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-kept", "content-length"]);
}

#[tokio::test]
async fn r14_each_limit_of_time_ends_a_call() {
    let drip = |head: &'static str| Then::Endless(head, "X", Duration::from_millis(10));
    let no_head = CallLimits { first_byte: SHORT, ..LIMITS };
    assert_eq!(failure(Then::Silence, no_head).await, Unanswered::TooSlow);
    assert_eq!(failure(drip("HTTP/1.1 200 OK\r\n"), no_head).await, Unanswered::TooSlow);
    let silent_body = Then::Endless("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\nx", "", LONG);
    assert_eq!(failure(silent_body, CallLimits { idle: SHORT, ..LIMITS }).await, Unanswered::TooSlow);
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
    ] {
        assert_eq!(failure(drip(head), CallLimits { whole: SHORT, ..LIMITS }).await, Unanswered::TooSlow);
    }
}

#[tokio::test]
async fn s62_the_limit_of_size_holds_while_it_streams() {
    const KILOBYTE: &str = match std::str::from_utf8(&[b' '; 1024]) {
        Ok(text) => text,
        Err(_) => "",
    };
    let endless = |head| Then::Endless(head, KILOBYTE, Duration::ZERO);
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n";
    assert_eq!(failure(endless(announced), LIMITS).await, Unanswered::TooLarge);
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
    ] {
        assert_eq!(failure(endless(head), LIMITS).await, Unanswered::TooLarge);
    }
    // An endless head.
    let failed = failure(Then::Endless("HTTP/1.1 200 OK\r\n", "X: y\r\n", Duration::ZERO), LIMITS).await;
    assert_eq!(failed, Unanswered::Lost);
    // What it would be is no matter where none comes.
    let server = Server::start(Then::Say(format!("{CSV}Content-Length: 9999999\r\n\r\n"))).await;
    let mut head = call(&server, Method::Head, LIMITS).await.unwrap();
    assert_eq!((head.length, read(&mut head.body).await), (Some(9_999_999), Ok(0)));
}

#[tokio::test]
async fn s63_only_small_json_is_looked_at_and_all_of_it_is_handed_on() {
    let refused = r#"{"error":{"code":1008}}"#;
    let padded = |length: usize| format!("{}{refused}", " ".repeat(length - refused.len()));
    for (body, content_type, verdict) in [
        (refused.to_owned(), "application/json", Verdict::TokenRefused),
        (padded(64 * 1024), "application/json", Verdict::TokenRefused),
        (padded(64 * 1024 + 1), "application/json", Verdict::Answered),
        (refused.to_owned(), "text/html", Verdict::Answered),
        (refused.to_owned(), "application/json\r\nContent-Encoding: gzip", Verdict::Answered),
    ] {
        let headers = format!("Content-Type: {content_type}\r\n");
        for then in [
            answer("200 OK", &headers, &body),
            // Without a length: it ends with the connection.
            Then::Say(format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}")),
        ] {
            let server = Server::start(then).await;
            let mut answer = call(&server, Method::Get, LIMITS).await.unwrap();
            assert_eq!(answer.verdict, verdict, "{content_type} {}", body.len());
            assert_eq!(read(&mut answer.body).await, Ok(body.len()));
        }
    }
}

#[tokio::test]
async fn d3_a_call_is_sent_once() {
    for then in [Then::Reset, Then::Say(String::new()), Then::Say("SSH-2.0-OpenSSH_9.9\r\n".to_owned())] {
        let server = Server::start(then).await;
        assert_eq!(call(&server, Method::Get, LIMITS).await.err(), Some(Unanswered::Lost));
        assert_eq!(server.requests().len(), 1);
    }
    let target = Server::start(json("{}")).await;
    let moved = answer("302 Found", &format!("Location: {}/\r\n", target.origin()), "");
    let server = Server::start(moved).await;
    assert_eq!(call(&server, Method::Get, LIMITS).await.err(), Some(Unanswered::Redirected));
    assert_eq!(target.connections(), 0);
}
