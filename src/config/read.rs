//! From text to types, one setting after the other, gathering what is wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fmt,
    net::SocketAddr,
    ops::RangeInclusive,
    path::Path,
    str::FromStr,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Config, ConfigErrors, EncryptionKeys, Environment, Network, PublicUrl, Settings, ZohoClient, parse_duration,
    public_url::parse_origin,
    secrets::{DATABASE_URL, ENCRYPTION_KEYS, ZOHO_CLIENT_SECRET, secret_name},
    settings::{self, scopes_names},
    validate_database_url, validate_listeners,
};
use crate::domain::{
    data_centre::DataCentre, person::PersonKey, product::Product, scope::ScopeSet, secret::ClientSecret,
    servers::Servers,
};

/// Zoho's own limits are 10 and 20; whoever negotiated others is far below this.
const ZOHO_LIMITS: RangeInclusive<u32> = 1..=1_000;
const OUR_LIMITS: RangeInclusive<u32> = 0..=1_000_000;

impl Config {
    /// From what clap has read and the environment that holds the secrets.
    pub(crate) fn read(settings: &Settings, environment: &Environment, demo: bool) -> Result<Self, ConfigErrors> {
        let mut reader = Reader { environment, demo, errors: ConfigErrors::default() };
        let r = &mut reader;
        environment.refuse_misspelled_names(&mut r.errors);
        let public_url = r.public_url(settings.public_url.as_deref());
        let encryption_keys = r.encryption_keys();
        let (listen, management_listen) = r.listeners(settings);
        let database_url = r.database_url();
        let login_product = r.parse("LOGIN_PRODUCT", settings.login_product.as_deref(), settings::LOGIN_PRODUCT);
        let zoho = r.zoho_client(settings, login_product);
        let scopes = Some(r.scopes(settings));
        let operators = r.list("OPERATORS", settings.operators.as_deref(), PersonKey::from_str);
        let return_origins = r.list("RETURN_ORIGINS", settings.return_origins.as_deref(), parse_origin);
        let trusted_proxies = r.list("TRUSTED_PROXIES", settings.trusted_proxies.as_deref(), Network::from_str);
        let log_format = r.parse("LOG_FORMAT", settings.log_format.as_deref(), settings::LOG_FORMAT);
        let audit_retention =
            r.duration("AUDIT_RETENTION", settings.audit_retention.as_deref(), settings::AUDIT_RETENTION);
        let webhooks_to_loopback =
            r.switch("WEBHOOKS_TO_LOOPBACK", settings.webhooks_to_loopback.as_deref(), settings::WEBHOOKS_TO_LOOPBACK);
        let [refreshes_per_10_minutes, refresh_tokens_per_person, failed_exchanges_per_minute, failed_keys_per_minute] =
            r.limits(settings);
        // What is absent here has left its problem behind.
        let assembled = || {
            Some(Self {
                listen: listen?,
                management_listen: management_listen?,
                public_url: public_url?,
                database_url,
                data_dir: path(settings.data_dir.as_deref()).unwrap_or(Path::new(settings::DATA_DIR)).to_owned(),
                encryption_keys: encryption_keys?,
                zoho: zoho?,
                login_product: login_product?,
                scopes: scopes?,
                operators: operators.into_iter().collect(),
                return_origins,
                refreshes_per_10_minutes: refreshes_per_10_minutes?,
                refresh_tokens_per_person: refresh_tokens_per_person?,
                failed_exchanges_per_minute: failed_exchanges_per_minute?,
                failed_keys_per_minute: failed_keys_per_minute?,
                webhooks_to_loopback: webhooks_to_loopback?,
                audit_retention: audit_retention?,
                trusted_proxies,
                log_format: log_format?,
                demo,
                web_connections: None,
            })
        };
        match assembled() {
            Some(config) if reader.errors.is_empty() => Ok(config),
            _ => Err(reader.errors),
        }
    }
}

/// A setting that is empty counts as not set: files that compose containers cannot leave one out.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn path(text: Option<&OsStr>) -> Option<&Path> {
    text.filter(|text| !text.is_empty()).map(Path::new)
}

struct Reader<'a> {
    environment: &'a Environment,
    demo: bool,
    errors: ConfigErrors,
}

