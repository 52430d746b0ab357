//! The commands that look after an installation, and the API for back ends: the real program as a
//! process, with a real Postgres.

mod access;
mod commands;
mod connections;
mod harness;
mod imports;
mod interrupted;
mod rotation;
mod sealed;
