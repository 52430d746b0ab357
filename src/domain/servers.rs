//! The table of Zoho's hosts: a closed list in which `accounts-server`, `location` and
//! `api_domain` select a row. What comes from outside is compared with it, never parsed, joined or
//! contacted (security.md D-1).

use std::collections::BTreeMap;

use super::{data_centre::DataCentre, organization::Environment, product::Product};

/// The hosts of one data centre, each an origin: scheme, host, optional port, no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    pub accounts: String,
    /// What `api_domain` must equal.
    pub api: String,
    pub api_sandbox: Option<String>,
    pub api_developer: Option<String>,
    /// Absent: the product is not offered in this data centre.
    pub products: BTreeMap<Product, String>,
}

/// One row for every data centre that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers(BTreeMap<DataCentre, Hosts>);

/// Accounts server, the part of the API hosts behind `www.`, product hosts.
type BuiltIn = (DataCentre, &'static str, &'static str, &'static [(Product, &'static str)]);

/// The table of `zoho-oauth.md` §2. Written out,
/// because every pattern breaks in Canada or Australia.
const BUILT_IN: [BuiltIn; 11] = {
    use DataCentre::{Ae, Au, Ca, Cn, Eu, In, Jp, Sa, Sg, Uk, Us};
    use Product::{Assist, Connect, Desk, Salesiq, ZiaAgents};
    [
        (
            Us,
            "https://accounts.zoho.com",
            "zohoapis.com",
            &[
                (Assist, "https://assist.zoho.com"),
                (Salesiq, "https://salesiq.zoho.com"),
                (Connect, "https://connect.zoho.com"),
                (ZiaAgents, "https://ziaagents.zoho.com"),
                (Desk, "https://desk.zoho.com"),
            ],
        ),
        (
            Eu,
            "https://accounts.zoho.eu",
            "zohoapis.eu",
            &[
                (Assist, "https://assist.zoho.eu"),
                (Salesiq, "https://salesiq.zoho.eu"),
                (Connect, "https://connect.zoho.eu"),
                (ZiaAgents, "https://ziaagents.zoho.eu"),
                (Desk, "https://desk.zoho.eu"),
            ],
        ),
        (
            In,
            "https://accounts.zoho.in",
            "zohoapis.in",
            &[
                (Assist, "https://assist.zoho.in"),
                (Salesiq, "https://salesiq.zoho.in"),
                (Connect, "https://connect.zoho.in"),
                (ZiaAgents, "https://ziaagents.zoho.in"),
                (Desk, "https://desk.zoho.in"),
            ],
        ),
        (
            Au,
            "https://accounts.zoho.com.au",
            "zohoapis.com.au",
            &[
                (Assist, "https://assist.zoho.com.au"),
                (Salesiq, "https://salesiq.zoho.com.au"),
                (Connect, "https://connect.zoho.com.au"),
                (Desk, "https://desk.zoho.com.au"),
            ],
        ),
        (
            Jp,
            "https://accounts.zoho.jp",
            "zohoapis.jp",
            &[(Assist, "https://assist.zoho.jp"), (Salesiq, "https://salesiq.zoho.jp"), (Desk, "https://desk.zoho.jp")],
        ),
        (
            Ca,
            "https://accounts.zohocloud.ca",
            "zohoapis.ca",
            &[
                (Assist, "https://assist.zohocloud.ca"),
                (Salesiq, "https://salesiq.zohocloud.ca"),
                (Desk, "https://desk.zohocloud.ca"),
            ],
        ),
        (
            Sa,
            "https://accounts.zoho.sa",
            "zohoapis.sa",
            &[(Assist, "https://assist.zoho.sa"), (Desk, "https://desk.zoho.sa")],
        ),
        (Uk, "https://accounts.zoho.uk", "zohoapis.uk", &[(Assist, "https://assist.zoho.uk")]),
        (
            Cn,
            "https://accounts.zoho.com.cn",
            "zohoapis.com.cn",
            &[
                (Assist, "https://assist.zoho.com.cn"),
                (Salesiq, "https://salesiq.zoho.com.cn"),
                (Desk, "https://desk.zoho.com.cn"),
            ],
        ),
        (Ae, "https://accounts.zoho.ae", "zohoapis.ae", &[(Desk, "https://desk.zoho.ae")]),
        (Sg, "https://accounts.zoho.sg", "zohoapis.sg", &[(Desk, "https://desk.zoho.sg")]),
    ]
};

