//! `api-key`: keys for back ends. A key is printed once, when it is made, and never again.

use std::{io::Write as _, time::Duration};

use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::{
    Failure,
    database::{Database, audited, event, with_database},
};
use crate::{
    config::{Settings, parse_duration},
    domain::{api_key::Grant, text},
    store::{
        api_key::{self, ListedKey},
        audit_event::AuditEvent,
        tenant,
    },
    vault::api_key::{Make, make},
};

#[derive(Debug, clap::Args)]
pub(super) struct ApiKey {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print it, this once
    Create(Create),
    /// Every key with what it may do and when it was last used, never the key itself
    List(List),
    /// End a key: it is dead with its next request
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// What the key is for; for people
    #[arg(long, value_parser = name)]
    name: String,

    /// What the key may do, comma-separated: connections:read connections:write tokens:read proxy onboarding:write
    /// webhooks:write audit:read
    #[arg(long, value_name = "LIST", value_delimiter = ',', required = true)]
    grants: Vec<Grant>,

    /// The one tenant that the key is for, by id, external id or slug. Default: every tenant
    #[arg(long)]
    tenant: Option<String>,

    /// How long the key lives, like `90d` or `12h`. Default: until it is revoked
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    expires_in: Option<Duration>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The key's id, as `api-key list` shows it: the part between the underscores
    id: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

fn name(text: &str) -> Result<String, &'static str> {
    let name = text::clean(text);
    if name.is_empty() { Err("say what the key is for") } else { Ok(name) }
}

impl ApiKey {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Create(create) => with_database(&create.settings, async |database| create.make(database).await),
            Action::List(list) => with_database(&list.settings, async |database| list.print(database).await),
            Action::Revoke(revoke) => with_database(&revoke.settings, async |database| revoke.end(database).await),
        }
    }
}

impl Create {
    async fn make(&self, database: &Database) -> Result<(), Failure> {
        let now = database.clock.shared_now();
        let tenant_id = match &self.tenant {
            None => None,
            Some(name) => {
                let found = tenant::find_by_any_name(database.pools.engine(), name).await?;
                let cure = || format!("no tenant has the id, external id or slug `{name}`: see how it is spelled");
                Some(found.ok_or_else(|| Failure::Refused(cure()))?)
            }
        };
        let mut grants = self.grants.clone();
        grants.sort_unstable();
        grants.dedup();
        let new = Make {
            name: &self.name,
            tenant_id,
            grants: &grants,
            created_by: "command",
            expires_at: self.expires_in.and_then(|life| Some(now + chrono::TimeDelta::from_std(life).ok()?)),
        };
        let made = audited(database, async |tx| {
            let made = make(tx, &new, now).await?;
            let event = AuditEvent { tenant_id, ..event("api_key_created", "done", made.api_key_id.clone()) };
            Ok((made, Some(event)))
        })
        .await?;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::json!({ "id": made.api_key_id, "key": made.key.expose() }))?;
        } else {
            writeln!(out, "{}", made.key.expose())?;
            writeln!(std::io::stderr(), "Keep it now: it is stored as a digest and cannot be shown again.")?;
        }
        Ok(())
    }
}

impl List {
    async fn print(&self, database: &Database) -> Result<(), Failure> {
        let now = database.clock.shared_now();
        let keys = api_key::list(database.pools.engine()).await?;
        let mut out = std::io::stdout().lock();
        if self.json {
            let keys: Vec<_> = keys.iter().map(|key| as_json(key, now)).collect();
            writeln!(out, "{}", serde_json::json!({ "api_keys": keys }))?;
            return Ok(());
        }
        if keys.is_empty() {
            writeln!(out, "no keys: `login-with-zoho api-key create --name … --grants tokens:read` makes one")?;
        }
        for key in keys {
            let tenant = key.tenant_slug.as_deref().unwrap_or("every tenant");
            let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", day(at)));
            let end = key.expires_at.map(|at| format!(", until {}", day(at))).unwrap_or_default();
            let (id, state, name) = (&key.api_key_id, state(&key, now), text::shown(&key.name));
            writeln!(out, "{id}  {state:<8}{name}: {}, {tenant}, {used}{end}", key.grants.join(","))?;
        }
        Ok(())
    }
}

impl Revoke {
    async fn end(&self, database: &Database) -> Result<(), Failure> {
        let now = database.clock.shared_now();
        // Whoever pastes the whole key means the same.
        let id = self.id.strip_prefix("lwz_").map_or(self.id.as_str(), |rest| rest.split('_').next().unwrap_or(rest));
        let ended = audited(database, async |tx| {
            let ended = api_key::update_revoked(tx, id, now).await?;
            let event = ended
                .as_ref()
                .map(|key| AuditEvent { tenant_id: key.tenant_id, ..event("api_key_revoked", "done", id.to_owned()) });
            Ok((ended.is_some(), event))
        })
        .await?;
        if !ended && api_key::find(database.pools.engine(), id).await?.is_none() {
            return Err(Failure::Refused(
                "there is no key of that id: `login-with-zoho api-key list` shows all".into(),
            ));
        }
        let mut out = std::io::stdout();
        if self.json {
            writeln!(out, "{}", serde_json::json!({ "id": id, "changed": ended }))?;
        } else {
            writeln!(out, "{id} {}", if ended { "is revoked" } else { "was revoked already" })?;
        }
        Ok(())
    }
}

fn state(key: &ListedKey, now: DateTime<Utc>) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|at| at <= now) {
        "expired"
    } else {
        "active"
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

fn as_json(key: &ListedKey, now: DateTime<Utc>) -> serde_json::Value {
    let tenant = key.tenant_id.map(|id| serde_json::json!({ "id": id, "slug": key.tenant_slug }));
    serde_json::json!({
        "id": key.api_key_id, "name": key.name, "state": state(key, now), "tenant": tenant, "grants": key.grants,
        "created_by": key.created_by, "created_at": key.created_at, "expires_at": key.expires_at,
        "revoked_at": key.revoked_at, "last_used_at": key.last_used_at,
    })
}
