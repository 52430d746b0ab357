//! Licenses, bans and sources of what we depend on, as `deny.toml` states them: a test of our own, since the usual tool
//! takes minutes to compile on a fresh machine.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// None: it lies in this repository.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

fn rules() -> Rules {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    toml::from_str(&std::fs::read_to_string(path).expect("deny.toml")).expect("rules")
}

/// What is linked on this system; other systems' crates may not even be downloaded.
fn packages() -> Vec<Package> {
    let rustc = output(Command::new("rustc").arg("-vV"));
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("the host's name");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host]);
    let metadata: Metadata =
        serde_json::from_str(&output(cargo.current_dir(env!("CARGO_MANIFEST_DIR")))).expect("metadata");
    metadata.packages
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Whether an SPDX expression can be met with the licenses allowed. `AND` binds tighter than `OR`; crates of old write
/// `/` for `OR`.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let met = any(&mut words, allowed);
    assert!(words.is_empty(), "no license expression: {expression}");
    met
}

fn any(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut met = all(words, allowed);
    while words.pop_if(|word| *word == "OR").is_some() {
        met |= all(words, allowed);
    }
    met
}

fn all(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while words.pop_if(|word| *word == "AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let word = words.pop().expect("a license");
    if word == "(" {
        let met = any(words, allowed);
        assert_eq!(words.pop(), Some(")"));
        return met;
    }
    let mut license = word.to_owned();
    if words.pop_if(|word| *word == "WITH").is_some() {
        license = format!("{license} WITH {}", words.pop().expect("an exception"));
    }
    allowed.contains(&license)
}

#[test]
fn license_expressions_are_understood() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    for met in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "(GPL-3.0 OR ISC) AND MIT", "Apache-2.0 WITH LLVM-exception"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["GPL-3.0", "MIT AND GPL-3.0", "GPL-3.0 OR MIT AND GPL-2.0", "Apache-2.0", "(MIT) AND (GPL-3.0)"] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}

#[test]
fn every_dependency_has_a_license_that_we_accept() {
    let allowed = rules().licenses.allow;
    let refused: Vec<String> = packages()
        .iter()
        .filter(|package| !package.license.as_deref().is_some_and(|license| is_met(license, &allowed)))
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert!(refused.is_empty(), "not among those of deny.toml:\n{}", refused.join("\n"));
}

#[test]
fn no_banned_crate_is_linked() {
    let packages = packages();
    for Ban { name, reason } in rules().bans.deny {
        assert!(packages.iter().all(|package| package.name != name), "{name} is banned: {reason}");
    }
}

#[test]
fn everything_comes_from_the_registry() {
    for package in packages() {
        let from_registry = package.source.as_deref().is_none_or(|source| source.starts_with("registry+"));
        assert!(from_registry, "{} comes from {:?}", package.name, package.source);
    }
}

/// Two versions would be two types: ours would not fit into actix-web's responses.
#[test]
fn there_is_one_cookie_and_it_is_that_of_actix_web() {
    let packages = packages();
    let versions: Vec<&str> =
        packages.iter().filter(|package| package.name == "cookie").map(|package| package.version.as_str()).collect();
    assert!(matches!(versions[..], [version] if version.starts_with("0.16.")), "{versions:?}");
}