impl Servers {
    pub fn built_in() -> Self {
        Self(
            BUILT_IN
                .into_iter()
                .map(|(data_centre, accounts, api_domain, products)| {
                    let api = format!("https://www.{api_domain}");
                    let mut products: BTreeMap<_, _> =
                        products.iter().map(|(product, host)| (*product, (*host).to_owned())).collect();
                    products.insert(Product::Crm, api.clone());
                    products.insert(Product::Books, api.clone());
                    let hosts = Hosts {
                        accounts: accounts.to_owned(),
                        api,
                        api_sandbox: Some(format!("https://sandbox.{api_domain}")),
                        api_developer: Some(format!("https://developer.{api_domain}")),
                        products,
                    };
                    (data_centre, hosts)
                })
                .collect(),
        )
    }

    pub fn hosts(&self, data_centre: DataCentre) -> Option<&Hosts> {
        self.0.get(&data_centre)
    }

    pub fn data_centres(&self) -> impl Iterator<Item = (DataCentre, &Hosts)> {
        self.0.iter().map(|(data_centre, hosts)| (*data_centre, hosts))
    }

    /// The row that `accounts-server` names: byte for byte, one trailing slash allowed (security.md
    /// S-16).
    pub fn with_accounts_server(&self, value: &str) -> Option<DataCentre> {
        let value = value.strip_suffix('/').unwrap_or(value);
        self.data_centres().find(|(_, hosts)| hosts.accounts == value).map(|(data_centre, _)| data_centre)
    }
}

impl Hosts {
    /// The environment an answer's `api_domain` names, `None` for a foreign one (security.md S-19).
    pub fn environment_of(&self, api_domain: &str) -> Option<Environment> {
        let value = api_domain.strip_suffix('/').unwrap_or(api_domain);
        let is = |host: &Option<String>| host.as_deref() == Some(value);
        if self.api == value {
            Some(Environment::Production)
        } else if is(&self.api_sandbox) {
            Some(Environment::Sandbox)
        } else if is(&self.api_developer) {
            Some(Environment::Developer)
        } else {
            None
        }
    }

    /// The API domain of an environment; production's where the table has no other.
    pub fn api_in(&self, environment: Environment) -> &str {
        match environment {
            Environment::Production => &self.api,
            Environment::Sandbox => self.api_sandbox.as_deref().unwrap_or(&self.api),
            Environment::Developer => self.api_developer.as_deref().unwrap_or(&self.api),
        }
    }

    /// The host of a product; CRM and Books follow the environment (`zoho-oauth.md` §2).
    pub fn product(&self, product: Product, environment: Environment) -> Option<&str> {
        let host = self.products.get(&product)?;
        let follows_api = matches!(product, Product::Crm | Product::Books) && *host == self.api;
        Some(if follows_api { self.api_in(environment) } else { host })
    }
}

/// What is wrong with a `ZOHO_SERVERS` file; all of it, not the first thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct BadServers(pub Vec<String>);

