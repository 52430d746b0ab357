//! What is accepted, and every refusal of security.md S-73, through the door the program uses.

use clap::{Args as _, FromArgMatches as _};

use super::*;
use crate::domain::data_centre::DataCentre;

const KEY: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const GOOD: [(&str, &str); 4] = [
    ("PUBLIC_URL", "https://login.example.com"),
    ("ENCRYPTION_KEYS", KEY),
    ("ZOHO_CLIENT_ID", "1000.OURS"),
    ("ZOHO_CLIENT_SECRET", "5ec4e7"),
];

/// What the program would make of these settings over good ones.
fn read_as(demo: bool, changes: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let variables: BTreeMap<_, _> = GOOD.iter().chain(changes).copied().collect();
    let flag = |name: &str| format!("--{}", name.to_ascii_lowercase().replace('_', "-"));
    let command = Settings::augment_args(clap::Command::new("test").no_binary_name(true));
    let is_flag = |name: &str| command.get_arguments().any(|arg| arg.get_env().is_some_and(|env| env == name));
    let flags: Vec<_> = variables
        .iter()
        .filter(|(name, _)| is_flag(name))
        .map(|(name, value)| format!("{}={value}", flag(name)))
        .collect();
    let matches = command.try_get_matches_from(flags).expect("text that clap takes");
    let settings = Settings::from_arg_matches(&matches).expect("settings");
    Config::read(&settings, &variables.into_iter().collect(), demo)
}

fn read(changes: &[(&str, &str)]) -> Config {
    read_as(false, changes).unwrap_or_else(|errors| panic!("refused:\n{errors}"))
}

/// The lines a start with these changes is refused with.
fn refused(changes: &[(&str, &str)]) -> String {
    read_as(false, changes).expect_err("a refused start").to_string()
}

/// A file with this content, as a setting that names it.
fn file(content: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(&file, content).expect("a written file");
    let path = file.path().display().to_string();
    (file, path)
}

#[test]
fn four_settings_are_enough_and_the_rest_is_the_default() {
    let config = read(&[]);
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.management_listen, "127.0.0.1:9090".parse().unwrap());
    assert_eq!(config.public_url.redirect_uri(), "https://login.example.com/oauth/callback");
    assert!(config.database_url.is_none());
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!((config.zoho.home, config.zoho.enabled.len()), (DataCentre::Us, 10));
    assert_eq!(config.login_product, Product::Assist);
    assert_eq!(config.scopes[&Product::Crm].to_parameter(), "ZohoCRM.modules.READ");
    assert_eq!(config.scopes.len(), Product::ALL.len());
    assert_eq!((config.refreshes_per_10_minutes, config.refresh_tokens_per_person), (10, 20));
    assert_eq!((config.failed_exchanges_per_minute, config.failed_keys_per_minute), (10, 20));
    assert_eq!(config.audit_retention, Duration::from_secs(400 * 86_400));
    assert_eq!(config.log_format, LogFormat::Json);
    assert!(!config.webhooks_to_loopback && config.trusted_proxies.is_empty() && !config.demo);
    assert_eq!(config.validate(), Ok(()));
}

#[test]
fn every_setting_can_be_set_and_an_empty_one_is_not_set() {
    let config = read(&[
        ("LISTEN", "[::]:0"),
        ("MANAGEMENT_LISTEN", ""),
        ("DATABASE_URL", "postgres://lwz:pw@db/lwz"),
        ("DATA_DIR", "/var/lib/lwz"),
        ("ZOHO_HOME", "eu"),
        ("ZOHO_DATA_CENTRES", "eu, us,"),
        ("ZOHO_SERVERS", ""),
        ("LOGIN_PRODUCT", "zia_agents"),
        ("SCOPES_CRM", "ZohoCRM.modules.ALL, ZohoCRM.users.READ"),
        ("SCOPES_DESK", " "),
        ("OPERATORS", "eu:795000000,us:1"),
        ("RETURN_ORIGINS", "https://App.example.com/,http://localhost:3000"),
        ("FAILED_KEYS_PER_MINUTE", "0"),
        ("WEBHOOKS_TO_LOOPBACK", "on"),
        ("AUDIT_RETENTION", "12h"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("LOG_FORMAT", "pretty"),
    ]);
    assert_eq!(config.listen.port(), 0);
    assert_eq!(config.management_listen.port(), 9090);
    assert!(config.database_url.is_some());
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/lwz"));
    assert_eq!(config.zoho.enabled, BTreeSet::from([DataCentre::Eu, DataCentre::Us]));
    assert_eq!(config.login_product, Product::ZiaAgents);
    assert_eq!(config.scopes[&Product::Crm].to_parameter(), "ZohoCRM.modules.ALL,ZohoCRM.users.READ");
    assert_eq!(config.scopes[&Product::Desk].to_parameter(), "Desk.tickets.READ");
    assert_eq!(config.operators.len(), 2);
    assert_eq!(config.return_origins, ["https://app.example.com", "http://localhost:3000"]);
    assert_eq!(config.failed_keys_per_minute, 0);
    assert!(config.webhooks_to_loopback);
    assert_eq!(config.audit_retention, Duration::from_secs(43_200));
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.log_format, LogFormat::Pretty);
}

