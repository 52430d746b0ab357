//! The emulator, tested by HTTP alone.

#![expect(clippy::unwrap_used, reason = "what the harness cannot do ends the test, with the place")]

#[path = "it/emulator/mod.rs"]
mod emulator;
