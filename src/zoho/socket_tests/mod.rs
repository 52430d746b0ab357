//! What leaves this machine and what comes back, seen from the other end of a socket.

mod call;
mod server;

use std::{process::Command, time::Duration};

use server::{Server, Then, answer, json};

use super::{CallError, Client, Grant, Refusal, Revoked, Timeouts, TokenError, Zoho};
use crate::domain::{
    product::Product,
    secret::{AccessToken, AuthorizationCode, ClientSecret, PkceVerifier, RefreshToken},
};

const GRANT: &str = r#"{"access_token":"1000.aa.bb","expires_in":3600}"#;

fn patient() -> Zoho {
    Zoho::new().expect("certificate authorities")
}

fn hasty() -> Zoho {
    let short = Duration::from_millis(150);
    Zoho::with(Timeouts { exchange: short, other: short }).expect("certificate authorities")
}

async fn exchange(zoho: &Zoho, accounts: &str) -> Result<Grant, TokenError> {
    let secret = ClientSecret::new("s&cret");
    let code = AuthorizationCode::new("1000.code");
    let client = Client { id: "1000.CLIENT", secret: &secret };
    let verifier = PkceVerifier::new("veri-fier");
    zoho.exchange(accounts, client, &code, Some("http://localhost:8080/oauth/callback"), Some(&verifier)).await
}

async fn refresh(zoho: &Zoho, accounts: &str) -> Result<Grant, TokenError> {
    let secret = ClientSecret::new("s&cret");
    let client = Client { id: "1000.CLIENT", secret: &secret };
    zoho.refresh(accounts, client, &RefreshToken::new("1000.refresh")).await
}

async fn revoke(zoho: &Zoho, accounts: &str) -> Result<Revoked, TokenError> {
    zoho.revoke(accounts, &RefreshToken::new("1000.refresh")).await
}

async fn organizations(zoho: &Zoho, host: &str) -> Result<usize, CallError> {
    Ok(zoho.organizations(Product::Desk, host, &AccessToken::new("1000.access")).await?.len())
}

fn class<T>(outcome: Result<T, TokenError>) -> &'static str {
    outcome.err().map_or("ok", |error| error.class())
}

#[tokio::test]
async fn s20_an_exchange_is_a_form_with_an_empty_query() {
    let server = Server::start(json(GRANT)).await;
    let grant = exchange(&patient(), &server.origin()).await.unwrap();
    assert_eq!(grant.access_token.expose(), "1000.aa.bb");
    let request = server.request();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /oauth/v2/token HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{head}");
    assert_eq!(
        body,
        "grant_type=authorization_code&client_id=1000.CLIENT&client_secret=s%26cret&code=1000.code\
         &redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Foauth%2Fcallback&code_verifier=veri-fier"
    );
    for unwanted in ["accept-encoding", "cookie", "referer", "authorization", "s%26cret"] {
        assert!(!head.to_ascii_lowercase().contains(unwanted), "{unwanted}: {head}");
    }
}

#[tokio::test]
async fn a_self_client_sends_neither_redirect_uri_nor_verifier() {
    let server = Server::start(json(GRANT)).await;
    let secret = ClientSecret::new("x");
    let client = Client { id: "1000.SELF", secret: &secret };
    patient().exchange(&server.origin(), client, &AuthorizationCode::new("c"), None, None).await.unwrap();
    assert!(server.request().ends_with("&client_secret=x&code=c"), "{}", server.request());
}

