//! What is put on record, by the words it is recorded under, and how readers ask for it.

use std::str::FromStr;

use super::ids::PersonId;

/// Everything that is put on record, in the groups in which people look for it. The words are kept: other programs filter
/// by them.
pub const ACTIONS: [(Group, &[&str]); 7] = [
    (
        Group::SignIn,
        &[
            "signed_in",
            "signed_out",
            "sign_in_failed",
            "callback_refused",
            "data_centre_refused",
            "attempt_of_somebody_else",
            "code_of_another_state",
        ],
    ),
    (
        Group::Connections,
        &[
            "connected",
            "reconnected",
            "organization_chosen",
            "imported",
            "import_failed",
            "tested",
            "refreshed",
            "refresh_failed",
            "recovered",
            "needs_reconnect",
            "disconnected",
            "revoked_at_zoho",
        ],
    ),
    (Group::BackEnds, &["token_refused", "call_refused", "api_key_created", "api_key_revoked"]),
    (Group::Members, &["member_joined", "role_changed", "member_removed", "member_left", "console_refused"]),
    (
        Group::Onboarding,
        &[
            "onboarding_link_created",
            "onboarding_started",
            "onboarding_consented",
            "onboarding_confirmed",
            "onboarding_refused",
            "onboarding_withdrawn",
            "onboarding_expired",
        ],
    ),
    (
        Group::Webhooks,
        &[
            "webhook_endpoint_created",
            "webhook_endpoint_changed",
            "webhook_endpoint_disabled",
            "webhook_endpoint_deleted",
            "webhook_secret_rotated",
            "webhook_tested",
            "webhook_redelivered",
        ],
    ),
    (
        Group::Installation,
        &[
            "tenant_created",
            "tenant_suspended",
            "tenant_resumed",
            "tenant_deleted",
            "tenant_erased",
            "operator_viewed",
            "operator_granted",
            "operator_revoked",
            "keys_rewrapped",
            "audit_dropped",
        ],
    ),
];

/// What is recorded all day long. By these, lists find nothing by an index of their own: they are found on the way.
pub const FREQUENT: [&str; 2] = ["refreshed", "signed_in"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    SignIn,
    Connections,
    BackEnds,
    Members,
    Onboarding,
    Webhooks,
    Installation,
}

/// A word as actions are: what nobody has recorded yet is asked for in vain, and no mistake.
pub fn parse_action(text: &str) -> Result<String, &'static str> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-');
    if text.len() <= 64 && text.bytes().all(is_word) { Ok(text.to_owned()) } else { Err("is no action") }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorFilter {
    Person(PersonId),
    /// By the id of its key.
    ApiKey(String),
    /// This program, unasked.
    Engine,
}

impl ActorFilter {
    /// As the address of a page names it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Person(person_id) => person_id.to_string(),
            Self::ApiKey(api_key_id) => api_key_id.clone(),
            Self::Engine => "engine".to_owned(),
        }
    }

    /// `actor_kind` and `actor_id`, where they matter. A person may have acted as an operator, too.
    pub fn columns(&self) -> (Option<&'static str>, Option<String>) {
        match self {
            Self::Person(person_id) => (None, Some(person_id.to_string())),
            Self::ApiKey(api_key_id) => (Some("api_key"), Some(api_key_id.clone())),
            Self::Engine => (Some("engine"), None),
        }
    }
}

impl FromStr for ActorFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "engine" {
            return Ok(Self::Engine);
        }
        if let Ok(person_id) = text.parse() {
            return Ok(Self::Person(person_id));
        }
        let is_key = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if is_key { Ok(Self::ApiKey(text.to_owned())) } else { Err("is neither a person nor a key") }
    }
}

/// Outcomes of what came to pass: a test works, Zoho confirms a revocation. Lists find all others by an index of their own.
const WELL: [&str; 4] = ["done", "works", "yes", "already"];

pub fn came_to_pass(outcome: &str) -> bool {
    WELL.contains(&outcome)
}

/// Whether it came to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeFilter {
    Done,
    /// Refused, failed, or left for later: the outcome says which.
    NotDone,
}

impl OutcomeFilter {
    pub const ALL: [Self; 2] = [Self::Done, Self::NotDone];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDone => "not_done",
        }
    }
}

impl FromStr for OutcomeFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|outcome| outcome.key() == text).ok_or("must be done or not_done")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_action_stands_in_one_group_and_can_be_asked_for() {
        let mut seen = BTreeSet::new();
        for action in ACTIONS.iter().flat_map(|(_, actions)| actions.iter()) {
            assert!(seen.insert(action), "{action} twice");
            assert_eq!(parse_action(action).as_deref(), Ok(*action));
        }
        for odd in ["Signed in", "x;y", "é"] {
            assert!(parse_action(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_actor_leads_back() {
        for actor in
            [ActorFilter::Person(PersonId::new()), ActorFilter::ApiKey("aB3_-xYz".to_owned()), ActorFilter::Engine]
        {
            assert_eq!(actor.to_text().parse(), Ok(actor));
        }
        assert!("somebody".parse::<ActorFilter>().is_ok(), "eight characters may be a key's");
        assert!("nobody known".parse::<ActorFilter>().is_err());
    }
}
