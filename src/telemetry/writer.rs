//! Standard error, with request lines gathered.
//!
//! There are as many request lines as requests, and a system call for each of them costs as much as a
//! tenth of a request. So they wait for each other, [`WAIT`] at most or until there are [`ENOUGH`]
//! bytes; every other event is written at once, and what waits before it, so that lines keep their
//! order and an alarm is never late. A program that is killed takes the lines of its last
//! milliseconds along.

use std::{
    io::{self, Write as _},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Where request lines come from.
const GATHERED: &str = "login_with_zoho::telemetry::request_line";
const WAIT: Duration = Duration::from_millis(10);
const ENOUGH: usize = 32 * 1024;

static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Writes what waits, at the end of the program.
pub(crate) fn write_what_waits() {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    // Nobody is left to tell.
    let _ = write(&mut waiting);
}

fn write(waiting: &mut Vec<u8>) -> io::Result<()> {
    let written = io::stderr().write_all(waiting);
    waiting.clear();
    written
}

#[derive(Debug)]
pub(super) struct Writer {
    /// Absent where no thread could be had: then nothing waits.
    thread: Option<Thread>,
}

/// Whether the thread has something to do.
static IS_AWAITED: AtomicBool = AtomicBool::new(false);

impl Writer {
    pub(super) fn start() -> Self {
        let run = || loop {
            while !IS_AWAITED.swap(false, Ordering::AcqRel) {
                thread::park();
            }
            // Time for others to join; who wakes us meanwhile has been heard already.
            let since = std::time::Instant::now();
            while let Some(left) = WAIT.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) {
                thread::park_timeout(left);
            }
            write_what_waits();
        };
        let thread = thread::Builder::new().name("log".to_owned()).spawn(run);
        Self { thread: thread.ok().map(|thread| thread.thread().clone()) }
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { awaited_by: None }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Line<'a> {
        let may_wait = event.target() == GATHERED && *event.level() == Level::INFO;
        Line { awaited_by: self.thread.as_ref().filter(|_| may_wait) }
    }
}

/// Takes one whole line with each write, as the subscriber does it.
pub(super) struct Line<'a> {
    awaited_by: Option<&'a Thread>,
}

impl io::Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = waiting.is_empty();
        waiting.extend_from_slice(line);
        match self.awaited_by {
            Some(thread) if waiting.len() < ENOUGH => {
                drop(waiting);
                if is_first {
                    IS_AWAITED.store(true, Ordering::Release);
                    thread.unpark();
                }
            }
            _ => write(&mut waiting)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
