//! What keeps tenants, rows and the past apart, seen from the database and from several replicas.

mod append_only;
mod replicas;
mod row_security;
mod sealed;
mod torn;
