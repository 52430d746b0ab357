//! How the program behaves, seen from outside: real sockets, a real Postgres, Zoho in miniature.
//!
//! Needs a superuser's `TEST_DATABASE_URL` (`scripts/test` and `scripts/db` provide one). A test's name begins with the
//! rule of security.md that it proves, where there is one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access_token;
mod api_keys;
mod architecture;
mod audit;
mod callback;
mod clients;
mod connections;
mod console;
mod csrf;
mod emulator;
mod faults;
mod harness;
mod headers;
mod import;
mod isolation;
mod onboarding;
mod openapi;
mod operator;
mod organizations;
mod products;
mod proxy;
mod refresh;
mod secrets;
mod sessions;
mod sign_in;
mod webhooks;
