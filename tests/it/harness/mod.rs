//! What every test stands on: a program of its own, and actors who use it as people and programs do.
//!
//! ```ignore
//! let app = App::start().await;                       // or App::builder().replicas(3).https().start()
//! let bea = app.visitor();
//! let landing = bea.sign_in_as(BEA).await;            // /login, Zoho's consent, the callback
//! assert_eq!(landing.location(), "/connections");
//! let page = bea.get("/connections").await;
//! ```
//!
//! - [`App`]: emulator, database and one or more replicas, all in this process; time stands still until
//!   [`App::advance`] moves it, at both sides. The limit of failed exchanges is off unless a test sets it.
//! - [`Database`]: made from a template that is migrated once; dropped when the test passed, kept for a look when not.
//! - [`Visitor`]: a browser without comfort. It keeps cookies and raw `Set-Cookie` lines, follows nothing by itself, and
//!   can address any replica with [`Visitor::via`].
//! - [`Backend`]: a program with an API key.
//! - [`Control`]: the emulator's control port: dialects, limits, clock, faults, ledger, journal.
//! - [`Outside`]: a host that nobody may contact.
//! - [`receiver::Receiver`]: where webhooks go.
//! - [`wait_for`]: instead of sleeping.

pub mod app;
pub mod backend;
pub mod control;
pub mod database;
pub mod fault_proxy;
pub mod logs;
pub mod outside;
pub mod page;
pub mod process;
pub mod raw;
pub mod receiver;
pub mod visitor;

use std::{future::Future, time::Duration};

pub use app::App;
pub use backend::{Backend, Told};
pub use control::Control;
pub use database::{Database, database, plan};
pub use outside::Outside;
pub use page::Page;
pub use visitor::Visitor;

/// One organization with every product, in the United States.
pub const SAM: &str = "us:780000001";
/// No organization at all.
pub const PAT: &str = "us:780000002";
/// Three organizations with Assist, SalesIQ and Connect, in Europe.
pub const ANN: &str = "eu:795000000";
/// One organization in Europe, with three portals and three networks in it.
pub const BEA: &str = "eu:795000001";
/// The same e-mail address as the American's.
pub const SAM_OF_EUROPE: &str = "eu:795000002";
/// CRM in production, sandbox and developer.
pub const ISHA: &str = "in:600000001";
pub const CHLOE: &str = "ca:110000001";
/// Ids beyond 2^53.
pub const YUKI: &str = "jp:9223372036854775807";
pub const LI: &str = "cn:860000001";

/// How long anything may take before a test gives up.
const BOUND: Duration = Duration::from_secs(15);

/// Asks until there is an answer; panics, naming `what`, when there is none in time.
pub async fn wait_for<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let waited = tokio::time::timeout(BOUND, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what}: not within {BOUND:?}"))
}

/// A query parameter of an address, decoded.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

/// The address with one query parameter replaced, left out (`None`) or added at the end.
pub fn with_parameter(url: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let kept = url::form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known != name);
    let changed = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .extend_pairs(value.map(|new| (name, new)))
        .finish();
    format!("{path}?{changed}")
}

/// A text with every id in it masked, so that two pages can be compared.
pub fn without_ids(text: &str) -> String {
    const LENGTH: usize = 36;
    let mut masked = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.get(..LENGTH).is_some_and(|piece| uuid::Uuid::parse_str(piece).is_ok()) {
            masked.push_str("(id)");
            rest = &rest[LENGTH..];
        } else {
            masked.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    masked
}
