//! Login with Zoho: the library behind the programs. ARCHITECTURE.md is the map.

mod domain;
pub mod emulator;
pub mod private_postgres;
mod zoho;
