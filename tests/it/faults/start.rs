//! What keeps the program from starting (security.md S-73, R-29): exit code 1, and a line for each thing to change.

use super::{Installation, encryption_key};
use crate::harness::{fault_proxy::FaultProxy, process::Program};

/// A setting, what it is set to, and what the cure has to mention.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let key = encryption_key("first");
    let short = "first:MDEyMzQ1Njc4OWFiY2RlZg==".to_owned();
    vec![
        ("ENCRYPTION_KEYS", String::new(), "openssl rand -base64 32"),
        ("ENCRYPTION_KEYS", short, "instead of 32"),
        ("ENCRYPTION_KEYS", format!("{key},{key}"), "first"),
        ("ENCRYPTION_KEYS", "change-me".to_owned(), "base64 of 32 bytes"),
        ("PUBLIC_URL", String::new(), "https"),
        ("PUBLIC_URL", "http://login.example.com".to_owned(), "https"),
        ("PUBLIC_URL", "https://login.example.com/path".to_owned(), "path"),
        ("ZOHO_CLIENT_ID", String::new(), "API console"),
        ("ZOHO_CLIENT_SECRET_EU", "change-me".to_owned(), "API console"),
        ("ZOHO_HOME", "mars".to_owned(), "us"),
        ("ZOHO_DATA_CENTRES", "us,mars".to_owned(), "us"),
        ("LOGIN_PRODUCT", "mail".to_owned(), "assist"),
        ("LISTEN", "8080".to_owned(), "127.0.0.1:8080"),
        ("LOG_FORMAT", "xml".to_owned(), "json"),
        ("AUDIT_RETENTION", "long".to_owned(), "400d"),
        ("OPERATORS", "ann@example.com".to_owned(), "eu:795000000"),
        ("RETURN_ORIGINS", "http://app.example.com".to_owned(), "https"),
        ("TRUSTED_PROXIES", "everybody".to_owned(), "10.0.0.0/8"),
        ("REFRESHES_PER_10_MINUTES", "many".to_owned(), "1"),
        ("DATABASE_URL", "mysql://root@localhost/x".to_owned(), "postgres://"),
        ("DATABASE_URL", "postgres://login_with_zoho:change-me@127.0.0.1/x".to_owned(), "password"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn s73_a_bad_setting_is_named_with_its_cure() {
    let site = Installation::prepare().await;
    let mut unclear = Vec::new();
    for (index, (name, value, cure)) in cases().into_iter().enumerate() {
        let environment = site.changed(&[(name, &value)]);
        let started = Program::try_start(&environment, site.directory.path(), &format!("case{index}")).await;
        let Err(ended) = started else { panic!("{name}={value} starts") };
        let lines: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with(name)).collect();
        let clear = matches!(lines[..], [line] if line.contains(cure));
        if !clear || ended.code != Some(1) {
            unclear.push(format!("{name}={value} without `{cure}`: {:?} {}", ended.code, ended.stderr));
        }
    }
    assert!(unclear.is_empty(), "{}", unclear.join("\n"));
    assert_eq!(site.ask("select count(*) from pg_tables where schemaname = 'public'").await, "0", "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn s73_hosts_of_zoho_are_https_beyond_loopback() {
    let site = Installation::prepare().await;
    let file = site.directory.path().join("plain.toml");
    std::fs::write(&file, "[us]\naccounts = \"http://accounts.example.com\"\napi = \"https://api.example.com\"\n")
        .expect("written");
    let environment = site.changed(&[("ZOHO_SERVERS", file.to_str().expect("text"))]);
    let ended = Program::try_start(&environment, site.directory.path(), "plain").await.expect_err("refused");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("ZOHO_SERVERS") && ended.stderr.contains("https"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn s73_all_that_is_wrong_is_said_at_once_and_no_secret_with_it() {
    let site = Installation::prepare().await;
    let bad = [
        ("ENCRYPTION_KEYS", "first:hunter2hunter2"),
        ("PUBLIC_URL", "http://login.example.com"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_URL", "mysql://root:hunter2hunter2@localhost/x"),
        ("ZOHO_CLIENT_SECRET_EU", "change-me"),
    ];
    let environment = site.changed(&bad);
    let ended = Program::try_start(&environment, site.directory.path(), "bad").await.expect_err("refused");
    for (name, _) in bad {
        assert_eq!(ended.stderr.lines().filter(|line| line.starts_with(name)).count(), 1, "{name}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    for secret in site.environment.iter().filter(|(name, _)| name.starts_with("ZOHO_CLIENT_SECRET")) {
        assert!(!ended.stderr.contains(secret.1.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s73_a_role_that_escapes_row_level_security_is_refused_before_it_makes_anything() {
    let site = Installation::prepare().await;
    site.execute("create role bypassing login bypassrls password 'of-a-test'").await;
    site.execute("create role crowded login connection limit 5 password 'of-a-test'").await;
    site.execute("grant all on database login_with_zoho to bypassing, crowded").await;
    site.execute("grant all on schema public to bypassing, crowded").await;
    let as_role =
        |role: &str| format!("postgres://{role}:of-a-test@127.0.0.1:{}/login_with_zoho", site.postgres.port());
    for (name, url, words) in [
        ("superuser", site.postgres.admin_url_of_site(), "superuser"),
        ("bypassing", as_role("bypassing"), "BYPASSRLS"),
        ("crowded", as_role("crowded"), "connections"),
    ] {
        let environment = site.changed(&[("DATABASE_URL", &url)]);
        let ended = Program::try_start(&environment, site.directory.path(), name).await.expect_err("refused");
        assert_eq!(ended.code, Some(1), "{name}");
        assert!(ended.stderr.contains("DATABASE_URL") && ended.stderr.contains(words), "{name}: {}", ended.stderr);
        assert!(!ended.stderr.contains("of-a-test"), "{}", ended.stderr);
        assert_eq!(site.ask("select count(*) from pg_tables where schemaname = 'public'").await, "0", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s73_a_database_that_is_not_there_is_said_in_one_line() {
    let site = Installation::prepare().await;
    let nobody = FaultProxy::before(1).await;
    let url = format!("postgres://login_with_zoho:of-a-test@127.0.0.1:{}/x", nobody.port);
    let environment = site.changed(&[("DATABASE_URL", &url)]);
    let ended = Program::try_start(&environment, site.directory.path(), "alone").await.expect_err("refused");
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("DATABASE_URL") && !ended.stderr.contains("of-a-test"), "{}", ended.stderr);
}
