//! Every setting, parsed once and passed by value.
//!
//! 1. clap takes flags and environment as text (`settings.rs`); secrets come from the environment
//!    or from files (`secrets.rs`).
//! 2. Each setting is parsed into the type it stands for (`read.rs`).
//! 3. [`Config::validate`] checks what no setting can check alone.
//!
//! Nothing stops at the first mistake: whoever deploys reads all of them at once, each with the
//! setting's name and the cure (security.md S-73), and never the value of a secret.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::{person::PersonKey, product::Product, scope::ScopeSet};

mod duration;
mod encryption_keys;
#[cfg(test)]
mod manual;
mod network;
mod public_url;
mod read;
mod secrets;
mod settings;
#[cfg(test)]
mod tests;
mod zoho_client;

pub(crate) use duration::parse_duration;
pub use encryption_keys::{BadEncryptionKeys, EncryptionKeys};
pub use network::{BadNetwork, Network};
pub use public_url::{BadOrigin, PublicUrl};
pub(crate) use secrets::Environment;
pub(crate) use settings::Settings;
pub use zoho_client::ZohoClient;

/// What stands for a secret in `.env.example`; nobody may run with it.
const SAMPLE: &str = "change-me";

/// Everything that can be set (design.md §3).
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub management_listen: SocketAddr,
    pub public_url: PublicUrl,
    /// Absent: a private Postgres in `data_dir`.
    pub database_url: Option<SecretString>,
    pub data_dir: PathBuf,
    pub encryption_keys: EncryptionKeys,
    pub zoho: ZohoClient,
    /// What the button connects.
    pub login_product: Product,
    /// Each product's own scopes; those for profile and discovery come on top.
    pub scopes: BTreeMap<Product, ScopeSet>,
    pub operators: BTreeSet<PersonKey>,
    /// Origins that a `return_url` may name.
    pub return_origins: Vec<String>,
    pub refreshes_per_10_minutes: u32,
    pub refresh_tokens_per_person: u32,
    /// Per peer; 0 is off.
    pub failed_exchanges_per_minute: u32,
    /// Per peer; 0 is off.
    pub failed_keys_per_minute: u32,
    pub webhooks_to_loopback: bool,
    pub audit_retention: Duration,
    pub trusted_proxies: Vec<Network>,
    pub log_format: LogFormat,
    /// Sample data and sample secrets are welcome.
    pub demo: bool,
    /// Connections that the tenants' transactions share, where it is to be fewer than usual. No setting: tests crowd
    /// them.
    pub web_connections: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// One line per event for human eyes.
    Pretty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `json` or `pretty`")]
pub struct UnknownLogFormat;

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            _ => Err(UnknownLogFormat),
        }
    }
}

/// All that keeps the program from starting.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

/// One setting and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {problem}")]
pub struct ConfigError {
    pub setting: String,
    pub problem: String,
}

/// One line each.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl ConfigErrors {
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, setting: impl Into<String>, problem: impl fmt::Display) {
        // Some problems quote what was set: one line each, whatever it held.
        let problem = problem.to_string().replace(char::is_control, " ");
        self.0.push(ConfigError { setting: setting.into(), problem });
    }
}

impl Config {
    /// What consent to a product is asked for: profile, discovery, and its own by the settings.
    pub fn usual_scopes(&self, product: Product) -> ScopeSet {
        match self.scopes.get(&product) {
            Some(own) => product.scopes_with(own),
            None => product.scopes_with(&ScopeSet::from_known(product.default_scopes())),
        }
    }

    /// What no setting can check alone. A configuration that was read has passed; one that was
    /// built in code has not.
    pub fn validate(&self) -> Result<(), ConfigErrors> {
        let mut errors = ConfigErrors::default();
        validate_listeners(self.listen, self.management_listen, &mut errors);
        if let Some(url) = &self.database_url {
            validate_database_url(url, self.demo, &mut errors);
        }
        self.encryption_keys.validate(self.demo, &mut errors);
        self.zoho.validate(self.login_product, self.demo, &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

fn validate_listeners(listen: SocketAddr, management_listen: SocketAddr, errors: &mut ConfigErrors) {
    if listen == management_listen && listen.port() != 0 {
        errors.add("MANAGEMENT_LISTEN", "is the same as LISTEN: the metrics need a port of their own");
    }
}

/// The URL holds a password: it is judged, not repeated.
fn validate_database_url(url: &SecretString, demo: bool, errors: &mut ConfigErrors) {
    let problem = match url::Url::parse(url.expose_secret()) {
        Err(_) => "is no URL: write it as postgres://role:password@host:5432/database",
        Ok(url) if !matches!(url.scheme(), "postgres" | "postgresql") => {
            "is for no Postgres: write it as postgres://role:password@host:5432/database"
        }
        Ok(url) if !demo && url.password() == Some(SAMPLE) => "has the sample password: set one of your own",
        Ok(_) => return,
    };
    errors.add("DATABASE_URL", problem);
}
