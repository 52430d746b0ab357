//! Two tenants crowd one connection, and a third of those who ask leave at any moment (security.md S-45, R-20).

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use socket2::SockRef;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::harness::{App, BEA, Backend, SAM, Visitor, process::until};

const REQUESTS: usize = 3000;
const AT_ONCE: usize = 12;

/// A tenant as its administrator and its back end see it.
struct Side {
    visitor: Visitor,
    back_end: Backend,
    pages: Vec<String>,
    calls: Vec<String>,
    /// What stands in answers to this tenant and to no other.
    marks: Vec<String>,
}

const GRANTS: [&str; 4] = ["connections:read", "tokens:read", "webhooks:write", "onboarding:write"];

impl Side {
    async fn open(app: &App, person: &str, foreign: Option<&Self>) -> Self {
        let visitor = app.visitor();
        visitor.sign_in_as(person).await.assert_status(303);
        let connection = visitor.only_connection().await;
        let back_end = app.backend_of(&connection, &GRANTS).await;
        let of = format!(
            "from connection join tenant using (tenant_id) join person using (person_id)
             join organization using (tenant_id, organization_id) where connection_id = '{connection}'"
        );
        let slug = app.database.text(&format!("select slug {of}")).await;
        let marks = [
            "tenant_id",
            "slug",
            "connection_id",
            "organization.name",
            "zoho_id",
            "display_name",
            "email",
            "person_id",
        ];
        let mut found = Vec::new();
        for mark in marks {
            found.push(app.database.text(&format!("select {mark} {of}")).await);
        }
        let lists = ["organizations", "connections", "members", "api-keys", "webhooks", "onboarding-links"].into_iter();
        let mut pages: Vec<_> = lists.map(|list| format!("/tenants/{slug}/{list}")).collect();
        pages.extend([
            "/connections".to_owned(),
            format!("/connections/{connection}"),
            format!("/tenants/{slug}/connections/{connection}"),
        ]);
        let mut calls = ["connections", "organizations", "tenants", "webhook-endpoints", "webhook-deliveries"]
            .map(|list| format!("/api/v1/{list}"))
            .to_vec();
        calls.extend([
            format!("/api/v1/connections/{connection}"),
            format!("/api/v1/connections/{connection}/access-token"),
        ]);
        // They ask for what is the other's, too.
        if let Some(foreign) = foreign {
            pages.push(foreign.pages[0].clone());
            calls.extend(foreign.calls.iter().rev().take(2).cloned());
        }
        Self { visitor, back_end, pages, calls, marks: found }
    }

    fn find<'a>(&'a self, text: &str) -> Option<&'a String> {
        self.marks.iter().find(|mark| text.contains(mark.as_str()))
    }

    /// Asks, and leaves without a word when the moment has come; tells what had arrived by then.
    async fn tear_off(&self, address: SocketAddr, path: &str, moment: Duration) -> String {
        let who = if path.starts_with("/api/") {
            format!("Authorization: Bearer {}", self.back_end.key)
        } else {
            format!("Cookie: {}", self.visitor.cookie_header())
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{who}\r\n\r\n", self.visitor.host());
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("sent");
        tokio::time::sleep(moment).await;
        let mut arrived = vec![0; 64 * 1024];
        let size = stream.try_read(&mut arrived).unwrap_or(0);
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket");
        String::from_utf8_lossy(&arrived[..size]).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s45_r20_no_answer_holds_anothers_byte_where_two_tenants_crowd_one_connection() {
    let seed = rand::random::<u64>();
    // The test's own output, shown when it fails.
    let _ = writeln!(std::io::stdout(), "seed {seed}");
    let app = App::builder().replicas(2).config(|config| config.web_connections = Some(1)).start().await;
    let bea = Side::open(&app, BEA, None).await;
    let sam = Side::open(&app, SAM, Some(&bea)).await;
    let bea = Side { pages: [bea.pages, vec![sam.pages[0].clone()]].concat(), ..bea };
    let sides = [&bea, &sam];
    let addresses = app.addresses();
    let (over, whole, torn) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));

    let worker = async |index: usize| {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(index as u64));
        for _ in 0..REQUESTS / AT_ONCE {
            let (own, other) = if random.random_bool(0.5) { (0, 1) } else { (1, 0) };
            let (own, other) = (sides[own], sides[other]);
            let replica = random.random_range(0..addresses.len());
            let paths = if random.random_bool(0.5) { &own.pages } else { &own.calls };
            let path = &paths[random.random_range(0..paths.len())];
            let text = if random.random_bool(1.0 / 3.0) {
                torn.fetch_add(1, Ordering::Relaxed);
                let moment = Duration::from_micros(random.random_range(0..20_000));
                own.tear_off(addresses[replica], path, moment).await
            } else {
                let (status, when, text) = if path.starts_with("/api/") {
                    let told = own.back_end.via(replica).get(path).await;
                    (told.status, told.header("retry-after").to_owned(), told.text)
                } else {
                    let page = own.visitor.via(replica).get(path).await;
                    (page.status, page.header("retry-after").to_owned(), page.text)
                };
                // Too much at once may be refused, politely; the other's does not exist.
                let expected = [200, 404].contains(&status) || (status == 503 && !when.is_empty());
                assert!(expected, "{path}: {status}");
                whole.fetch_add(usize::from(status == 200), Ordering::Relaxed);
                text
            };
            assert_eq!(other.find(&text), None, "{path} shows what is another tenant's");
        }
    };
    let idle = async {
        let mut longest = 0.0;
        while !over.load(Ordering::SeqCst) {
            let open = "select coalesce(max(extract(epoch from clock_timestamp() - state_change)), 0)::text
                        from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
            longest = f64::max(longest, app.database.text(open).await.parse().expect("seconds"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        longest
    };
    let work = async {
        join_all((0..AT_ONCE).map(worker)).await;
        over.store(true, Ordering::SeqCst);
    };
    let ((), longest) = tokio::join!(work, idle);
    let (whole, torn) = (whole.into_inner(), torn.into_inner());
    assert!(torn > REQUESTS / 4 && whole > REQUESTS / 3, "{torn} torn off, {whole} answered");
    assert!(longest < 1.0, "a backend idled in a transaction for {longest} s");
    for replica in 0..addresses.len() {
        for side in sides {
            for path in side.pages.iter().take(9) {
                let page = until("the pool is whole", Duration::from_secs(5), async || {
                    Some(side.visitor.via(replica).get(path).await).filter(|page| page.status == 200)
                });
                assert!(side.find(&page.await.text).is_some(), "{path} is the tenant's own");
            }
        }
    }
}