#[test]
fn s73_all_that_is_wrong_is_said_at_once() {
    let said = refused(&[
        ("LISTEN", "localhost"),
        ("PUBLIC_URL", "http://login.example.com"),
        ("ENCRYPTION_KEYS", ""),
        ("DATABASE_URL", "mysql://db/x"),
        ("ZOHO_CLIENT_ID", ""),
        ("ZOHO_CLIENT_SECRET", ""),
        ("ZOHO_HOME", "mars"),
        ("ZOHO_DATA_CENTRES", "eu,EU"),
        ("LOGIN_PRODUCT", "campaigns"),
        ("SCOPES_CRM", "a;b"),
        ("OPERATORS", "795000000"),
        ("RETURN_ORIGINS", "http://app.example.com"),
        ("REFRESHES_PER_10_MINUTES", "0"),
        ("FAILED_KEYS_PER_MINUTE", "-1"),
        ("WEBHOOKS_TO_LOOPBACK", "maybe"),
        ("AUDIT_RETENTION", "400"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("LOG_FORMAT", "xml"),
    ]);
    let named: Vec<_> = said.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        named,
        [
            "PUBLIC_URL",
            "ENCRYPTION_KEYS",
            "LISTEN",
            "DATABASE_URL",
            "LOGIN_PRODUCT",
            "ZOHO_HOME",
            "ZOHO_CLIENT_ID",
            "ZOHO_DATA_CENTRES",
            "SCOPES_CRM",
            "OPERATORS",
            "RETURN_ORIGINS",
            "TRUSTED_PROXIES",
            "LOG_FORMAT",
            "AUDIT_RETENTION",
            "WEBHOOKS_TO_LOOPBACK",
            "REFRESHES_PER_10_MINUTES",
            "FAILED_KEYS_PER_MINUTE",
        ],
        "{said}"
    );
}

#[test]
fn s73_sample_secrets_are_for_the_demo_only() {
    let zero = format!("zero:{}", "A".repeat(43));
    let samples = [
        ("ENCRYPTION_KEYS", zero.as_str()),
        ("DATABASE_URL", "postgres://lwz:change-me@db/lwz"),
        ("ZOHO_CLIENT_ID", "change-me"),
        ("ZOHO_CLIENT_SECRET", "change-me"),
        ("ZOHO_CLIENT_SECRET_EU", "change-me"),
    ];
    let said = refused(&samples);
    assert_eq!(said.lines().count(), samples.len(), "{said}");
    for (name, _) in samples {
        assert!(said.contains(&format!("{name} ")), "{name} is missing in {said}");
    }
    assert!(read_as(true, &samples).is_ok());
    assert!(refused(&[("ENCRYPTION_KEYS", "k1:change-me")]).contains("the sample"));
}

#[test]
fn s73_a_secret_is_never_repeated() {
    let secret = "hunter2hunter2";
    let said = refused(&[
        ("ENCRYPTION_KEYS", secret),
        ("DATABASE_URL", &format!("{secret}://{secret}")),
        ("PUBLIC_URL", &format!("https://ann:{secret}@login.example.com")),
        ("ZOHO_CLIENT_SECRET_XX", secret),
    ]);
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(!said.contains(secret), "{said}");
    let shown =
        format!("{:?}", read(&[("ZOHO_CLIENT_SECRET", secret), ("DATABASE_URL", "postgres://u:hunter2hunter2@h/d")]));
    assert!(!shown.contains(secret) && !shown.contains("AAECAw"), "{shown}");
}

