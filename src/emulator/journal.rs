//! The journal: every request that reached a listener, complete, and every bare TCP connection.
//!
//! It answers questions no client can answer for itself: was this host contacted at all, with which body, and did a
//! secret stand in a request line, where proxies and logs would keep it (security.md E-8)? The control listener is left out, so
//! that reading the journal does not fill it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::clock::{Millis, rfc3339};
use super::listener::Listener;
use super::request::Request;

#[derive(Debug)]
pub(super) struct Entry {
    sequence: u64,
    at: Millis,
    listener: Listener,
    peer: String,
    event: Event,
}

#[derive(Debug)]
enum Event {
    Connection,
    Request { request: Box<Request>, secret: Option<String>, status: Option<u16>, fault: Option<u64> },
}

#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    next: u64,
    limit: usize,
    entries: VecDeque<Entry>,
}

impl Ring {
    fn push(&mut self, at: Millis, listener: Listener, peer: String, event: Event) -> u64 {
        self.next += 1;
        while self.entries.len() >= self.limit.max(1) {
            self.entries.pop_front();
        }
        if self.limit > 0 {
            self.entries.push_back(Entry { sequence: self.next, at, listener, peer, event });
        }
        self.next
    }
}

/// What the control port asks for.
#[derive(Debug, Default)]
pub(super) struct Filter<'a> {
    pub(super) after: u64,
    pub(super) listener: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) limit: usize,
}

impl Journal {
    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, limit: usize) {
        let mut ring = self.ring();
        ring.limit = limit;
        let surplus = ring.entries.len().saturating_sub(limit);
        ring.entries.drain(..surplus);
    }

    pub(super) fn connection(&self, at: Millis, listener: Listener, peer: String) {
        self.ring().push(at, listener, peer, Event::Connection);
    }

    /// Records a request as it arrived; its status follows by [`Journal::answered`].
    pub(super) fn request(&self, at: Millis, request: &Request, secret: Option<String>) -> u64 {
        let mut ring = self.ring();
        if ring.limit == 0 {
            return 0;
        }
        let event = Event::Request { request: Box::new(request.clone()), secret, status: None, fault: None };
        ring.push(at, request.listener, request.peer.clone(), event)
    }

    pub(super) fn answered(&self, sequence: u64, answered: Option<u16>, by: Option<u64>) {
        let mut ring = self.ring();
        let Some(first) = ring.entries.front().map(|entry| entry.sequence) else { return };
        let Some(index) = sequence.checked_sub(first).and_then(|index| usize::try_from(index).ok()) else { return };
        if let Some(Entry { event: Event::Request { status, fault, .. }, .. }) = ring.entries.get_mut(index) {
            *status = answered;
            *fault = by;
        }
    }

    pub(super) fn clear(&self) {
        self.ring().entries.clear();
    }

    pub(super) fn read(&self, filter: &Filter<'_>) -> Value {
        let ring = self.ring();
        let wanted = |entry: &&Entry| {
            entry.sequence > filter.after
                && filter.listener.is_none_or(|listener| entry.listener.to_string().starts_with(listener))
                && filter.path.is_none_or(
                    |path| matches!(&entry.event, Event::Request { request, .. } if request.path.starts_with(path)),
                )
        };
        let entries: Vec<Value> = ring.entries.iter().filter(wanted).take(filter.limit).map(Entry::json).collect();
        let first = ring.entries.front().map_or(ring.next + 1, |entry| entry.sequence);
        json!({"entries": entries, "first": first, "last": ring.next})
    }
}

impl Entry {
    fn json(&self) -> Value {
        let mut value = json!({
            "seq": self.sequence, "at": rfc3339(self.at), "listener": self.listener.to_string(), "peer": self.peer, "kind": "connection",
        });
        if let Event::Request { request, secret, status, fault } = &self.event {
            value["kind"] = json!("request");
            value["method"] = json!(request.method);
            value["target"] = json!(request.target());
            value["path"] = json!(request.path);
            value["query"] = json!(request.query);
            value["version"] = json!(request.version);
            value["headers"] = json!(request.headers);
            let (name, body) = body(&request.body);
            value[name] = json!(body);
            value["status"] = json!(status);
            value["fault"] = json!(fault);
            value["secret_in_request_line"] = json!(secret.is_some());
            value["secret"] = json!(secret);
        }
        value
    }
}

/// Text where it is text, base64 where it is not.
pub(super) fn body(bytes: &Bytes) -> (&'static str, String) {
    match std::str::from_utf8(bytes) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_base64", STANDARD.encode(bytes)),
    }
}
