//! S-64, R-14: what is large, slow or much ends early and hurts nobody else.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::harness::raw;

const MEGABYTE: usize = 1024 * 1024;
/// Calls that a tenant may have under way.
const PER_TENANT: usize = 64;

#[tokio::test]
async fn a_body_above_a_megabyte_is_refused_before_it_is_read() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho.forget_journal().await;
    let (host, path) = (app.public_url().origin().split_once("://").unwrap().1.to_owned(), crm.path("/crm/v8/Leads"));
    let head = |headers: &str| {
        let key = &crm.backend.key;
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n{headers}\r\n"
        )
    };
    // The announced body never comes: the answer does not wait for it.
    let answer = raw::exchange(app.address(0), head(&format!("Content-Length: {}\r\n", MEGABYTE + 1)).as_bytes()).await;
    assert_eq!(raw::status(&answer), 413, "{answer}");
    let chunk = format!("{MEGABYTE:x}\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", "x".repeat(MEGABYTE));
    let answer = raw::exchange(app.address(0), (head("Transfer-Encoding: chunked\r\n") + &chunk).as_bytes()).await;
    assert_eq!(raw::status(&answer), 413, "{answer}");
    let request = crm.request(Method::POST, "/crm/v8/Leads").header("content-encoding", "gzip").body("x");
    assert_eq!(Told::read(request.send().await.unwrap()).await.status, 415);
    let request = crm.request(Method::GET, "/crm/v8/Leads").body("x");
    assert_eq!(Told::read(request.send().await.unwrap()).await.problem(), "400 invalid-request");
    assert_eq!(app.zoho.requests("/").await, Vec::<String>::new());
}

#[tokio::test]
async fn s62_an_answer_that_never_ends_is_cut_off_at_its_limit() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho.fault(json!({"path": "/crm/", "act": {"endless": "body"}})).await;
    let mut answer = crm.request(Method::GET, "/crm/v8/org").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut read = 0;
    let ended = loop {
        match answer.chunk().await {
            Ok(Some(piece)) => read += piece.len(),
            ended => break ended,
        }
    };
    assert!(ended.is_err(), "cut off, and seen to be");
    assert!((31 * MEGABYTE..=32 * MEGABYTE).contains(&read), "{read}");
    app.zoho.clear_faults().await;
    let announced = 33 * MEGABYTE;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {announced}\r\n\r\nx");
    app.zoho.fault(json!({"path": "/crm/", "act": {"raw": head}})).await;
    assert_eq!(crm.get("/crm/v8/org").await.problem(), "502 zoho-misbehaved");
}

#[tokio::test]
async fn answers_stream() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho
        .fault(json!({"path": "/crm/", "act": {"body": "0123456789", "content_type": "text/csv", "drip": 10}}))
        .await;
    let asked = Instant::now();
    let mut answer = crm.request(Method::GET, "/crm/v8/org").send().await.unwrap();
    let first = answer.chunk().await.unwrap().unwrap();
    assert!(first.len() < 10 && asked.elapsed() < Duration::from_millis(900), "{first:?} {:?}", asked.elapsed());
    let mut text = first.to_vec();
    while let Some(piece) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    assert_eq!(text, b"0123456789");
    assert!(asked.elapsed() >= Duration::from_millis(900));
}

#[tokio::test]
async fn s64_one_tenants_hanging_calls_leave_room_for_others() {
    let app = App::start().await;
    let agents = connected(&app, "zia_agents", SAM).await;
    let other = connected(&app, "crm", CHLOE).await;
    let p99 = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() - 1 - times.len() / 100]
    };
    let measure = async || {
        let mut times = Vec::new();
        for _ in 0..100 {
            let asked = Instant::now();
            other.json("/crm/v8/org").await;
            times.push(asked.elapsed());
        }
        p99(times)
    };
    measure().await;
    let normal = measure().await;
    app.zoho.fault(json!({"path": "/ziaagents/", "act": {"hang": true}})).await;
    let mut hanging = Vec::new();
    for _ in 0..PER_TENANT {
        hanging.push(hang(&app, &agents).await);
    }
    wait_for("they hang", || async { (app.zoho.requests("/ziaagents/").await.len() == PER_TENANT).then_some(()) })
        .await;
    let told = agents.get("/ziaagents/api/v1/emulator/echo").await;
    assert_eq!(told.problem(), "429 too-many-requests");
    assert!(told.retry_after() > 0);
    // The machine that runs the tests has other things to do, too.
    let mut hurt = Duration::MAX;
    for _ in 0..3 {
        hurt = hurt.min(measure().await);
    }
    assert!(hurt < 2 * normal + Duration::from_millis(20), "{normal:?} became {hurt:?}");
    drop(hanging);
}

/// A call whose answer nobody waits for.
async fn hang(app: &App, agents: &Connected) -> TcpStream {
    let (host, key) = (app.public_url().origin().split_once("://").unwrap().1, &agents.backend.key);
    let path = agents.path("/ziaagents/api/v1/emulator/echo");
    let mut stream = TcpStream::connect(app.address(0)).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn r14_whoever_leaves_frees_the_place() {
    let app = App::start().await;
    let crm = connected(&app, "crm", SAM).await;
    app.zoho
        .fault(json!({"path": "/crm/", "act": {"endless": "body", "content_type": "text/csv", "drip": 1000}}))
        .await;
    let mut streams = Vec::new();
    for _ in 0..PER_TENANT {
        let (host, key) = (app.public_url().origin().split_once("://").unwrap().1, &crm.backend.key);
        let mut stream = TcpStream::connect(app.address(0)).await.unwrap();
        let path = crm.path("/crm/v8/org");
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.read_u8().await.unwrap();
        streams.push(stream);
    }
    assert_eq!(crm.get("/crm/v8/org").await.problem(), "429 too-many-requests");
    app.zoho.clear_faults().await;
    streams.into_iter().for_each(raw::reset);
    wait_for("the places are free", || async { Some(crm.get("/crm/v8/org").await).filter(|told| told.status == 200) })
        .await;
}
