//! The emulator, tested by HTTP alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "it/emulator/mod.rs"]
mod emulator;
