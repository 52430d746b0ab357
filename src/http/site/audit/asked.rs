//! What the address of the audit asks for, and the form that changes it.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use url::form_urlencoded::Serializer;

use crate::{
    app::App,
    domain::{
        audit::{ACTIONS, ActorFilter, Group, OutcomeFilter, parse_action},
        ids::{ConnectionId, TenantId},
    },
    http::{
        api::{cursor, parameters::Parameters},
        page::{Label, shorten},
        problem::Problem,
    },
    store::{
        api_key::TenantKey,
        audit_event::listed::{Filter, Position},
        membership::TenantMember,
    },
};

/// The audit as its address asks for it. Days are whole, in UTC.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    action: Option<String>,
    actor: Option<ActorFilter>,
    connection_id: Option<ConnectionId>,
    outcome: Option<OutcomeFilter>,
    since: Option<NaiveDate>,
    /// The last day that counts.
    until: Option<NaiveDate>,
    pub(crate) before: Option<Position>,
}

impl Asked {
    /// What is unknown, doubled or altered is refused (security.md S-40).
    pub(crate) fn read(app: &App, tenant_id: TenantId, query: &str) -> Result<Self, Problem> {
        let mut parameters = Parameters::read(query);
        let asked = Self {
            action: parameters.take_filled("action", parse_action),
            actor: parameters.take_filled("actor", str::parse::<ActorFilter>),
            connection_id: parameters.take_filled("connection", str::parse::<ConnectionId>),
            outcome: parameters.take_filled("outcome", str::parse::<OutcomeFilter>),
            since: parameters.take_filled("since", day),
            until: parameters.take_filled("until", day),
            before: None,
        };
        let before = parameters
            .take_filled("cursor", |cursor| asked.list(tenant_id).open(&app.keys, cursor, Position::from_text));
        parameters.finish()?;
        Ok(Self { before, ..asked })
    }

    pub(crate) fn filter(&self, tenant_id: TenantId) -> Filter {
        Filter {
            tenant_id: Some(tenant_id),
            action: self.action.clone(),
            actor: self.actor.clone(),
            connection_id: self.connection_id,
            outcome: self.outcome,
            since: self.since.map(begins),
            until: self.until.and_then(|day| day.checked_add_days(Days::new(1))).map(begins),
        }
    }

    fn list(&self, tenant_id: TenantId) -> cursor::List {
        cursor::List::new("console.audit", Some(tenant_id), &self.query())
    }

    /// The same, of one actor, from its first page on.
    pub(crate) fn by(&self, actor: ActorFilter) -> Self {
        Self { actor: Some(actor), before: None, ..self.clone() }
    }

    fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        let pairs = [
            ("action", self.action.clone()),
            ("actor", self.actor.as_ref().map(ActorFilter::to_text)),
            ("connection", self.connection_id.map(|id| id.to_string())),
            ("outcome", self.outcome.map(|outcome| outcome.key().to_owned())),
            ("since", self.since.map(|day| day.to_string())),
            ("until", self.until.map(|day| day.to_string())),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        query.finish()
    }

    /// The address of its first page.
    pub(crate) fn at(&self, path: &str) -> String {
        let query = self.query();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The address of the page that begins there.
    pub(crate) fn from(&self, app: &App, tenant_id: TenantId, path: &str, position: Position) -> String {
        let cursor = self.list(tenant_id).seal(&app.keys, &position.to_text());
        let query = Serializer::new(self.query()).append_pair("cursor", &cursor).finish();
        format!("{path}?{}", query.trim_start_matches('&'))
    }

    pub(crate) fn controls(&self, path: &str, whom: &Whom) -> Controls {
        let chosen = self.action.as_deref();
        let actions = ACTIONS.iter().map(|(group, actions)| Actions {
            group: *group,
            choices: actions.iter().map(|action| Choice::of(action, chosen)).collect(),
        });
        let actor = self.actor.as_ref().map(ActorFilter::to_text);
        let people: Vec<_> = whom.people(actor.as_deref());
        let keys: Vec<_> = whom.keys(actor.as_deref());
        let is_listed = actor.is_none() || people.iter().chain(&keys).any(|choice| choice.is_chosen);
        Controls {
            path: path.to_owned(),
            actions: actions.collect(),
            is_engine: self.actor == Some(ActorFilter::Engine),
            somebody_else: actor.filter(|_| !is_listed && self.actor != Some(ActorFilter::Engine)),
            people,
            keys,
            outcomes: OutcomeFilter::ALL
                .map(|outcome| Choice::of(outcome.key(), self.outcome.map(OutcomeFilter::key)))
                .into(),
            connection: self.connection_id.map(|id| id.to_string()),
            since: self.since.map(|day| day.to_string()).unwrap_or_default(),
            until: self.until.map(|day| day.to_string()).unwrap_or_default(),
            is_narrowed: !self.query().is_empty(),
            first: self.before.is_some().then(|| self.at(path)),
            csv: self.at(&format!("{path}/csv")),
        }
    }
}

fn day(text: &str) -> Result<NaiveDate, &'static str> {
    let is_day = text.len() == "2026-11-21".len() && text.starts_with(|first: char| first.is_ascii_digit());
    let day = is_day.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
    day.ok_or("must be a day: 2026-11-21")
}

