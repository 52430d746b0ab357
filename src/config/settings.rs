//! The settings as they are written: one flag and one environment variable each. The comments are
//! the manual; `docs/configuration.md` is made from them.
//!
//! Everything is taken as text here and judged in `config.rs`, so that a start that fails names
//! all that is wrong and not the first thing only. Secrets are not here: they have no flags
//! (`secrets.rs`).

use std::{collections::BTreeMap, ffi::OsString};

use clap::{Arg, ArgMatches, Args, Command};

use super::secrets::manual;
use crate::domain::product::Product;

pub(super) const LISTEN: &str = "127.0.0.1:8080";
pub(super) const MANAGEMENT_LISTEN: &str = "127.0.0.1:9090";
pub(super) const DATA_DIR: &str = "./data";
pub(super) const ZOHO_HOME: &str = "us";
pub(super) const LOGIN_PRODUCT: &str = "assist";
pub(super) const REFRESHES_PER_10_MINUTES: &str = "10";
pub(super) const REFRESH_TOKENS_PER_PERSON: &str = "20";
pub(super) const FAILED_EXCHANGES_PER_MINUTE: &str = "10";
pub(super) const FAILED_KEYS_PER_MINUTE: &str = "20";
pub(super) const WEBHOOKS_TO_LOOPBACK: &str = "off";
pub(super) const AUDIT_RETENTION: &str = "400d";
pub(super) const LOG_FORMAT: &str = "json";

/// What was set, as text. An empty value counts as not set.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings", after_long_help = manual())]
pub(crate) struct Settings {
    /// Address and port of the site; port 0 picks a free one and prints it
    #[arg(long, env, hide_env_values = true, value_name = "ADDRESS:PORT", default_value = LISTEN)]
    pub(crate) listen: Option<String>,

    /// Address and port of `/metrics` (Prometheus), apart from the site; nothing secret is served there
    #[arg(long, env, hide_env_values = true, value_name = "ADDRESS:PORT", default_value = MANAGEMENT_LISTEN)]
    pub(crate) management_listen: Option<String>,

    /// What browsers see: https, or http on loopback; no path. The redirect URI to register at Zoho is this followed by
    /// `/oauth/callback`
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// Where the private Postgres lives when `DATABASE_URL` is not set, and what the demo remembers
    #[arg(long, env, hide_env_values = true, value_name = "DIRECTORY", default_value = DATA_DIR)]
    pub(crate) data_dir: Option<OsString>,

    /// Client ID from Zoho's API console (type "Server-based Applications")
    #[arg(long, env, hide_env_values = true, value_name = "ID")]
    pub(crate) zoho_client_id: Option<String>,

    /// Client ID registered in China, whose data centre stands apart. Set it and `/login?data_centre=cn` starts there
    #[arg(long, env, hide_env_values = true, value_name = "ID")]
    pub(crate) zoho_client_id_cn: Option<String>,

    /// Data centre where the client is registered and where every sign-in starts: one of us eu in au jp ca sa uk cn ae sg
    #[arg(long, env, hide_env_values = true, value_name = "DATA CENTRE", default_value = ZOHO_HOME)]
    pub(crate) zoho_home: Option<String>,

    /// A TOML file that replaces the built-in table of Zoho's hosts, for example with those of the emulator
    #[arg(long, env, hide_env_values = true, value_name = "FILE")]
    pub(crate) zoho_servers: Option<OsString>,

    /// Data centres switched on for the client (its "Multi-DC" settings), comma-separated. Default: all but cn, and cn
    /// too where it has a client of its own
    #[arg(long, env, hide_env_values = true, value_name = "LIST")]
    pub(crate) zoho_data_centres: Option<String>,

    /// What the button connects: assist, salesiq, connect, zia_agents, crm, desk or books
    #[arg(long, env, hide_env_values = true, value_name = "PRODUCT", default_value = LOGIN_PRODUCT)]
    pub(crate) login_product: Option<String>,

    #[command(flatten)]
    pub(crate) scopes: Scopes,

    /// People who run the installation, as data centre and ZUID (`eu:795000000`), comma-separated; added to those granted
    /// by command
    #[arg(long, env, hide_env_values = true, value_name = "LIST")]
    pub(crate) operators: Option<String>,

