//! The form that makes a link, read with all its mistakes at once.

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer};

use crate::{
    app::App,
    domain::{
        digest::digest,
        ids::{OnboardingLinkId, PersonId, TenantId},
        onboarding::{EmailDomain, ReturnUrl},
        organization::ZohoOrganizationId,
        product::Product,
        scope::ScopeSet,
        secret::FormToken,
    },
    http::site::connection::extra_scopes,
    onboarding::links::Make,
};

/// What the form said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LinkRequest {
    pub(super) csrf: String,
    pub(in crate::http::site) nonce: String,
    #[serde(deserialize_with = "product")]
    pub(super) product: Option<Product>,
    pub(super) scopes: String,
    pub(super) email_domain: String,
    pub(super) organization: String,
    pub(super) return_url: String,
    #[serde(rename = "expires")]
    pub(super) life: Life,
}

impl Default for LinkRequest {
    fn default() -> Self {
        let [csrf, nonce, scopes, email_domain, organization, return_url] = Default::default();
        Self { csrf, nonce, product: None, scopes, email_domain, organization, return_url, life: Life::Week }
    }
}

fn product<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Product>, D::Error> {
    Ok(String::deserialize(deserializer)?.parse().ok())
}

/// How long a link lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Life {
    #[serde(rename = "1d")]
    Day,
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
}

impl Life {
    pub(super) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    pub(in crate::http::site) const fn key(self) -> &'static str {
        match self {
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    const fn span(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::days(1),
            Self::Week => TimeDelta::days(7),
            Self::Month => TimeDelta::days(30),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkProblem {
    ProductMissing,
    ScopesMalformed,
    DomainMalformed,
    OrganizationMalformed,
    ReturnUrlElsewhere,
}

impl LinkProblem {
    /// The field to jump to.
    pub(in crate::http::site) fn field(self) -> &'static str {
        match self {
            Self::ProductMissing => "product",
            Self::ScopesMalformed => "scopes",
            Self::DomainMalformed => "email_domain",
            Self::OrganizationMalformed => "organization",
            Self::ReturnUrlElsewhere => "return_url",
        }
    }
}

/// A form makes one link, however often it is sent: its nonce, with the person's and the tenant's id, decides the
/// link's.
pub(in crate::http::site) fn link_id(nonce: &str, tenant_id: TenantId, person_id: PersonId) -> OnboardingLinkId {
    if nonce.is_empty() {
        return OnboardingLinkId::new();
    }
    let nonce = format!("{tenant_id} {person_id} {nonce}");
    let [head @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = digest(nonce.as_bytes());
    OnboardingLinkId::from(uuid::Uuid::from_bytes(head))
}

impl LinkRequest {
    pub(in crate::http::site) fn form_token(&self) -> FormToken {
        FormToken::new(self.csrf.as_str())
    }

    pub(in crate::http::site) fn parse(&self, app: &App) -> Result<Make, Vec<LinkProblem>> {
        let mut problems = Vec::new();
        let mut note = |problem| problems.push(problem);
        if self.product.is_none() {
            note(LinkProblem::ProductMissing);
        }
        let scopes = self.scopes.parse::<ScopeSet>().ok();
        let scopes = match self.product {
            Some(product) => scopes.and_then(|scopes| extra_scopes(app, product, &scopes).ok()),
            None => scopes,
        };
        if scopes.is_none() {
            note(LinkProblem::ScopesMalformed);
        }
        let expected_email_domain = given(&self.email_domain).map(str::parse::<EmailDomain>).transpose();
        if expected_email_domain.is_err() {
            note(LinkProblem::DomainMalformed);
        }
        let expected_organization = given(&self.organization).map(str::parse::<ZohoOrganizationId>).transpose();
        if expected_organization.is_err() {
            note(LinkProblem::OrganizationMalformed);
        }
        let return_url =
            given(&self.return_url).map(|url| ReturnUrl::parse(url, &app.config.return_origins)).transpose();
        if return_url.is_err() {
            note(LinkProblem::ReturnUrlElsewhere);
        }
        match (self.product, scopes, expected_email_domain, expected_organization, return_url) {
            (Some(product), Some(scopes), Ok(expected_email_domain), Ok(expected_organization), Ok(return_url)) => {
                let life = self.life.span();
                Ok(Make {
                    product,
                    scopes,
                    expected_email_domain,
                    expected_organization,
                    return_url,
                    reconnects: None,
                    life,
                })
            }
            _ => Err(problems),
        }
    }
}

/// What stands in a field; nothing but blanks is nothing.
fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}
