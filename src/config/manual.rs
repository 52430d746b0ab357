//! `docs/configuration.md`, made from the definitions of the settings: it cannot say anything else
//! than `--help`. The test that compares them writes the file when `UPDATE_DOCS=1` is set.

use std::fmt::Write as _;

use clap::Args as _;

use super::{secrets, settings::Settings};

const HEAD: &str = "\
<!-- Made from src/config/settings.rs and src/config/secrets.rs: change those, then `UPDATE_DOCS=1 cargo test manual`. -->

# Configuration

Every setting is an environment variable and, unless it is a secret, a flag of the same name: `LISTEN=[::]:8080` or
`--listen [::]:8080`. A flag wins over the environment; an empty value counts as not set.

A program that cannot start says everything that is wrong at once, one line per mistake, and exits with 1 (2 for a flag
that does not exist). `login-with-zoho doctor` takes the same settings, looks at the database, the clock and Zoho as
well, and says what to change and where.

The least that `serve` needs: `PUBLIC_URL`, `ENCRYPTION_KEYS`, `ZOHO_CLIENT_ID`, `ZOHO_CLIENT_SECRET`. Sample values
(`change-me`, a key of zeros, the emulator's sample client at the real Zoho) are refused outside the demo.
";

const SECRETS_HEAD: &str = "
## Secrets

They come from the environment, or from the file that the same name with `_FILE` at its end points to
(`ENCRYPTION_KEYS_FILE=/run/secrets/encryption-keys`), never from a flag. Setting both is an error, and so is a name that
looks like one of these and is none (`ZOHO_CLIENT_SECRET_EN`).

| Name | Meaning |
|---|---|
";

const SERVERS: &str = "
## The file of `ZOHO_SERVERS`

One table per data centre. A data centre that is not named is off; a product's host that is not named means that the
product is not offered there. `extend = true` at the top starts from the built-in table instead of an empty one. Plain
http is accepted for loopback addresses only.

```toml
[eu]
accounts   = \"http://127.0.0.1:9101\"
api        = \"http://127.0.0.1:9201\"   # what `api_domain` must equal
api_sandbox   = \"http://127.0.0.1:9301\" # optional, like api_developer: the one `api_domain` equals names the environment
assist     = \"http://127.0.0.1:9201\"   # products; crm and books default to api
salesiq    = \"http://127.0.0.1:9201\"
connect    = \"http://127.0.0.1:9201\"
zia_agents = \"http://127.0.0.1:9201\"
desk       = \"http://127.0.0.1:9201\"
```
";

fn manual() -> String {
    let mut text = format!("{HEAD}\n## Settings\n\n| Name | Flag | Default | Meaning |\n|---|---|---|---|\n");
    let command = Settings::augment_args(clap::Command::new("manual"));
    for argument in command.get_arguments() {
        let name = argument.get_env().and_then(|name| name.to_str()).expect("every setting has a variable");
        let flag = argument.get_long().expect("every setting has a flag");
        let default: Vec<_> = argument.get_default_values().iter().filter_map(|value| value.to_str()).collect();
        let default = if default.is_empty() { String::new() } else { format!("`{}`", default.join(",")) };
        let help = argument.get_help().expect("every setting is documented").to_string();
        row(&mut text, &[&format!("`{name}`"), &format!("`--{flag}`"), &default, &help]);
    }
    text.push_str(SECRETS_HEAD);
    for (name, help) in secrets::MANUAL {
        row(&mut text, &[&format!("`{name}`"), help]);
    }
    text + SERVERS
}

fn row(text: &mut String, cells: &[&str]) {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    writeln!(text, "| {} |", cells.join(" | ")).expect("a String takes everything");
}

#[test]
fn the_manual_says_what_the_settings_are() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let manual = manual();
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(file, &manual).expect("docs/configuration.md can be written");
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == manual,
        "docs/configuration.md is not what the settings say: run `UPDATE_DOCS=1 cargo test manual`"
    );
}

#[test]
fn the_example_of_the_manual_is_a_table_of_hosts() {
    let toml = SERVERS.split("```").nth(1).and_then(|block| block.strip_prefix("toml")).expect("an example");
    assert!(crate::domain::servers::Servers::from_toml(toml).is_ok());
}

#[test]
fn a_flag_has_the_name_of_its_variable() {
    for argument in Settings::augment_args(clap::Command::new("names")).get_arguments() {
        let name = argument.get_env().and_then(|name| name.to_str()).expect("a variable");
        assert_eq!(argument.get_long().expect("a flag"), name.to_ascii_lowercase().replace('_', "-"));
    }
}
