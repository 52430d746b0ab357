//! What a person sees: the program itself (`demo --json`), the emulator's own pages, and real Chromium between them.
//!
//! The site is `http://localhost:PORT`, the emulator `http://127.0.0.1:PORT`: two sites to a browser, as ours and Zoho's
//! are (security.md S-31). Every test starts its own demo and its own browser, and on leaving the stage checks what must
//! hold everywhere: no violation of the content security policy, no script error, no dialog, and no process left behind.
//!
//! `CHROMIUM` and `CHROMEDRIVER` name other programs than those on PATH. With `SCREENSHOTS` naming a directory, every page
//! that is examined is also kept there, on a desktop and a phone, light and dark.

mod api_keys;
mod appearance;
mod browser;
mod connections;
mod console;
mod demo;
mod embed;
mod hostile;
mod keyboard;
mod operator;
mod pages;
mod processes;
mod refresh;
mod restart;
mod sign_in;
mod story;
mod webhooks;

use std::{any::Any, panic::AssertUnwindSafe};

use futures_util::FutureExt as _;

use browser::Browser;
use demo::Demo;

/// A running demo and a browser that has never been there.
#[derive(Debug)]
struct Stage {
    demo: Demo,
    browser: Browser,
    /// What the eye (`appearance`) has found, told together at the end.
    findings: Vec<String>,
}

/// Plays one test, and ends both programs however it went.
async fn on_stage(play: impl AsyncFnOnce(&mut Stage)) {
    on_stage_of(Demo::start(), play).await;
}

/// As `on_stage`, with a demo of one's own.
async fn on_stage_of(demo: Demo, play: impl AsyncFnOnce(&mut Stage)) {
    let mut stage = Stage { demo, browser: Browser::start().await, findings: Vec::new() };
    let outcome = AssertUnwindSafe(play(&mut stage)).catch_unwind().await;
    if outcome.is_err() {
        stage.browser.describe().await;
    }
    let complaints = stage.browser.quit().await;
    let left_behind = stage.demo.stop();
    if let Err(panic) = outcome {
        resume(panic);
    }
    assert!(stage.findings.is_empty(), "{}", stage.findings.join("\n"));
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
    assert!(left_behind.is_empty(), "the demo left processes behind: {left_behind:?}");
}

fn resume(panic: Box<dyn Any + Send>) -> ! {
    std::panic::resume_unwind(panic)
}