#[tokio::test]
async fn s20_refresh_and_revocation_are_forms_too() {
    let server = Server::start(json(GRANT)).await;
    refresh(&patient(), &server.origin()).await.unwrap();
    assert!(server.request().starts_with("POST /oauth/v2/token HTTP/1.1\r\n"));
    assert!(server.request().ends_with(
        "\r\n\r\ngrant_type=refresh_token&client_id=1000.CLIENT&client_secret=s%26cret&refresh_token=1000.refresh"
    ));
    let server = Server::start(json(r#"{"status":"success"}"#)).await;
    assert_eq!(revoke(&patient(), &server.origin()).await, Ok(Revoked::Now));
    assert!(server.request().starts_with("POST /oauth/v2/token/revoke HTTP/1.1\r\n"));
    assert!(server.request().ends_with("\r\n\r\ntoken=1000.refresh"));
}

#[tokio::test]
async fn an_api_gets_the_token_in_its_header() {
    let server = Server::start(json(r#"{"data":[{"id":1},{"id":2}]}"#)).await;
    assert_eq!(organizations(&patient(), &server.origin()).await, Ok(2));
    assert!(server.request().starts_with("GET /api/v1/organizations HTTP/1.1\r\n"));
    assert!(server.request().contains("authorization: Zoho-oauthtoken 1000.access\r\n"), "{}", server.request());

    let server = Server::start(json(r#"{"ZUID":795000000}"#)).await;
    let profile = patient().profile(&server.origin(), &AccessToken::new("1000.access")).await.unwrap();
    assert_eq!(profile.zuid.as_str(), "795000000");
    assert!(server.request().starts_with("GET /oauth/user/info HTTP/1.1\r\n"));
}

#[tokio::test]
async fn zia_agents_are_not_asked() {
    let server = Server::start(Then::Silence).await;
    let token = AccessToken::new("1000.access");
    assert_eq!(patient().organizations(Product::ZiaAgents, &server.origin(), &token).await, Ok(vec![]));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn s18_no_redirect_is_followed() {
    let target = Server::start(json(GRANT)).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = Server::start(answer(status, &format!("Location: {}/\r\n", target.origin()), GRANT)).await;
        assert_eq!(class(exchange(&patient(), &server.origin()).await), "misbehaved", "{status}");
        assert_eq!(class(refresh(&patient(), &server.origin()).await), "misbehaved", "{status}");
        assert_eq!(class(revoke(&patient(), &server.origin()).await), "misbehaved", "{status}");
        assert!(matches!(organizations(&patient(), &server.origin()).await, Err(CallError::Redirected)), "{status}");
    }
    assert_eq!(target.connections(), 0);
}

/// The environment of a test cannot be changed safely, that of a program can: the test calls itself.
#[tokio::test(flavor = "multi_thread")]
async fn s18_proxies_of_the_environment_are_ignored() {
    const ORIGIN: &str = "LWZ_TEST_ORIGIN";
    if let Ok(origin) = std::env::var(ORIGIN) {
        refresh(&patient(), &origin).await.unwrap();
        return;
    }
    let server = Server::start(json(GRANT)).await;
    let proxy = Server::start(json(GRANT)).await;
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["zoho::socket_tests::s18_proxies_of_the_environment_are_ignored", "--exact"]);
    again.env(ORIGIN, server.origin()).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        again.env(name, proxy.origin());
    }
    let output = tokio::task::spawn_blocking(move || again.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.connections(), proxy.connections()), (1, 0));
}

#[tokio::test]
async fn s18_without_tls_no_secret_is_said() {
    let server = Server::start(json(GRANT)).await;
    let origin = server.origin().replace("http:", "https:");
    assert_eq!(class(exchange(&patient(), &origin).await), "not_sent");
    assert!(server.requests().iter().all(|request| !request.contains("code")));
}

#[tokio::test]
async fn d3_only_a_connection_that_never_stood_is_not_sent() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    assert_eq!(class(exchange(&patient(), &origin).await), "not_sent");
    assert_eq!(organizations(&patient(), &origin).await, Err(CallError::Unavailable));

    let server = Server::start(Then::Reset).await;
    assert_eq!(class(exchange(&patient(), &server.origin()).await), "lost");
    assert_eq!(server.requests().len(), 1);

    let server = Server::start(Then::Say(String::new())).await;
    assert_eq!(class(exchange(&patient(), &server.origin()).await), "lost");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn d3_a_code_is_said_once_even_where_a_kept_connection_fails() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", GRANT.len());
    let server = Server::start(Then::SayOnce(head + GRANT)).await;
    let zoho = patient();
    assert_eq!(class(exchange(&zoho, &server.origin()).await), "ok");
    assert_eq!(class(exchange(&zoho, &server.origin()).await), "lost");
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
}

#[tokio::test]
async fn r14_silence_and_dripping_end_in_time() {
    let drip = Duration::from_millis(10);
    for then in [
        Then::Silence,
        Then::Endless("HTTP/1.1 200 OK\r\n", "X", drip),
        Then::Endless("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n{", " ", drip),
    ] {
        let server = Server::start(then).await;
        let all = async {
            let zoho = hasty();
            assert_eq!(class(exchange(&zoho, &server.origin()).await), "lost");
            assert_eq!(class(refresh(&zoho, &server.origin()).await), "lost");
            assert_eq!(class(revoke(&zoho, &server.origin()).await), "lost");
            assert_eq!(organizations(&zoho, &server.origin()).await, Err(CallError::Unavailable));
        };
        tokio::time::timeout(Duration::from_secs(9), all).await.expect("four short timeouts");
    }
}

#[tokio::test]
async fn r15_an_endless_answer_is_cut_off() {
    const KILOBYTE: &str = match std::str::from_utf8(&[b' '; 1024]) {
        Ok(text) => text,
        Err(_) => "",
    };
    for head in ["HTTP/1.1 200 OK\r\n\r\n{", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{"] {
        let server = Server::start(Then::Endless(head, KILOBYTE, Duration::ZERO)).await;
        assert_eq!(class(exchange(&patient(), &server.origin()).await), "misbehaved");
    }
    let server = Server::start(Then::Endless("HTTP/1.1 200 OK\r\n", "X: y\r\n", Duration::ZERO)).await;
    assert_eq!(class(exchange(&patient(), &server.origin()).await), "lost");
}

#[tokio::test]
async fn s22_64_kilobytes_are_read_and_not_a_byte_more() {
    let padded = |length: usize| format!("{GRANT}{}", " ".repeat(length - GRANT.len()));
    let server = Server::start(json(&padded(64 * 1024))).await;
    assert_eq!(class(exchange(&patient(), &server.origin()).await), "ok");
    let server = Server::start(json(&padded(64 * 1024 + 1))).await;
    assert_eq!(class(exchange(&patient(), &server.origin()).await), "misbehaved");
}

#[tokio::test]
async fn r15_broken_answers_are_transient() {
    let of = async |then| {
        let server = Server::start(then).await;
        class(exchange(&patient(), &server.origin()).await)
    };
    assert_eq!(of(answer("200 OK", "Content-Encoding: gzip\r\n", GRANT)).await, "misbehaved");
    assert_eq!(of(answer("200 OK", "Content-Encoding: Identity\r\n", GRANT)).await, "ok");
    assert_eq!(of(answer("200 OK", "Content-Type: text/html\r\n", "<html></html>")).await, "misbehaved");
    assert_eq!(of(answer("200 OK", "Content-Type: text/html\r\n", GRANT)).await, "ok");
    assert_eq!(of(Then::Say(format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{GRANT}"))).await, "lost");
    assert_eq!(of(Then::Say("SSH-2.0-OpenSSH_9.9\r\n".to_owned())).await, "lost");
    assert_eq!(of(answer("503 Service Unavailable", "Retry-After: 5\r\n", "<html>")).await, "unavailable");
}

#[tokio::test]
async fn r10_the_wait_that_zoho_asks_for_is_passed_on() {
    let body = r#"{"error":"Access Denied","status":"failure"}"#;
    let server = Server::start(answer("400 Bad Request", "Retry-After: 1800\r\n", body)).await;
    let wait = Some(Duration::from_mins(30));
    assert_eq!(refresh(&patient(), &server.origin()).await.unwrap_err(), TokenError::Throttled { retry_after: wait });
    let server = Server::start(answer("429 Too Many Requests", "Retry-After: 1800\r\n", "")).await;
    assert_eq!(organizations(&patient(), &server.origin()).await, Err(CallError::Throttled { retry_after: wait }));
}

#[tokio::test]
async fn a_refusal_comes_through_the_wire() {
    let server = Server::start(answer("403 Forbidden", "", r#"{"errorCode":"OAUTH_ORG_MISMATCH"}"#)).await;
    let refused = CallError::Refused(Refusal::Organization);
    assert_eq!(organizations(&patient(), &server.origin()).await, Err(refused));
}
