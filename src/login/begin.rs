//! Step 1: off to Zoho. Nothing is written; the attempt travels sealed in a cookie.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::attempt::Attempt;
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        digest::digest,
        product::{PROFILE_SCOPE, Product},
        return_path::ReturnPath,
        scope::ScopeSet,
        secret::{StateNonce, random_token},
    },
    store::login_attempt::Purpose,
    zoho::{AuthorizeRequest, code_challenge},
};

/// Longest list of extra scopes: it travels in the cookie.
pub(crate) const LONGEST_EXTRA_SCOPES: usize = 512;

/// What somebody wants to begin.
#[derive(Debug)]
pub(crate) struct Begin {
    pub(crate) purpose: Purpose,
    pub(crate) lineage: Option<Uuid>,
    /// Absent: only sign in.
    pub(crate) product: Option<Product>,
    pub(crate) extra_scopes: ScopeSet,
    /// Whether a refresh token is asked for, and with it the consent page.
    pub(crate) offline: bool,
    pub(crate) data_centre: DataCentre,
    pub(crate) return_path: ReturnPath,
}

/// Where to send the browser, and what it has to bring back.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) location: String,
    pub(crate) attempt: Attempt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BeginError {
    /// Whoever consents now could not be served on return (security.md S-1).
    #[error("the last probe of the database failed")]
    DatabaseDown,
}

/// The scopes a flow asks for: profile, discovery, the product's own by the settings, and extras.
pub(crate) fn scopes_of(app: &App, product: Option<Product>, extra: &ScopeSet) -> ScopeSet {
    match product {
        None => ScopeSet::from_known(&[PROFILE_SCOPE]),
        Some(product) => {
            let mut scopes = app.config.usual_scopes(product);
            scopes.extend(extra);
            scopes
        }
    }
}

pub(crate) fn begin(app: &App, begin: Begin, now: DateTime<Utc>) -> Result<Begun, BeginError> {
    if !app.readiness.database_answers() {
        return Err(BeginError::DatabaseDown);
    }
    let state = StateNonce::new(random_token());
    let attempt = Attempt {
        state_digest: digest(state.expose().as_bytes()),
        verifier: rand::random(),
        purpose: begin.purpose,
        lineage: begin.lineage,
        product: begin.product,
        extra_scopes: begin.extra_scopes,
        offline: begin.offline,
        started_at_data_centre: begin.data_centre,
        return_path: begin.return_path,
        started_at: now,
    };
    let hosts =
        app.config.zoho.servers.hosts(begin.data_centre).expect("settings were checked: flows start in the table");
    let location = AuthorizeRequest {
        accounts: &hosts.accounts,
        client_id: app.config.zoho.client_id(begin.data_centre),
        redirect_uri: app.config.public_url.redirect_uri(),
        scopes: &scopes_of(app, attempt.product, &attempt.extra_scopes),
        offline: attempt.offline,
        state: &state,
        code_challenge: &code_challenge(&attempt.pkce_verifier()),
    }
    .url();
    Ok(Begun { location, attempt })
}
