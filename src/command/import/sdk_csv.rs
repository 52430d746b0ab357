//! The token stores of Zoho's SDKs (8.0 and older): the FileStore's CSV file, and the DBStore's table
//! `oauthtoken` as databases export it. Columns are found by their names in the first line.
//!
//! Read are `client_id`, `client_secret`, `refresh_token` and `api_domain`, which selects the data
//! centre and the environment by exact comparison; beside them, where somebody added them, `tenant`,
//! `product`, `data_centre`, `scopes` and `organization`. The access tokens are worth nothing after an
//! hour, and the codes of `grant_token` are spent.

use std::io::{BufRead, Read};

use csv::{ReaderBuilder, StringRecord, Terminator, Trim};

use super::rows::Row;
use crate::{
    config::ZohoClient,
    domain::{
        data_centre::DataCentre,
        members::plain,
        organization::Environment,
        scope::ScopeSet,
        secret::{ClientSecret, RefreshToken},
    },
    vault::import::{
        GivenOrganization, Import, OwnClient, Token,
        draft::{Defaults, client_id, secret},
    },
};

/// Lines are told to people, and with `\r\n` as the end of a row the crate counts one too few: the
/// `\r` is trimmed instead.
fn reader<R: Read>(file: R) -> csv::Reader<R> {
    ReaderBuilder::new().flexible(true).terminator(Terminator::Any(b'\n')).trim(Trim::All).from_reader(file)
}

pub(super) fn read(
    file: impl BufRead,
    zoho: &ZohoClient,
    defaults: &Defaults,
    send: &mut impl FnMut(Row) -> bool,
) -> Result<(), String> {
    let mut reader = reader(file);
    let columns = Columns(reader.headers().map_err(|error| words(&error))?.clone());
    columns.check(defaults)?;
    let mut record = StringRecord::new();
    loop {
        let begins = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) if record.iter().all(str::is_empty) => {}
            Ok(true) => {
                let line = record.position().map_or(begins, csv::Position::line);
                let wanted = columns.wanted(&record, zoho, defaults);
                if !send(Row { line, wanted }) {
                    return Ok(());
                }
            }
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                let line = error.position().map_or(begins, csv::Position::line);
                if !send(Row { line, wanted: Err("the row is not UTF-8".to_owned()) }) {
                    return Ok(());
                }
            }
            Err(error) => return Err(words(&error)),
        }
    }
}

/// The crate's own words may quote the row.
fn words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::Utf8 { .. } => "the first line is not UTF-8".to_owned(),
        _ => "it is no CSV".to_owned(),
    }
}

pub(super) fn count(file: impl BufRead) -> Option<u64> {
    let mut reader = reader(file);
    let mut record = csv::ByteRecord::new();
    reader.byte_headers().ok()?;
    let mut rows = 0;
    while reader.read_byte_record(&mut record).ok()? {
        rows += u64::from(!record.iter().all(<[u8]>::is_empty));
    }
    Some(rows)
}

/// The names of the first line.
struct Columns(StringRecord);

impl Columns {
    fn at(&self, name: &str) -> Option<usize> {
        // A byte order mark belongs to the file, not to the first name.
        self.0.iter().position(|known| known.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
    }

    /// What no row can say, and no option has said, is better told once.
    fn check(&self, defaults: &Defaults) -> Result<(), String> {
        if self.at("refresh_token").is_none() {
            return Err("its first line names no column refresh_token: is it the token store of an SDK?".to_owned());
        }
        let needs = [
            ("tenant", "--tenant", defaults.tenant.is_some()),
            ("product", "--product", defaults.product.is_some()),
            ("data_centre", "--data-centre", defaults.data_centre.is_some() || self.at("api_domain").is_some()),
        ];
        for (column, option, is_said) in needs {
            if !is_said && self.at(column).is_none() {
                return Err(format!("it does not say the {column}: add {option}"));
            }
        }
        Ok(())
    }

    /// Databases and languages have their own words for nothing.
    fn cell<'a>(&self, record: &'a StringRecord, name: &str) -> Option<&'a str> {
        let cell = record.get(self.at(name)?)?;
        let is_nothing = cell.is_empty() || ["null", "none", "\\n"].iter().any(|word| cell.eq_ignore_ascii_case(word));
        (!is_nothing).then_some(cell)
    }

    fn wanted(
        &self,
        record: &StringRecord,
        zoho: &ZohoClient,
        defaults: &Defaults,
    ) -> Result<(String, Import), String> {
        let cell = |name| self.cell(record, name);
        let (at_api, environment) = match cell("api_domain").map(|domain| place_of(zoho, domain)) {
            Some(Some((data_centre, environment))) => (Some(data_centre), Some(environment)),
            Some(None) => return Err("api_domain is of no data centre that is known here".to_owned()),
            None => (None, None),
        };
        let stated = cell("data_centre").map(parse::<DataCentre>("data_centre")).transpose()?;
        let data_centre = stated.or(at_api).or(defaults.data_centre).ok_or("data_centre is missing")?;
        if at_api.is_some_and(|at_api| at_api != data_centre) {
            return Err("api_domain is of another data centre than data_centre".to_owned());
        }
        let product = cell("product").map(parse("product")).transpose()?.or(defaults.product);
        let product = product.ok_or("product is missing")?;
        let scopes = cell("scopes").map(parse::<ScopeSet>("scopes")).transpose()?;
        let tenant = cell("tenant").map(|name| plain(name).map_err(|why| format!("tenant {why}"))).transpose()?;
        let organization = cell("organization").map(parse("organization")).transpose()?;
        let token = cell("refresh_token").ok_or("refresh_token is missing")?;
        let token = secret(token).map_err(|why| format!("refresh_token {why}"))?;
        let import = Import {
            product,
            data_centre,
            scopes: scopes.or_else(|| defaults.scopes_of(Some(product))).ok_or("scopes is missing")?,
            organization: organization.map(|id| GivenOrganization { id, name: None }),
            environment,
            client: client(zoho, data_centre, cell("client_id"), cell("client_secret"))?,
            token: Token::RefreshToken(RefreshToken::new(token)),
        };
        Ok((tenant.or_else(|| defaults.tenant.clone()).ok_or("tenant is missing")?, import))
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(name: &'static str) -> impl Fn(&str) -> Result<T, String> {
    move |text| text.parse().map_err(|why| format!("{name}: {why}"))
}

/// By exact comparison with the table of hosts (security.md S-19).
fn place_of(zoho: &ZohoClient, api_domain: &str) -> Option<(DataCentre, Environment)> {
    zoho.servers.data_centres().find_map(|(data_centre, hosts)| Some((data_centre, hosts.environment_of(api_domain)?)))
}

/// Our own client's id alone is enough: its secret stands in the settings.
fn client(
    zoho: &ZohoClient,
    data_centre: DataCentre,
    id: Option<&str>,
    client_secret: Option<&str>,
) -> Result<Option<OwnClient>, String> {
    let Some(id) = id else { return Ok(None) };
    let is_ours = zoho.client_id(data_centre) == id;
    match client_secret {
        None if is_ours => Ok(None),
        None => Err("client_secret is missing, and client_id is not ours".to_owned()),
        Some(client_secret) => Ok(Some(OwnClient {
            id: client_id(id).map_err(|why| format!("client_id {why}"))?,
            secret: ClientSecret::new(secret(client_secret).map_err(|why| format!("client_secret {why}"))?),
        })),
    }
}

#[cfg(test)]
mod tests;
