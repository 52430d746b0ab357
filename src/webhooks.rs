//! Telling others what happened, by Standard Webhooks (<https://www.standardwebhooks.com>).
//!
//! 1. **Write** (`event`): whoever changes something calls `event::insert` in the transaction of the
//!    change. It writes one row for each endpoint that wants the event: with the commit, the event is
//!    certain to be delivered; without it, it never happened.
//! 2. **Claim** (`deliver`): a worker claims what is due, for 30 s. Of one connection and endpoint only
//!    the first that is pending: a failed one holds up those behind it, and nothing else.
//! 3. **Send** (`send`): signed anew with each try (`signature`), under the same id, to an address that
//!    was judged after its name was resolved (security.md S-72). 2xx within 5 s is delivered.
//! 4. **Again**: 5 s · 2ⁿ with jitter for 24 h, then a dead letter that somebody may send again. 410
//!    disables the endpoint.
//!
//! Whoever dies between 3 and writing it down delivers twice. Receivers tell by the id.

pub(crate) mod deliver;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod payload;
pub(crate) mod secrets;
mod send;
mod signature;
