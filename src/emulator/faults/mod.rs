//! Faults on demand: which requests they hit, how often, and what happens then (security.md E-7).

mod act;
mod transport;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) use act::Act;
pub(super) use transport::write;

use super::listener::Listener;
use super::request::Request;

/// A fault as the control port takes it: members left out match everything.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// `accounts`, `api`, `sandbox`, `developer`, or one of them with its data centre: `accounts:eu`.
    #[serde(default)]
    listener: Option<String>,
    #[serde(default)]
    data_centre: Option<String>,
    #[serde(default)]
    method: Option<String>,
    /// How the path begins.
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    grant_type: Option<String>,
    /// An access token, refresh token or code anywhere in the request.
    #[serde(default)]
    token: Option<String>,
    /// Matching requests that are let through first.
    #[serde(default)]
    skip: u64,
    /// How many are hit; without it all, until the fault is cleared.
    #[serde(default)]
    count: Option<u64>,
    /// Whether the emulator does what was asked before the fault strikes. By default it does where the real answer is
    /// still used (delay, drip, truncation, reset, hanging, changed JSON) and does not where it is replaced.
    #[serde(default)]
    effect: Option<bool>,
    act: Act,
}

#[derive(Debug)]
struct Armed {
    id: u64,
    fault: Fault,
    seen: u64,
    hits: u64,
}

/// A fault that struck.
#[derive(Debug, Clone)]
pub(super) struct Strike {
    pub(super) id: u64,
    pub(super) act: Act,
    pub(super) effect: bool,
}

#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<(u64, Vec<Armed>)>);

impl Faults {
    fn lock(&self) -> MutexGuard<'_, (u64, Vec<Armed>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, fault: Fault) -> u64 {
        let mut faults = self.lock();
        faults.0 += 1;
        let id = faults.0;
        faults.1.push(Armed { id, fault, seen: 0, hits: 0 });
        id
    }

    /// The first fault that hits this request. Faults whose count is used up go away by themselves.
    pub(super) fn strike(&self, request: &Request) -> Option<Strike> {
        let mut faults = self.lock();
        let mut struck = None;
        for armed in &mut faults.1 {
            if !armed.fault.matches(request) {
                continue;
            }
            armed.seen += 1;
            if armed.seen > armed.fault.skip && struck.is_none() {
                armed.hits += 1;
                let act = armed.fault.act.clone();
                let effect = armed.fault.effect.unwrap_or(!act.replaces());
                struck = Some(Strike { id: armed.id, act, effect });
            }
        }
        if struck.is_some() {
            faults.1.retain(|armed| armed.fault.count.is_none_or(|count| armed.hits < count));
        }
        struck
    }

    pub(super) fn remove(&self, id: u64) -> bool {
        let mut faults = self.lock();
        let before = faults.1.len();
        faults.1.retain(|armed| armed.id != id);
        faults.1.len() < before
    }

    pub(super) fn clear(&self) {
        self.lock().1.clear();
    }

    pub(super) fn json(&self) -> Value {
        let faults = self.lock();
        let list = faults
            .1
            .iter()
            .map(|armed| json!({"id": armed.id, "hits": armed.hits, "seen": armed.seen, "fault": armed.fault}));
        json!({"faults": list.collect::<Vec<_>>()})
    }
}

impl Fault {
    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(listener) = &self.listener {
            let kind = listener.split(':').next().unwrap_or_default();
            if !["accounts", "api", "sandbox", "developer"].contains(&kind) {
                return Err(format!(
                    "listener {listener:?}: use accounts, api, sandbox or developer, with :eu for one data centre"
                ));
            }
        }
        self.act.check()
    }

    fn matches(&self, request: &Request) -> bool {
        if request.listener == Listener::Control {
            return false;
        }
        let listener = request.listener.to_string();
        let (kind, place) = listener.split_once(':').unwrap_or((&listener, ""));
        self.listener.as_deref().is_none_or(|wanted| wanted == listener || wanted == kind)
            && self.data_centre.as_deref().is_none_or(|wanted| wanted == place)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(&request.method))
            && self.path.as_deref().is_none_or(|wanted| request.path.starts_with(wanted))
            && self
                .grant_type
                .as_deref()
                .is_none_or(|wanted| request.token_parameters().get("grant_type") == Some(wanted))
            && self.token.as_deref().is_none_or(|wanted| {
                request.access_token() == Some(wanted)
                    || request.token_parameters().iter().any(|(_, value)| value == wanted)
            })
    }
}
