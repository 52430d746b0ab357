//! What can be judged without asking anybody.

use std::net::IpAddr;

use super::Finding;
use crate::config::{Config, ConfigError, ConfigErrors};

const AREA: &str = "configuration";

const API_CONSOLE: &str = "Zoho's API console (https://api-console.zoho.com, or that of the home region)";

/// A start that would be refused: every problem ends with its cure.
pub(super) fn refused(errors: &ConfigErrors) -> Vec<Finding> {
    let finding = |error: &ConfigError| match error.problem.rsplit_once(": ") {
        Some((problem, cure)) => Finding::wrong(AREA, format!("{} {problem}", error.setting), cure),
        None => Finding::wrong(AREA, error.to_string(), "see docs/configuration.md"),
    };
    let mut findings: Vec<_> = errors.iter().map(finding).collect();
    findings.push(Finding::note(AREA, "nothing else was looked at", "ask again once the settings are right"));
    findings
}

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::well(AREA, "every setting can be read")];
    findings.push(keys(config));
    findings.extend(public_url(config));
    findings.extend(secrets(config));
    findings
}

fn keys(config: &Config) -> Finding {
    let ids: Vec<_> = config.encryption_keys.ids().collect();
    let (first, _) = config.encryption_keys.first();
    Finding::well("keys", format!("`{first}` seals; {} open", ids.join(", ")))
}

fn public_url(config: &Config) -> Vec<Finding> {
    let uri = config.public_url.redirect_uri();
    let place = if config.zoho.is_emulated() {
        "must stand exactly like this among the redirect URIs of the emulator's client".to_owned()
    } else {
        format!("must stand exactly like this in {API_CONSOLE}: the client → Client Details → Authorized Redirect URIs")
    };
    let mut findings = vec![Finding::note("redirect URI", uri, place)];
    if !config.public_url.is_https() {
        let found = format!("PUBLIC_URL is {}, for browsers on this machine only", config.public_url);
        findings.push(Finding::note(AREA, found, "set an https URL for everybody else"));
    }
    let is_open = |address: IpAddr| !address.is_loopback();
    if is_open(config.management_listen.ip()) {
        let found = format!("MANAGEMENT_LISTEN is {}, beyond this machine", config.management_listen);
        findings.push(Finding::note(
            "configuration",
            found,
            "keep it inside your network: nobody has to sign in to read /metrics",
        ));
    }
    findings
}

/// Which secret each data centre gets; an ID registered without it fails at the exchange only.
fn secrets(config: &Config) -> Vec<Finding> {
    let zoho = &config.zoho;
    let describe = |data_centre| {
        let whose = if zoho.secrets.contains_key(data_centre) { "its own" } else { "the default" };
        format!("{data_centre} {whose}")
    };
    let present: Vec<_> = zoho.enabled.iter().map(describe).collect();
    let mut findings = vec![Finding::well("secrets", format!("every data centre has one: {}", present.join(", ")))];
    if zoho.enabled.len() > 1 && !zoho.is_emulated() {
        let names: Vec<_> =
            zoho.enabled.iter().filter(|other| **other != zoho.home).map(|other| other.name()).collect();
        findings.push(Finding::note(
            "data centres",
            format!("{} besides {}", names.join(", "), zoho.home.name()),
            format!("must be switched on in {API_CONSOLE}: the client → Settings → Multi-DC"),
        ));
    }
    findings
}
