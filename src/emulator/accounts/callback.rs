//! The way back to the client, in every dialect that was seen (zoho-oauth.md §5).

use url::form_urlencoded;

use crate::emulator::data_centre::DataCentre;
use crate::emulator::settings::{ParameterOrder, Settings};

/// With a code.
pub(in crate::emulator) fn granted(
    settings: &Settings,
    redirect_uri: &str,
    code: &str,
    state: Option<&str>,
    (data_centre, accounts_server): (DataCentre, &str),
) -> String {
    let dialect = &settings.callback;
    let mut pairs = vec![("code", code)];
    if dialect.location {
        pairs.push(("location", data_centre.key()));
    }
    if dialect.accounts_server {
        pairs.push(("accounts-server", accounts_server));
    }
    if let Some(state) = state {
        let place = usize::from(dialect.order == ParameterOrder::CodeFirst);
        pairs.insert(place, ("state", state));
    }
    join(redirect_uri, &pairs, dialect.trailing_ampersand)
}

/// With a refusal.
pub(super) fn refused(
    settings: &Settings,
    redirect_uri: &str,
    state: Option<&str>,
    (data_centre, accounts_server): (DataCentre, &str),
) -> String {
    let dialect = &settings.refusal;
    let mut pairs = vec![("error", "access_denied")];
    if let Some(state) = state.filter(|_| dialect.state) {
        let place = usize::from(settings.callback.order == ParameterOrder::CodeFirst);
        pairs.insert(place, ("state", state));
    }
    if dialect.location {
        pairs.push(("location", data_centre.key()));
    }
    if dialect.accounts_server {
        pairs.push(("accounts-server", accounts_server));
    }
    join(redirect_uri, &pairs, settings.callback.trailing_ampersand)
}

/// A query that is already there is kept; Zoho appends with `&`.
fn join(redirect_uri: &str, pairs: &[(&str, &str)], trailing: bool) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let separator = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, existing)) if existing.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{separator}{query}{}", if trailing { "&" } else { "" })
}