impl Reader<'_> {
    fn judged<T>(&mut self, name: &str, text: &str, result: Result<T, impl fmt::Display>) -> Option<T> {
        result.map_err(|error| self.errors.add(name, format_args!("is `{text}`: {error}"))).ok()
    }

    fn parse<T: FromStr<Err: fmt::Display>>(&mut self, name: &str, text: Option<&str>, default: &str) -> Option<T> {
        let text = given(text).unwrap_or(default);
        self.judged(name, text, text.parse())
    }

    /// Every item of a comma-separated list that can be read.
    fn list<T, E: fmt::Display>(&mut self, name: &str, text: Option<&str>, read: fn(&str) -> Result<T, E>) -> Vec<T> {
        let items = given(text).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty());
        items
            .filter_map(|item| {
                read(item).map_err(|error| self.errors.add(name, format_args!("holds `{item}`: {error}"))).ok()
            })
            .collect()
    }

    fn duration(&mut self, name: &str, text: Option<&str>, default: &str) -> Option<Duration> {
        let text = given(text).unwrap_or(default);
        self.judged(name, text, parse_duration(text))
    }

    fn switch(&mut self, name: &str, text: Option<&str>, default: &str) -> Option<bool> {
        let text = given(text).unwrap_or(default);
        let value = match text {
            "on" | "true" | "yes" | "1" => Ok(true),
            "off" | "false" | "no" | "0" => Ok(false),
            _ => Err("write on or off"),
        };
        self.judged(name, text, value)
    }

    fn number(&mut self, name: &str, text: Option<&str>, default: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let text = given(text).unwrap_or(default);
        let value = text.parse().ok().filter(|number| range.contains(number));
        let cure = || format!("write a whole number from {} to {}", range.start(), range.end());
        self.judged(name, text, value.ok_or_else(cure))
    }

    fn limits(&mut self, settings: &Settings) -> [Option<u32>; 4] {
        let limits = [
            (
                "REFRESHES_PER_10_MINUTES",
                settings.refreshes_per_10_minutes.as_deref(),
                settings::REFRESHES_PER_10_MINUTES,
                ZOHO_LIMITS,
            ),
            (
                "REFRESH_TOKENS_PER_PERSON",
                settings.refresh_tokens_per_person.as_deref(),
                settings::REFRESH_TOKENS_PER_PERSON,
                ZOHO_LIMITS,
            ),
            (
                "FAILED_EXCHANGES_PER_MINUTE",
                settings.failed_exchanges_per_minute.as_deref(),
                settings::FAILED_EXCHANGES_PER_MINUTE,
                OUR_LIMITS,
            ),
            (
                "FAILED_KEYS_PER_MINUTE",
                settings.failed_keys_per_minute.as_deref(),
                settings::FAILED_KEYS_PER_MINUTE,
                OUR_LIMITS,
            ),
        ];
        limits.map(|(name, text, default, range)| self.number(name, text, default, range))
    }

    fn listeners(&mut self, settings: &Settings) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let mut address = |name, text, default| {
            let text = given(text).unwrap_or(default);
            let cure = "write an IP address and a port, like 127.0.0.1:8080 or [::]:8080";
            self.judged(name, text, text.parse::<SocketAddr>().map_err(|_| cure))
        };
        let listen = address("LISTEN", settings.listen.as_deref(), settings::LISTEN);
        let management_listen =
            address("MANAGEMENT_LISTEN", settings.management_listen.as_deref(), settings::MANAGEMENT_LISTEN);
        if let (Some(listen), Some(management_listen)) = (listen, management_listen) {
            validate_listeners(listen, management_listen, &mut self.errors);
        }
        (listen, management_listen)
    }

    fn public_url(&mut self, text: Option<&str>) -> Option<PublicUrl> {
        let Some(text) = given(text) else {
            self.errors.add("PUBLIC_URL", "is not set: set what browsers see, like https://login.example.com");
            return None;
        };
        // Its errors quote what may be quoted.
        text.parse().map_err(|error| self.errors.add("PUBLIC_URL", format_args!("is refused: {error}"))).ok()
    }

    fn encryption_keys(&mut self) -> Option<EncryptionKeys> {
        let before = self.errors.0.len();
        let Some(text) = self.environment.secret(ENCRYPTION_KEYS, &mut self.errors) else {
            if self.errors.0.len() == before {
                let cure =
                    "is not set: set it to `k1:` followed by what `openssl rand -base64 32` prints, and keep a copy";
                self.errors.add(ENCRYPTION_KEYS, cure);
            }
            return None;
        };
        match text.expose_secret().parse::<EncryptionKeys>() {
            Ok(keys) => {
                keys.validate(self.demo, &mut self.errors);
                Some(keys)
            }
            Err(bad) => {
                for problem in bad.0 {
                    self.errors.add(ENCRYPTION_KEYS, format_args!("is refused: {problem}"));
                }
                None
            }
        }
    }

    fn database_url(&mut self) -> Option<SecretString> {
        let url = self.environment.secret(DATABASE_URL, &mut self.errors)?;
        validate_database_url(&url, self.demo, &mut self.errors);
        Some(url)
    }

    /// Own scopes per product; only names that can be read are kept.
    fn scopes(&mut self, settings: &Settings) -> BTreeMap<Product, ScopeSet> {
        let mut own = |product: Product| {
            let default = || ScopeSet::from_known(product.default_scopes());
            let text = settings.scopes.0.get(&product).map_or("", |text| text.trim());
            if text.is_empty() {
                return (product, default());
            }
            let scopes = self.judged(scopes_names(product).0, text, text.parse());
            (product, scopes.unwrap_or_else(default))
        };
        Product::ALL.map(&mut own).into()
    }

    fn zoho_client(&mut self, settings: &Settings, login_product: Option<Product>) -> Option<ZohoClient> {
        let servers = self.servers(path(settings.zoho_servers.as_deref()));
        let home = self.parse("ZOHO_HOME", settings.zoho_home.as_deref(), settings::ZOHO_HOME);
        let id = given(settings.zoho_client_id.as_deref());
        if id.is_none() {
            self.errors.add("ZOHO_CLIENT_ID", "is not set: set the client ID of Zoho's API console");
        }
        let id_cn = given(settings.zoho_client_id_cn.as_deref()).map(str::to_owned);
        let on = self.list("ZOHO_DATA_CENTRES", settings.zoho_data_centres.as_deref(), DataCentre::from_str);
        let new_secret = |secret: SecretString| ClientSecret::new(secret.expose_secret());
        let secret = self.environment.secret(ZOHO_CLIENT_SECRET, &mut self.errors).map(new_secret);
        let mut secrets = BTreeMap::new();
        for data_centre in DataCentre::ALL {
            if let Some(secret) = self.environment.secret(&secret_name(data_centre), &mut self.errors) {
                secrets.insert(data_centre, new_secret(secret));
            }
        }
        let (servers, home) = (servers?, home?);
        let on: BTreeSet<_> = match given(settings.zoho_data_centres.as_deref()) {
            Some(_) => on.into_iter().collect(),
            None => ZohoClient::enabled_by_default(home, id_cn.is_some()),
        };
        let enabled = on.into_iter().filter(|data_centre| servers.hosts(*data_centre).is_some()).collect();
        // Without an ID the rest can still be judged; the start is refused anyway.
        let id = id.unwrap_or_default().to_owned();
        let client = ZohoClient { servers, home, enabled, id, id_cn, secret, secrets };
        client.validate(login_product.unwrap_or(Product::Assist), self.demo, &mut self.errors);
        Some(client)
    }

    fn servers(&mut self, file: Option<&Path>) -> Option<Servers> {
        let Some(file) = file else { return Some(Servers::built_in()) };
        let shown = file.display();
        match std::fs::read_to_string(file) {
            Err(error) => {
                let problem =
                    format!("names `{shown}`, which cannot be read ({error}): check the path and its permissions");
                self.errors.add("ZOHO_SERVERS", problem);
                None
            }
            Ok(text) => match Servers::from_toml(&text) {
                Ok(servers) => Some(servers),
                Err(bad) => {
                    for problem in bad.0 {
                        self.errors.add("ZOHO_SERVERS", format_args!("names `{shown}`: {problem}"));
                    }
                    None
                }
            },
        }
    }
}
