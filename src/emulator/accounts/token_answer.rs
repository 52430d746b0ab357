//! The token endpoint's answers, in the dialect the settings ask for (zoho-oauth.md §6).

use serde_json::{Map, Value, json};

use super::openid;
use crate::emulator::answer::Answer;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::Issued;
use crate::emulator::listener::Listener;
use crate::emulator::scopes;
use crate::emulator::settings::{ApiDomain, ExpiresIn, ScopeSpelling, Settings};
use crate::emulator::state::{Shared, State};

pub(super) fn granted(shared: &Shared, state: &State, issued: &Issued, refreshed: bool) -> Answer {
    let dialect = &state.settings.token;
    let mut members = Map::new();
    members.insert("access_token".to_owned(), json!(issued.access_token));
    if let Some(token) = &issued.refresh_token {
        members.insert("refresh_token".to_owned(), json!(token));
    }
    if let Some(scope) = spell(&issued.grant.scopes, dialect.scope) {
        members.insert("scope".to_owned(), json!(scope));
    }
    let api_domain = match dialect.api_domain {
        ApiDomain::Absent => None,
        ApiDomain::AbsentOnRefresh if refreshed => None,
        ApiDomain::AsInOldSamples => Some(old_sample(issued.grant.data_centre())),
        ApiDomain::Present | ApiDomain::AbsentOnRefresh => {
            Some(shared.addresses.url(Listener::Api(issued.grant.data_centre(), issued.grant.environment)))
        }
    };
    if let Some(api_domain) = api_domain {
        members.insert("api_domain".to_owned(), json!(api_domain));
    }
    members.insert("token_type".to_owned(), json!("Bearer"));
    life(&mut members, issued.seconds, dialect.expires_in);
    if let Some(token) = openid::id_token(shared, state, &issued.grant).filter(|_| !refreshed) {
        members.insert("id_token".to_owned(), json!(token));
    }
    Answer::json(200, &Value::Object(members))
}

fn life(members: &mut Map<String, Value>, seconds: u32, form: ExpiresIn) {
    let milliseconds = u64::from(seconds) * 1000;
    let (expires_in, expires_in_sec) = match form {
        ExpiresIn::Seconds => (Some(json!(seconds)), None),
        ExpiresIn::MillisecondsAndSeconds => (Some(json!(milliseconds)), Some(json!(seconds))),
        ExpiresIn::Milliseconds => (Some(json!(milliseconds)), None),
        ExpiresIn::SecondsUnderTheOldName => (None, Some(json!(seconds))),
        ExpiresIn::Text => (Some(json!(seconds.to_string())), None),
        ExpiresIn::Absent => (None, None),
    };
    members.extend(expires_in.map(|value| ("expires_in".to_owned(), value)));
    members.extend(expires_in_sec.map(|value| ("expires_in_sec".to_owned(), value)));
}

fn spell(granted: &[String], spelling: ScopeSpelling) -> Option<String> {
    match spelling {
        ScopeSpelling::Normalized => Some(granted.join(" ")),
        ScopeSpelling::Expanded => Some(scopes::expand(granted).join(" ")),
        ScopeSpelling::LowerCase => Some(granted.join(" ").to_lowercase()),
        ScopeSpelling::Commas => Some(granted.join(",")),
        ScopeSpelling::Absent => None,
    }
}

fn old_sample(data_centre: DataCentre) -> String {
    match data_centre {
        DataCentre::Us => "https://api.zoho.com".to_owned(),
        DataCentre::Au => "https://api.zoho.com.au".to_owned(),
        DataCentre::Cn => "https://api.zoho.com.cn".to_owned(),
        DataCentre::Ca => "https://api.zohocloud.ca".to_owned(),
        other => format!("https://api.zoho.{other}"),
    }
}

pub(super) fn error(settings: &Settings, word: &str) -> Answer {
    Answer::json(settings.token.error_status, &json!({"error": word}))
}

/// "Access Denied" here means too many requests, not a refusal.
pub(super) fn throttled(settings: &Settings) -> Answer {
    let throttle = &settings.throttle;
    let body = json!({"error_description": throttle.text, "error": throttle.error, "status": "failure"});
    let answer = Answer::json(throttle.status, &body);
    match &throttle.retry_after {
        Some(value) => answer.with("retry-after", value.clone()),
        None => answer,
    }
}
