//! A grant of Zoho's as the vault keeps it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::seal::Place;
use crate::{
    domain::{
        ids::{OnboardingLinkId, TenantId},
        scope::ScopeSet,
        secret::{AccessToken, RefreshToken},
    },
    zoho::Grant,
};

/// A grant as the program keeps it: the lifetime has become a time, the scopes are known.
#[derive(Debug, Clone)]
pub(crate) struct KeptGrant {
    pub(crate) client_id: String,
    pub(crate) refresh_token: Option<RefreshToken>,
    pub(crate) access_token: AccessToken,
    pub(crate) access_token_expires_at: DateTime<Utc>,
    pub(crate) scopes: ScopeSet,
    /// As Zoho wrote it; compared with the table, never used.
    pub(crate) api_domain: Option<String>,
}

/// Where a grant in escrow belongs: named by its attempt's digest, so that it opens for that attempt
/// alone.
pub(crate) fn escrow_place(state_digest: &[u8]) -> Place {
    Place::outside_tenants("token_escrow.grant_sealed", URL_SAFE_NO_PAD.encode(state_digest))
}

/// The column where a grant rests until an invited person has confirmed.
pub(crate) const RESTING: &str = "onboarding_link.grant_sealed";

/// Where the grant of an onboarding link belongs.
pub(crate) fn resting_place(tenant_id: TenantId, id: OnboardingLinkId) -> Place {
    Place::column(RESTING, tenant_id, id)
}

#[derive(Serialize, Deserialize)]
struct Plain {
    client_id: String,
    refresh_token: Option<String>,
    access_token: String,
    access_token_expires_at: DateTime<Utc>,
    scopes: Vec<String>,
    api_domain: Option<String>,
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
        self.access_token.zeroize();
    }
}

impl KeptGrant {
    /// `asked_at` is from before the request: a lifetime is never counted too long.
    pub(crate) fn new(client_id: &str, grant: Grant, requested: &ScopeSet, asked_at: DateTime<Utc>) -> Self {
        let lifetime = chrono::TimeDelta::from_std(grant.lifetime).unwrap_or_default();
        Self {
            client_id: client_id.to_owned(),
            refresh_token: grant.refresh_token,
            access_token: grant.access_token,
            access_token_expires_at: asked_at + lifetime,
            // RFC 6749 §5.1: absent means as requested.
            scopes: grant.scopes.unwrap_or_else(|| requested.clone()),
            api_domain: grant.api_domain,
        }
    }

    pub(crate) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let plain = Plain {
            client_id: self.client_id.clone(),
            refresh_token: self.refresh_token.as_ref().map(|token| token.expose().to_owned()),
            access_token: self.access_token.expose().to_owned(),
            access_token_expires_at: self.access_token_expires_at,
            scopes: self.scopes.names().to_vec(),
            api_domain: self.api_domain.clone(),
        };
        Zeroizing::new(serde_json::to_vec(&plain).expect("text and times are JSON"))
    }

    pub(crate) fn from_json(json: &[u8]) -> Option<Self> {
        let mut plain: Plain = serde_json::from_slice(json).ok()?;
        Some(Self {
            client_id: std::mem::take(&mut plain.client_id),
            refresh_token: plain.refresh_token.take().map(RefreshToken::new),
            access_token: AccessToken::new(std::mem::take(&mut plain.access_token)),
            access_token_expires_at: plain.access_token_expires_at,
            scopes: ScopeSet::from_stored(std::mem::take(&mut plain.scopes)),
            api_domain: plain.api_domain.take(),
        })
    }
}