fn begins(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Who may have done something, as far as that is known.
pub(crate) struct Whom {
    pub(crate) members: Vec<TenantMember>,
    pub(crate) keys: Vec<TenantKey>,
}

impl Whom {
    fn people(&self, chosen: Option<&str>) -> Vec<NamedChoice> {
        let choice = |member: &TenantMember| {
            let name = if member.display_name.is_empty() { &member.email } else { &member.display_name };
            NamedChoice::of(member.person_id.to_string(), Label::new(name), chosen)
        };
        self.members.iter().map(choice).collect()
    }

    fn keys(&self, chosen: Option<&str>) -> Vec<NamedChoice> {
        let choice = |key: &TenantKey| NamedChoice::of(key.api_key_id.clone(), Label::new(&key.name), chosen);
        self.keys.iter().map(choice).collect()
    }
}

/// The filter bar.
pub(crate) struct Controls {
    pub(crate) path: String,
    pub(crate) actions: Vec<Actions>,
    pub(crate) people: Vec<NamedChoice>,
    pub(crate) keys: Vec<NamedChoice>,
    pub(crate) is_engine: bool,
    /// Who was chosen from a row, and stands in no list.
    pub(crate) somebody_else: Option<String>,
    pub(crate) outcomes: Vec<Choice>,
    pub(crate) connection: Option<String>,
    pub(crate) since: String,
    pub(crate) until: String,
    pub(crate) is_narrowed: bool,
    /// Where the list begins, unless this is there.
    pub(crate) first: Option<String>,
    pub(crate) csv: String,
}

pub(crate) struct Actions {
    pub(crate) group: Group,
    pub(crate) choices: Vec<Choice>,
}

pub(crate) struct Choice {
    pub(crate) key: &'static str,
    pub(crate) is_chosen: bool,
}

impl Choice {
    fn of(key: &'static str, chosen: Option<&str>) -> Self {
        Self { key, is_chosen: Some(key) == chosen }
    }
}

pub(crate) struct NamedChoice {
    pub(crate) key: String,
    pub(crate) name: Label,
    pub(crate) is_chosen: bool,
}

impl NamedChoice {
    fn of(key: String, name: Label, chosen: Option<&str>) -> Self {
        let name = if name.is_empty() { Label::new(&shorten(&key)) } else { name };
        Self { is_chosen: Some(key.as_str()) == chosen, key, name }
    }
}

#[cfg(test)]
impl Asked {
    /// Everything narrowed at once.
    pub(crate) fn worst() -> Self {
        let text = "action=token_refused&outcome=not_done";
        let mut parameters = Parameters::read(text);
        Self {
            action: parameters.take_filled("action", parse_action),
            outcome: parameters.take_filled("outcome", str::parse::<OutcomeFilter>),
            actor: Some(ActorFilter::ApiKey("k3yk3yk3".to_owned())),
            connection_id: "019aa3f2-7c1e-7d10-9b2f-000000000001".parse().ok(),
            since: day("2026-11-01").ok(),
            until: day("2026-11-30").ok(),
            before: None,
        }
    }
}