    /// Origins of the SaaS that a `return_url` may name (`https://app.example.com`), comma-separated
    #[arg(long, env, hide_env_values = true, value_name = "LIST")]
    pub(crate) return_origins: Option<String>,

    /// Access tokens asked for per connection in 10 minutes at most; Zoho blocks beyond 10
    #[arg(long = "refreshes-per-10-minutes", env = "REFRESHES_PER_10_MINUTES", hide_env_values = true, value_name = "NUMBER", default_value = REFRESHES_PER_10_MINUTES)]
    pub(crate) refreshes_per_10_minutes: Option<String>,

    /// Refresh tokens kept per client and person; beyond 20 Zoho silently deletes the oldest
    #[arg(long, env, hide_env_values = true, value_name = "NUMBER", default_value = REFRESH_TOKENS_PER_PERSON)]
    pub(crate) refresh_tokens_per_person: Option<String>,

    /// Failed code exchanges and dead refresh tokens at import, per peer address and minute, before further sign-ins and imports are refused; 0 is off
    #[arg(long, env, hide_env_values = true, value_name = "NUMBER", default_value = FAILED_EXCHANGES_PER_MINUTE)]
    pub(crate) failed_exchanges_per_minute: Option<String>,

    /// Wrong API keys per peer address and minute before further ones are refused; 0 is off
    #[arg(long, env, hide_env_values = true, value_name = "NUMBER", default_value = FAILED_KEYS_PER_MINUTE)]
    pub(crate) failed_keys_per_minute: Option<String>,

    /// Whether webhooks may be sent to loopback addresses: on or off. For tests
    #[arg(long, env, hide_env_values = true, value_name = "ON|OFF", num_args = 0..=1, default_missing_value = "on", default_value = WEBHOOKS_TO_LOOPBACK)]
    pub(crate) webhooks_to_loopback: Option<String>,

    /// How long audit events are kept, like `400d` or `12h`
    #[arg(long, env, hide_env_values = true, value_name = "DURATION", default_value = AUDIT_RETENTION)]
    pub(crate) audit_retention: Option<String>,

    /// Networks of proxies whose `X-Forwarded-*` headers are believed (`10.0.0.0/8`), comma-separated. Default: none
    #[arg(long, env, hide_env_values = true, value_name = "LIST")]
    pub(crate) trusted_proxies: Option<String>,

    /// How log lines look: `json` (one object per line) or `pretty`. Default: json, in the demo pretty
    #[arg(long, env, hide_env_values = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

/// `SCOPES_<PRODUCT>`: one argument per product of the closed list, which no derive can spell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scopes(pub(crate) BTreeMap<Product, String>);

/// The environment variable that names a product's own scopes, and the flag.
pub(super) const fn scopes_names(product: Product) -> (&'static str, &'static str) {
    match product {
        Product::Assist => ("SCOPES_ASSIST", "scopes-assist"),
        Product::Salesiq => ("SCOPES_SALESIQ", "scopes-salesiq"),
        Product::Connect => ("SCOPES_CONNECT", "scopes-connect"),
        Product::ZiaAgents => ("SCOPES_ZIA_AGENTS", "scopes-zia-agents"),
        Product::Crm => ("SCOPES_CRM", "scopes-crm"),
        Product::Desk => ("SCOPES_DESK", "scopes-desk"),
        Product::Books => ("SCOPES_BOOKS", "scopes-books"),
    }
}

impl Scopes {
    fn argument(product: Product) -> Arg {
        let (name, flag) = scopes_names(product);
        let mut help =
            format!("Scopes asked for {}, beyond those for profile and discovery. Default: ", product.name());
        match product.default_scopes() {
            [] => help.push_str("none more"),
            scopes => help.push_str(&scopes.join(",")),
        }
        Arg::new(name).long(flag).env(name).hide_env_values(true).value_name("SCOPES").help(help)
    }
}

impl clap::FromArgMatches for Scopes {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let own = |product| Some((product, matches.get_one::<String>(scopes_names(product).0)?.clone()));
        Ok(Self(Product::ALL.into_iter().filter_map(own).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Scopes {
    fn augment_args(command: Command) -> Command {
        command.args(Product::ALL.map(Self::argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
