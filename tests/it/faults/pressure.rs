//! Too much at once, too slow, or torn off in the middle.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Installation, browser, reset_at};
use crate::harness::{App, BEA, SAM, process::until, raw};

/// As many exchanges as one data centre gets at once from one replica.
const EXCHANGES: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn s14_exchanges_beyond_the_cap_are_told_to_come_back_and_lose_nothing() {
    let app = App::start().await;
    let mut arrivals = Vec::new();
    for _ in 0..EXCHANGES + 8 {
        let visitor = app.visitor();
        let consent = visitor.begin("/login").await;
        let callback = visitor.go_to_zoho(&consent, SAM).await;
        arrivals.push((visitor, callback));
    }
    app.zoho
        .fault(json!({"path": "/oauth/v2/token", "grant_type": "authorization_code", "act": {"delay_ms": 2500}}))
        .await;
    let answers = join_all(arrivals.iter().map(|(visitor, callback)| visitor.get(callback))).await;
    let busy: Vec<_> = answers.iter().zip(&arrivals).filter(|(answer, _)| answer.status == 503).collect();
    assert_eq!(busy.len(), 8, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    app.zoho.clear_faults().await;
    assert_eq!(app.zoho.token_calls().await.len(), EXCHANGES);
    for (answer, (visitor, callback)) in busy {
        assert_ne!(answer.header("retry-after"), "");
        assert_eq!(visitor.land(callback).await.location(), "/connections");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s14_who_fails_too_often_waits_and_who_succeeds_does_not() {
    let app = App::builder().config(|config| config.failed_exchanges_per_minute = 3).start().await;
    for _ in 0..5 {
        assert_eq!(app.visitor().sign_in_as(SAM).await.location(), "/connections", "success is not counted");
    }
    for _ in 0..3 {
        let visitor = app.visitor();
        let consent = visitor.begin("/login").await;
        let callback = visitor.go_to_zoho(&consent, SAM).await.replace("code=1000.", "code=1000.0");
        assert_eq!(visitor.land(&callback).await.location(), "/problems/code-expired");
    }
    let calls = app.zoho.token_calls().await.len();
    let visitor = app.visitor();
    let consent = visitor.begin("/login").await;
    let refused = visitor.get(&visitor.go_to_zoho(&consent, SAM).await).await;
    refused.assert_status(429);
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(app.zoho.token_calls().await.len(), calls, "nothing is asked of Zoho");
    assert_eq!(app.database.count("login_attempt").await, 8, "nothing is spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn s45_r20_requests_that_are_torn_off_leave_no_transaction_and_show_nobody_elses_page() {
    let site = Installation::prepare().await;
    let replica = site.replica("one").await;
    let people =
        [(browser(&[&replica]), BEA, "Novak Group", "Rivera"), (browser(&[&replica]), SAM, "Rivera Supplies", "Novak")];
    for (visitor, person, ..) in &people {
        assert_eq!(visitor.sign_in_as(person).await.location(), "/connections");
    }
    let done = AtomicBool::new(false);
    let idle = async {
        let mut longest = 0.0;
        while !done.load(Ordering::SeqCst) {
            let open =
                "select coalesce(max(extract(epoch from clock_timestamp() - state_change)), 0) from pg_stat_activity
                        where state like 'idle in transaction%'";
            longest = f64::max(longest, site.ask(open).await.parse().expect("seconds"));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        longest
    };
    let work = async {
        for round in 0_u64..40 {
            let torn = (0..10).map(|index| {
                let visitor = &people[index % 2].0;
                let moment = tokio::time::sleep(Duration::from_micros(300 * (round % 20) + 50 * index as u64));
                reset_at(visitor, &replica, "/connections", moment)
            });
            let read = people.iter().map(async |(visitor, _, own, foreign)| {
                let page = visitor.get("/connections").await;
                assert!(!page.text.contains(foreign), "{own} reads of {foreign}");
                // Too much at once may be refused, politely.
                assert!(
                    page.has(own) || (page.status == 503 && !page.header("retry-after").is_empty()),
                    "{}",
                    page.text
                );
            });
            tokio::join!(join_all(torn), join_all(read));
        }
        done.store(true, Ordering::SeqCst);
    };
    let ((), longest) = tokio::join!(work, idle);
    for (visitor, _, own, _) in &people {
        let back = until("the pools are whole", Duration::from_secs(5), async || {
            Some(visitor.get("/connections").await).filter(|page| page.status == 200)
        });
        assert!(back.await.has(own));
    }
    assert!(longest < 1.0, "a backend idled in a transaction for {longest} s");
    assert!(replica.log().contains(r#""status":499"#), "some were torn off in time");
    let log = site.postgres.log();
    assert!(!log.contains("already a transaction in progress") && !log.contains("no transaction in progress"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s71_slow_sockets_are_closed_and_others_do_not_notice() {
    let app = App::start().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(app.address(0)).await.expect("it listens");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.expect("sent");
        slow.push(stream);
    }
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        app.visitor().get("/").await.assert_status(200);
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    let closed = join_all(slow.into_iter().map(async |mut stream| {
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(12), stream.read_to_end(&mut answer)).await;
        (read.is_ok(), raw::status(&String::from_utf8_lossy(&answer)))
    }));
    for (closed, status) in closed.await {
        assert!(closed && (status == 408 || status == 0), "{status}");
    }
    assert!(began.elapsed() < Duration::from_secs(11), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn s71_forms_beyond_16_kb_are_refused_before_they_are_read() {
    let app = App::start().await;
    let visitor = app.visitor();
    visitor.sign_in_as(SAM).await.assert_status(303);
    let csrf = visitor.get("/connections").await.csrf();
    let long = "x".repeat(17 * 1024);
    visitor
        .post_form("/connections", &[("csrf", &csrf), ("product", "crm"), ("tenant", &long)])
        .await
        .assert_status(413);
    // Announced, and never sent.
    let announced = format!(
        "POST /connections HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nOrigin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 20000\r\nConnection: close\r\n\r\n",
        visitor.host(),
        visitor.cookie_header(),
        app.public_url().origin(),
    );
    let answer =
        tokio::time::timeout(Duration::from_secs(2), raw::exchange(app.address(0), announced.as_bytes())).await;
    assert_eq!(raw::status(&answer.expect("at once")), 413);
}
