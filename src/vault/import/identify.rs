//! Step 4: whose the token is, and of which organization.

use std::time::Duration;

use super::{Import, ImportError, Objection};
use crate::{
    app::App,
    domain::{
        organization::{Environment, FoundOrganization},
        person::Profile,
        product::PROFILE_SCOPE,
    },
    vault::{environment::environment_of, grant::KeptGrant},
    zoho::{CallError, Refusal},
};

/// What is known of a token.
#[derive(Debug)]
pub(super) struct Identified {
    /// Absent: the token may not tell.
    pub(super) profile: Option<Profile>,
    /// Where `api_domain` names it for certain.
    pub(super) environment: Option<Environment>,
    pub(super) organization: Which,
}

#[derive(Debug)]
pub(super) enum Which {
    One(FoundOrganization),
    /// Among these, or any where there are none.
    Choose(Vec<FoundOrganization>),
}

pub(super) async fn identify(app: &App, import: &Import, grant: &KeptGrant) -> Result<Identified, ImportError> {
    let hosts = app.hosts(import.data_centre);
    let profile = if grant.scopes.covers(PROFILE_SCOPE) {
        patiently(|| app.zoho.profile(&hosts.accounts, &grant.access_token)).await
    } else {
        Ok(None)
    };
    let profile = profile.map_err(|error| failure_of(import, "profile", &error))?;
    let environment = environment_of(hosts, import.data_centre, Some(import.product), grant, None);
    let found = organizations(app, import, environment, grant).await?;
    let organization = decide(import, found, profile.is_some())?;
    Ok(Identified { profile, environment, organization })
}

/// Empty where the product cannot tell, or not with this token.
async fn organizations(
    app: &App,
    import: &Import,
    environment: Option<Environment>,
    grant: &KeptGrant,
) -> Result<Vec<FoundOrganization>, ImportError> {
    let product = import.product;
    let environment = environment.or(import.environment).unwrap_or(Environment::Production);
    let host = app.hosts(import.data_centre).product(product, environment).ok_or(Objection::ProductNotOffered)?;
    if product.discovery_scope().is_none_or(|scope| !grant.scopes.covers(scope)) {
        return Ok(Vec::new());
    }
    match patiently(|| app.zoho.organizations(product, host, &grant.access_token)).await {
        Ok(found) => Ok(found.unwrap_or_default()),
        Err(CallError::Unusable(_) | CallError::Refused(Refusal::Permission)) => Err(Objection::NoOrganization.into()),
        Err(error) => Err(failure_of(import, product.key(), &error)),
    }
}

/// What is given is checked where Zoho lists anything. A code cannot be presented again, so that its
/// person may choose afterwards; a refresh token can.
fn decide(import: &Import, found: Vec<FoundOrganization>, has_person: bool) -> Result<Which, Objection> {
    if let Some(given) = &import.organization {
        if found.is_empty() {
            return Ok(Which::One(FoundOrganization::new(given.id.clone(), given.name.as_deref().unwrap_or_default())));
        }
        let listed = found.iter().find(|listed| listed.id == given.id).cloned();
        return listed.map(Which::One).ok_or(Objection::AnotherOrganization(found));
    }
    match <[FoundOrganization; 1]>::try_from(found) {
        Ok([only]) => Ok(Which::One(only)),
        Err(found) if import.token.is_code() && has_person => Ok(Which::Choose(found)),
        Err(none) if none.is_empty() => Err(Objection::OrganizationNeeded),
        Err(several) => Err(Objection::SeveralOrganizations(several)),
    }
}

/// Asks three times where that may help. A token that lacks the scope tells nothing, and that is an
/// answer.
async fn patiently<T, F: Future<Output = Result<T, CallError>>>(
    ask: impl FnMut() -> F,
) -> Result<Option<T>, CallError> {
    let policy = backon::ExponentialBuilder::default().with_min_delay(Duration::from_millis(300)).with_max_times(2);
    // A token that has just been granted is known everywhere in a moment.
    let may_pass = |error: &CallError| error.is_transient() || *error == CallError::Refused(Refusal::Token);
    match backon::Retryable::retry(ask, policy).when(may_pass).await {
        Ok(told) => Ok(Some(told)),
        Err(CallError::Refused(Refusal::Scope)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn failure_of(import: &Import, call: &'static str, error: &CallError) -> ImportError {
    tracing::warn!(data_centre = %import.data_centre, call, class = error.class(), error = %error, "zoho did not say whose an imported token is");
    match error {
        CallError::Throttled { retry_after } => ImportError::Throttled { retry_after: *retry_after },
        CallError::Unavailable => ImportError::Unavailable,
        CallError::Refused(_) | CallError::Misbehaved(_) | CallError::Redirected | CallError::Unusable(_) => {
            ImportError::Misbehaved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{data_centre::DataCentre, product::Product, scope::ScopeSet, secret},
        vault::import::{GivenOrganization, Token},
    };

    fn import(token: Token, organization: Option<&str>) -> Import {
        Import {
            product: Product::Crm,
            data_centre: DataCentre::Eu,
            scopes: ScopeSet::default(),
            organization: organization
                .map(|id| GivenOrganization { id: id.parse().expect("an id"), name: Some("Ours".to_owned()) }),
            environment: None,
            client: None,
            token,
        }
    }

    fn decided(import: &Import, found: &[&str], has_person: bool) -> String {
        let found = found.iter().map(|id| FoundOrganization::new(id.parse().expect("an id"), "Zylker")).collect();
        match decide(import, found, has_person) {
            Ok(Which::One(one)) => format!("{} {}", one.id, one.name),
            Ok(Which::Choose(among)) => format!("choose among {}", among.len()),
            Err(objection) => objection.class().to_owned(),
        }
    }

    #[test]
    fn an_organization_is_given_or_the_only_one_and_never_the_first() {
        let code = || Token::SelfClientCode(secret::AuthorizationCode::new("c"));
        let refresh = || Token::RefreshToken(secret::RefreshToken::new("r"));
        let given = import(refresh(), Some("2"));
        assert_eq!(decided(&given, &[], false), "2 Ours");
        assert_eq!(decided(&given, &["1", "2"], false), "2 Zylker");
        assert_eq!(decided(&given, &["1"], true), "another_organization");
        let open = import(refresh(), None);
        assert_eq!(decided(&open, &["1"], false), "1 Zylker");
        assert_eq!(decided(&open, &["1", "2"], true), "several_organizations");
        assert_eq!(decided(&open, &[], true), "organization_needed");
        let spent = import(code(), None);
        assert_eq!(decided(&spent, &["1", "2"], true), "choose among 2");
        assert_eq!(decided(&spent, &["1", "2"], false), "several_organizations");
        assert_eq!(decided(&spent, &[], true), "choose among 0");
    }
}