#[test]
fn a_secret_may_stand_in_a_file_but_not_in_both_places() {
    let (_keys, keys) = file(&format!("{KEY}\nk0:{}\n", "I".repeat(43)));
    let (_secret, secret) = file("from-a-file\n");
    let config =
        read(&[("ENCRYPTION_KEYS", ""), ("ENCRYPTION_KEYS_FILE", &keys), ("ZOHO_CLIENT_SECRET_EU_FILE", &secret)]);
    assert_eq!(config.encryption_keys.ids().collect::<Vec<_>>(), ["k1", "k0"]);
    assert_eq!(config.zoho.client_secret(DataCentre::Eu).unwrap().expose(), "from-a-file");
    assert_eq!(
        refused(&[("ENCRYPTION_KEYS_FILE", &keys)]),
        "ENCRYPTION_KEYS is set, and ENCRYPTION_KEYS_FILE too: keep one of them"
    );
    let (_empty, empty) = file(" \n");
    assert!(refused(&[("ZOHO_CLIENT_SECRET_EU_FILE", &empty)]).ends_with("is empty"));
    assert!(
        refused(&[("ZOHO_CLIENT_SECRET_EU_FILE", "/nowhere")])
            .starts_with("ZOHO_CLIENT_SECRET_EU_FILE `/nowhere` cannot be read")
    );
}

#[test]
fn misspelled_names_are_not_silently_without_effect() {
    for name in
        ["ZOHO_CLIENT_SECRET_EN", "ZOHO_CLIENT_SECRET_eu", "ZOHO_CLIENT_SECRETS", "ZOHO_CLIENT_ID_EU", "SCOPES_ASIST"]
    {
        let said = refused(&[(name, "x")]);
        assert!(said.starts_with(name) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_data_centre_without_a_secret_is_named() {
    let said =
        refused(&[("ZOHO_CLIENT_SECRET", ""), ("ZOHO_CLIENT_SECRET_US", "a"), ("ZOHO_DATA_CENTRES", "us,eu,in")]);
    assert!(said.starts_with("ZOHO_CLIENT_SECRET is missing for eu, in: "), "{said}");
    let said = refused(&[("ZOHO_CLIENT_ID_CN", "1000.CHINA")]);
    assert_eq!(said, "ZOHO_CLIENT_SECRET is missing for cn: set ZOHO_CLIENT_SECRET_CN");
    assert!(read(&[("ZOHO_CLIENT_ID_CN", "1000.CHINA"), ("ZOHO_CLIENT_SECRET_CN", "c")]).zoho.starts_at_cn());
}

#[test]
fn home_must_be_listed_switched_on_and_offer_the_product() {
    let (_servers, servers) = file("[eu]\naccounts = \"http://127.0.0.1:9101\"\napi = \"http://127.0.0.1:9201\"\n");
    assert!(refused(&[("ZOHO_SERVERS", &servers)]).starts_with("ZOHO_HOME is `us`, which ZOHO_SERVERS does not list"));
    let said = refused(&[("ZOHO_SERVERS", &servers), ("ZOHO_HOME", "eu")]);
    assert!(said.starts_with("LOGIN_PRODUCT is `assist`, which is not offered in `eu`"), "{said}");
    let config = read(&[("ZOHO_SERVERS", &servers), ("ZOHO_HOME", "eu"), ("LOGIN_PRODUCT", "crm")]);
    assert_eq!(config.zoho.enabled, BTreeSet::from([DataCentre::Eu]));
    assert!(config.zoho.is_emulated());
    assert!(refused(&[("ZOHO_DATA_CENTRES", "eu")]).starts_with("ZOHO_DATA_CENTRES leaves out `us`"));
}

#[test]
fn s73_what_is_wrong_in_the_table_of_hosts_is_all_said() {
    let (_servers, servers) = file("[eu]\naccounts = \"http://zoho.example\"\napi = 1\n[mars]\n");
    let said = refused(&[("ZOHO_SERVERS", &servers)]);
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.lines().all(|line| line.starts_with(&format!("ZOHO_SERVERS names `{servers}`: "))), "{said}");
    assert!(refused(&[("ZOHO_SERVERS", "/nowhere.toml")]).contains("cannot be read"));
}

#[test]
fn metrics_have_a_port_of_their_own() {
    let said = refused(&[("LISTEN", "127.0.0.1:8080"), ("MANAGEMENT_LISTEN", "127.0.0.1:8080")]);
    assert!(said.starts_with("MANAGEMENT_LISTEN is the same as LISTEN"), "{said}");
    read(&[("LISTEN", "127.0.0.1:0"), ("MANAGEMENT_LISTEN", "127.0.0.1:0")]);
}
