//! Secrets come from the environment, or from the file that `<NAME>_FILE` names, never from a
//! flag: a command line is visible to everybody on the machine.

use std::{collections::BTreeMap, ffi::OsString, fmt};

use secrecy::SecretString;

use super::{ConfigErrors, settings::scopes_names};
use crate::domain::{data_centre::DataCentre, product::Product};

pub(super) const ENCRYPTION_KEYS: &str = "ENCRYPTION_KEYS";
pub(super) const DATABASE_URL: &str = "DATABASE_URL";
pub(super) const ZOHO_CLIENT_SECRET: &str = "ZOHO_CLIENT_SECRET";

/// Each secret and what its manual says; `ZOHO_CLIENT_SECRET` stands for those per data centre too.
pub(super) const MANUAL: [(&str, &str); 4] = [
    (
        ENCRYPTION_KEYS,
        "Keys that seal what is stored: `id:base64 of 32 bytes`, comma-separated. The first seals, all open; make one with \
         `openssl rand -base64 32`",
    ),
    (
        DATABASE_URL,
        "Postgres 15 or newer, direct or through a pooler in session mode: `postgres://role:password@host/database`. Not \
         set: a private Postgres in `DATA_DIR`",
    ),
    (ZOHO_CLIENT_SECRET, "Client secret from Zoho's API console, for every data centre without one of its own"),
    (
        "ZOHO_CLIENT_SECRET_<DATA CENTRE>",
        "The secret of one data centre (`ZOHO_CLIENT_SECRET_EU`), where the client does not use the same everywhere",
    ),
];

/// The part of `--help` that flags cannot hold.
pub(super) fn manual() -> String {
    let mut text = "Secrets, from the environment or from the file that <NAME>_FILE names:\n".to_owned();
    for (name, help) in MANUAL {
        text.extend(["\n  ", name, "\n          ", help, "\n"]);
    }
    text
}

/// Longest file of a secret that is read.
const LONGEST_FILE: u64 = 64 * 1024;

pub(super) fn secret_name(data_centre: DataCentre) -> String {
    format!("{ZOHO_CLIENT_SECRET}_{}", data_centre.key().to_ascii_uppercase())
}

/// A copy of environment variables: those of the process, or made up by a test or the demo.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, OsString>);

/// Names only: the values are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(variables: T) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Environment {
    pub(crate) fn of_this_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }

    /// A secret by its name, from the variable or its file. What is wrong is said without the
    /// value.
    pub(super) fn secret(&self, name: &str, errors: &mut ConfigErrors) -> Option<SecretString> {
        let file_name = format!("{name}_FILE");
        let text = match (self.given(name), self.given(&file_name)) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                errors.add(name, format!("is set, and {file_name} too: keep one of them"));
                return None;
            }
            (Some(value), None) => value.to_str().map(str::to_owned).ok_or("is no text in UTF-8".to_owned()),
            (None, Some(path)) => read_secret(std::path::Path::new(path)),
        };
        match text {
            Ok(text) => Some(SecretString::from(text.trim())),
            Err(why) => {
                errors.add(if self.given(name).is_some() { name } else { &file_name }, why);
                None
            }
        }
    }

    fn given(&self, name: &str) -> Option<&OsString> {
        self.0.get(name).filter(|value| !value.to_string_lossy().trim().is_empty())
    }

    /// `ZOHO_CLIENT_SECRET_EN` would otherwise be a secret that nobody reads, and `SCOPES_ASIST`
    /// scopes that nobody asks for.
    pub(super) fn refuse_misspelled_names(&self, errors: &mut ConfigErrors) {
        let secrets = DataCentre::ALL.map(secret_name);
        let scopes = Product::ALL.map(|product| scopes_names(product).0);
        for name in self.0.keys() {
            let stem = name.strip_suffix("_FILE").unwrap_or(name);
            let is_secret = stem == ZOHO_CLIENT_SECRET || secrets.iter().any(|known| known == stem);
            let cure = if name.starts_with("ZOHO_CLIENT_SECRET") && !is_secret {
                "ends in no data centre: use one of us eu in au jp ca sa uk cn ae sg, in capitals"
            } else if name.starts_with("ZOHO_CLIENT_ID")
                && !matches!(name.as_str(), "ZOHO_CLIENT_ID" | "ZOHO_CLIENT_ID_CN")
            {
                "is no setting: the client ID is the same everywhere (ZOHO_CLIENT_ID), China's apart (ZOHO_CLIENT_ID_CN)"
            } else if name.starts_with("SCOPES_") && !scopes.contains(&name.as_str()) {
                "ends in no product: use one of assist salesiq connect zia_agents crm desk books, in capitals"
            } else {
                continue;
            };
            errors.add(name, cure);
        }
    }
}

fn read_secret(path: &std::path::Path) -> Result<String, String> {
    let shown = path.display();
    let unreadable = |error| format!("`{shown}` cannot be read ({error}): check the path and its permissions");
    if std::fs::metadata(path).map_err(unreadable)?.len() > LONGEST_FILE {
        return Err(format!("`{shown}` is larger than 64 KB: it should hold the secret and nothing else"));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    if text.trim().is_empty() { Err(format!("`{shown}` is empty")) } else { Ok(text) }
}
