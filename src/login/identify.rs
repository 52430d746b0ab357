//! Steps 8 and 9: who it is, and which organizations the token may belong to.

use super::Failure;
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        organization::{Environment, FoundOrganization},
        person::Profile,
        product::Product,
        servers::Hosts,
    },
    store::login_attempt::TakenAttempt,
    vault::{environment::environment_of, grant::KeptGrant},
    zoho::{CallError, Refusal},
};

/// What Zoho told about a grant.
#[derive(Debug)]
pub(super) struct Identified {
    pub(super) profile: Profile,
    /// Empty: the product cannot tell, or was not allowed to; the person is asked.
    pub(super) organizations: Vec<FoundOrganization>,
    /// Where `api_domain` names it for certain.
    pub(super) environment: Option<Environment>,
}

pub(super) enum NotIdentified {
    /// Worth asking again: the escrow holds.
    Later,
    /// Certain: nothing will be connected.
    Never(Failure),
}

pub(super) async fn identify(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
) -> Result<Identified, NotIdentified> {
    // An escrow may outlive a row of the servers table; it waits for the row to come back.
    let hosts = app.config.zoho.servers.hosts(attempt.data_centre).ok_or(NotIdentified::Later)?;
    let profile = app.zoho.profile(&hosts.accounts, &grant.access_token).await.map_err(|error| {
        log(attempt.data_centre, "profile", &error);
        match error {
            error if may_pass(&error) => NotIdentified::Later,
            CallError::Redirected => NotIdentified::Never(Failure::Misbehaved),
            _ => NotIdentified::Never(Failure::ProfileUnreadable),
        }
    })?;
    let environment = environment_of(hosts, attempt.data_centre, attempt.product, grant, Some(attempt.request_id));
    let organizations = match attempt.product.filter(|_| attempt.offline) {
        Some(product) => organizations(app, hosts, attempt.data_centre, product, environment, grant).await?,
        None => Vec::new(),
    };
    Ok(Identified { profile, organizations, environment })
}

async fn organizations(
    app: &App,
    hosts: &Hosts,
    data_centre: DataCentre,
    product: Product,
    environment: Option<Environment>,
    grant: &KeptGrant,
) -> Result<Vec<FoundOrganization>, NotIdentified> {
    let Some(host) = hosts.product(product, environment.unwrap_or(Environment::Production)) else {
        return Err(NotIdentified::Never(Failure::ProductNotOffered));
    };
    // Without the discovery scope there is nothing to ask Zoho for: the person is asked.
    if product.discovery_scope().is_none_or(|scope| !grant.scopes.covers(scope)) {
        return Ok(Vec::new());
    }
    match app.zoho.organizations(product, host, &grant.access_token).await {
        Ok(found) if found.is_empty() => Err(NotIdentified::Never(Failure::NoOrganization)),
        Ok(found) => Ok(found),
        Err(CallError::Refused(Refusal::Scope)) => Ok(Vec::new()),
        Err(error) => {
            log(data_centre, product.key(), &error);
            Err(match error {
                CallError::Refused(Refusal::Permission) => NotIdentified::Never(Failure::NoOrganization),
                error if may_pass(&error) => NotIdentified::Later,
                CallError::Unusable(_) => NotIdentified::Never(Failure::NoOrganization),
                _ => NotIdentified::Never(Failure::Misbehaved),
            })
        }
    }
}

/// The escrow holds while an answer may still change: throttling ends, and a token that Zoho does
/// not know yet, or no longer after an hour, is not the end of the grant (security.md R-27).
fn may_pass(error: &CallError) -> bool {
    error.is_transient() || matches!(error, CallError::Throttled { .. } | CallError::Refused(Refusal::Token))
}

fn log(data_centre: DataCentre, call: &'static str, error: &CallError) {
    tracing::warn!(%data_centre, call, class = error.class(), error = %error, "zoho did not say who it is");
}
