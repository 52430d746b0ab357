//! What the program tells whoever runs it: log lines, one line per request, metrics, panics.
//!
//! The invariant (security.md S-67, S-68, D-12): one event is one line, and no line holds a path
//! with its query, a header, a body, a token, a code, a state, an e-mail address or a peer address.
//! Our own events keep it by what they name; those of libraries by not being let through, unless
//! they are in [`LIBRARIES`]. What lines look like stands in `docs/logging.md`.

use std::{io::IsTerminal as _, panic::PanicHookInfo};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::LogFormat;

mod metrics;
mod one_line;
mod request_line;
mod writer;

pub(crate) use metrics::Metrics;
pub(crate) use request_line::{Caller, note_caller, note_route, request_line};
pub(crate) use writer::write_what_waits;

/// The crates of this repository, as they appear in a target.
const OURS: [&str; 2] = ["login_with_zoho", "zoho_emulator"];

/// The only events of libraries that are let through, and to which level, whatever `RUST_LOG`
/// says. Everything else can print what must not be printed: actix-http the error of a body it
/// streams, with the URL it came from; sqlx parts of a malformed database URL and whole
/// statements; hyper and reqwest URLs and headers.
const LIBRARIES: [(&str, Level); 1] = [
    // "Cannot accept connections: too many open files".
    ("actix_server", Level::WARN),
];

/// An error with its causes, on one line: `Display` says what happened and not why.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Starts logging to standard error, for the whole process; a second call changes nothing.
///
/// `RUST_LOG` chooses the level of our own events (`info` where it is not set).
pub fn start(format: LogFormat) {
    let wanted = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|levels| !levels.trim().is_empty());
    let readable = wanted.as_deref().and_then(|levels| EnvFilter::try_new(levels).ok());
    let is_unreadable = wanted.is_some() && readable.is_none();
    let levels = readable.unwrap_or_else(|| EnvFilter::new("info"));
    let filter = levels.and(filter_fn(may_pass));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer::Writer::start());
    let started = match format {
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true).with_span_list(false);
            tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()
        }
        LogFormat::Pretty => {
            let lines =
                lines.with_ansi(false).event_format(one_line::OneLine { colors: std::io::stderr().is_terminal() });
            tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()
        }
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
        if is_unreadable {
            tracing::warn!("RUST_LOG cannot be read and is taken for `info`");
        }
    }
}

fn may_pass(event: &Metadata<'_>) -> bool {
    let is_in =
        |name: &str| event.target().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    OURS.into_iter().any(is_in) || LIBRARIES.iter().any(|(name, most)| is_in(name) && event.level() <= most)
}

/// One line. The text of `panic!("…")` is a constant of the program and is told; a text that was
/// put together at run time may hold anything and is not.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(withheld)");
    let at = panic.location().map(|location| format!("{}:{}", location.file(), location.line())).unwrap_or_default();
    let thread = std::thread::current();
    tracing::error!(at, thread = thread.name().unwrap_or("unnamed"), text, "panic");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::fmt::MakeWriter;

    /// Standard error of a test.
    #[derive(Clone, Default)]
    pub(super) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(super) fn lines(&self) -> Vec<String> {
            let bytes = self.0.lock().expect("no panic while writing").clone();
            String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect()
        }
    }

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic while writing").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Captured {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// A subscriber as [`start`] makes it for JSON, writing where a test can read.
    pub(super) fn capture() -> (Captured, tracing::subscriber::DefaultGuard) {
        let captured = Captured::default();
        let filter = EnvFilter::new("trace").and(filter_fn(may_pass));
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(captured.clone());
        let guard = tracing_subscriber::registry().with(lines.with_filter(filter)).set_default();
        (captured, guard)
    }

    #[test]
    fn s68_an_event_is_one_line_whatever_it_holds() {
        let (captured, _guard) = capture();
        tracing::info!(name = "a\nb\r\u{1b}[31m\"}{", "first\nsecond");
        let lines = captured.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let event: serde_json::Value = serde_json::from_str(&lines[0]).expect("JSON");
        assert_eq!(event["name"], "a\nb\r\u{1b}[31m\"}{");
        assert_eq!(event["message"], "first\nsecond");
        assert_eq!(event["level"], "INFO");
    }

    #[test]
    fn s68_libraries_are_silent_even_where_everything_is_asked_for() {
        let (captured, _guard) = capture();
        tracing::error!(target: "actix_http::h1::dispatcher", "Response payload stream error: https://zoho/?code=1");
        tracing::warn!(target: "sqlx_postgres::options::parse", value = "hunter2", "ignoring unrecognized connect parameter");
        tracing::debug!(target: "hyper_util::client", "GET /?code=1");
        tracing::info!(target: "sqlx::query", "insert into x values ('hunter2')");
        tracing::debug!(target: "actix_server::worker", "noise");
        tracing::error!(target: "login_with_zoho_lookalike", "noise");
        assert_eq!(captured.lines(), Vec::<String>::new());
        tracing::warn!(target: "actix_server::accept", "Cannot accept connections");
        tracing::trace!("ours");
        assert_eq!(captured.lines().len(), 2);
    }

    #[test]
    fn s69_a_panic_is_one_line_without_what_it_was_about() {
        let (captured, _guard) = capture();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let secret = "hunter2";
        let built = std::panic::catch_unwind(|| panic!("cannot use {secret}"));
        let constant = std::panic::catch_unwind(|| panic!("a constant"));
        std::panic::set_hook(before);
        assert!(built.is_err() && constant.is_err());
        let lines = captured.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("(withheld)") && lines[0].contains("telemetry.rs:"), "{}", lines[0]);
        assert!(!lines[0].contains(secret));
        assert!(lines[1].contains("a constant"));
    }
}