impl Servers {
    /// Reads a `ZOHO_SERVERS` file (design.md §3).
    pub fn from_toml(text: &str) -> Result<Self, BadServers> {
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| BadServers(vec![format!("is no TOML: {}", error.message())]))?;
        let mut problems = Vec::new();
        let mut servers = match table.get("extend") {
            None | Some(toml::Value::Boolean(false)) => Self(BTreeMap::new()),
            Some(toml::Value::Boolean(true)) => Self::built_in(),
            Some(_) => {
                problems.push("`extend` must be true or false".to_owned());
                Self(BTreeMap::new())
            }
        };
        for (key, value) in table.iter().filter(|(key, _)| *key != "extend") {
            match (key.parse::<DataCentre>(), value.as_table()) {
                (Ok(data_centre), Some(row)) => servers.read_row(data_centre, row, &mut problems),
                (Ok(_), None) => problems.push(format!("`{key}` must be a table, written as [{key}]")),
                (Err(unknown), _) => problems.push(format!("[{key}]: {unknown}")),
            }
        }
        if servers.0.is_empty() && problems.is_empty() {
            problems.push("names no data centre".to_owned());
        }
        servers.refuse_shared_accounts(&mut problems);
        if problems.is_empty() { Ok(servers) } else { Err(BadServers(problems)) }
    }

    fn read_row(&mut self, data_centre: DataCentre, row: &toml::Table, problems: &mut Vec<String>) {
        let known = |key: &str| {
            matches!(key, "accounts" | "api" | "api_sandbox" | "api_developer") || key.parse::<Product>().is_ok()
        };
        for key in row.keys().filter(|key| !known(key)) {
            problems.push(format!("[{data_centre}] {key}: no such host; known are accounts, api, api_sandbox, api_developer and the products"));
        }
        let before = self.0.get(&data_centre).cloned();
        let mut origin = |key: &str| {
            let value = row.get(key)?;
            match value.as_str().map(parse_origin) {
                Some(Ok(origin)) => Some(origin),
                Some(Err(why)) => {
                    problems.push(format!("[{data_centre}] {key}: {why}"));
                    None
                }
                None => {
                    problems.push(format!("[{data_centre}] {key}: must be text"));
                    None
                }
            }
        };
        let accounts = origin("accounts").or_else(|| before.as_ref().map(|hosts| hosts.accounts.clone()));
        let api = origin("api").or_else(|| before.as_ref().map(|hosts| hosts.api.clone()));
        let api_sandbox = origin("api_sandbox").or_else(|| before.as_ref().and_then(|hosts| hosts.api_sandbox.clone()));
        let api_developer =
            origin("api_developer").or_else(|| before.as_ref().and_then(|hosts| hosts.api_developer.clone()));
        let mut products = before.as_ref().map(|hosts| hosts.products.clone()).unwrap_or_default();
        if row.contains_key("api") {
            // They default to the API domain, so a new one moves them along.
            products.remove(&Product::Crm);
            products.remove(&Product::Books);
        }
        for product in Product::ALL {
            if let Some(host) = origin(product.key()) {
                products.insert(product, host);
            }
        }
        let (Some(accounts), Some(api)) = (accounts, api) else {
            if !["accounts", "api"].iter().all(|key| row.contains_key(*key)) {
                problems.push(format!("[{data_centre}] needs both `accounts` and `api`"));
            }
            return;
        };
        for product in [Product::Crm, Product::Books] {
            products.entry(product).or_insert_with(|| api.clone());
        }
        self.0.insert(data_centre, Hosts { accounts, api, api_sandbox, api_developer, products });
    }

    /// Two data centres behind one accounts server could not be told apart in a callback.
    fn refuse_shared_accounts(&self, problems: &mut Vec<String>) {
        let mut seen = BTreeMap::new();
        for (data_centre, hosts) in self.data_centres() {
            if let Some(other) = seen.insert(&hosts.accounts, data_centre) {
                problems.push(format!("[{other}] and [{data_centre}] name the same accounts server"));
            }
        }
    }
}

/// An origin exactly as a browser would serialize it, so that comparison by bytes is comparison of
/// hosts. https, or http on loopback.
fn parse_origin(text: &str) -> Result<String, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let url = url::Url::parse(text).map_err(|error| format!("`{text}` is no URL ({error})"))?;
    if url.origin().ascii_serialization() != text {
        return Err(format!(
            "`{text}` must be scheme, host and port only, in lower case, like https://accounts.zoho.eu"
        ));
    }
    match url.scheme() {
        "https" => Ok(text.to_owned()),
        "http" if is_loopback(&url) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` must be https; plain http is accepted for loopback addresses only")),
    }
}

/// Whether a URL's host is this machine: 127.0.0.0/8, `::1` or `localhost`.
pub fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canada_and_australia_are_written_out() {
        let servers = Servers::built_in();
        let canada = servers.hosts(DataCentre::Ca).unwrap();
        assert_eq!(canada.accounts, "https://accounts.zohocloud.ca");
        assert_eq!(canada.api, "https://www.zohoapis.ca");
        assert_eq!(canada.product(Product::Assist, Environment::Production), Some("https://assist.zohocloud.ca"));
        assert_eq!(servers.hosts(DataCentre::Au).unwrap().accounts, "https://accounts.zoho.com.au");
        assert_eq!(canada.product(Product::Connect, Environment::Production), None);
    }

    #[test]
    fn s16_only_the_exact_origin_selects_a_row() {
        let servers = Servers::built_in();
        for ours in ["https://accounts.zoho.eu", "https://accounts.zoho.eu/"] {
            assert_eq!(servers.with_accounts_server(ours), Some(DataCentre::Eu));
        }
        for foreign in [
            "",
            "/",
            "https://accounts.zoho.eu//",
            "https://Accounts.zoho.eu",
            "HTTPS://accounts.zoho.eu",
            "http://accounts.zoho.eu",
            "https://accounts.zoho.eu:443",
            "https://accounts.zoho.eu.evil.example",
            "https://accounts.zoho.eu@evil.example",
            "https://accounts.zoho.eu/oauth",
            "https://accounts.zoho.eu?",
            "https://accounts.zoho.eu.",
            " https://accounts.zoho.eu",
            "accounts.zoho.eu",
            "https://accounts.zoho.ca",
            "https://accounts.zoho.com%2eau",
            "https://accounts.zoho.\u{435}u",
        ] {
            assert_eq!(servers.with_accounts_server(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn the_api_domain_names_the_environment() {
        let servers = Servers::built_in();
        let hosts = servers.hosts(DataCentre::In).unwrap();
        assert_eq!(hosts.environment_of("https://www.zohoapis.in"), Some(Environment::Production));
        assert_eq!(hosts.environment_of("https://sandbox.zohoapis.in/"), Some(Environment::Sandbox));
        assert_eq!(hosts.environment_of("https://developer.zohoapis.in"), Some(Environment::Developer));
        assert_eq!(hosts.environment_of("https://www.zohoapis.com"), None);
        assert_eq!(hosts.product(Product::Crm, Environment::Sandbox), Some("https://sandbox.zohoapis.in"));
    }

    #[test]
    fn a_file_replaces_or_extends_the_table() {
        let row = "[eu]\naccounts = \"http://127.0.0.1:9101\"\napi = \"http://127.0.0.1:9201/\"\nassist = \"http://127.0.0.1:9201\"\n";
        let alone = Servers::from_toml(row).unwrap();
        assert_eq!(alone.data_centres().count(), 1);
        let hosts = alone.hosts(DataCentre::Eu).unwrap();
        assert_eq!(hosts.products.get(&Product::Crm).unwrap(), "http://127.0.0.1:9201");
        assert_eq!(hosts.products.get(&Product::Salesiq), None);
        let extended = Servers::from_toml(&format!("extend = true\n{row}")).unwrap();
        assert_eq!(extended.data_centres().count(), 11);
        assert_eq!(
            extended.hosts(DataCentre::Eu).unwrap().products.get(&Product::Salesiq).unwrap(),
            "https://salesiq.zoho.eu"
        );
    }

    #[test]
    fn s73_every_mistake_of_a_file_is_named_at_once() {
        let BadServers(problems) = Servers::from_toml(
            "[eu]\naccounts = \"http://zoho.example\"\napi = \"https://a/b\"\ncampaigns = \"https://x\"\n[mars]\n[us]\napi = 1\n",
        )
        .unwrap_err();
        assert_eq!(problems.len(), 6, "{problems:#?}");
    }
}
