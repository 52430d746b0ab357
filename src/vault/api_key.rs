//! Making keys for back ends. A key is shown once and kept as a digest (security.md S-51, 4.6).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::domain::digest::digest;
use crate::{
    domain::{
        api_key::Grant,
        ids::TenantId,
        secret::{ApiKey, random_token},
    },
    store::{
        StoreError,
        api_key::{self, NewApiKey},
    },
};

/// What a new key is to be.
#[derive(Debug)]
pub(crate) struct Make<'a> {
    pub(crate) name: &'a str,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) grants: &'a [Grant],
    pub(crate) created_by: &'a str,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) api_key_id: String,
    pub(crate) key: ApiKey,
}

/// Makes a key; the answer is the only place where it can be read.
pub(crate) async fn make(db: impl PgExecutor<'_>, make: &Make<'_>, now: DateTime<Utc>) -> Result<Made, StoreError> {
    // An underscore would end the id early.
    let api_key_id = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 6]>()).replace(['_', '-'], "0");
    let key = format!("lwz_{api_key_id}_{}", random_token());
    let grants: Vec<_> = make.grants.iter().map(|grant| grant.key().to_owned()).collect();
    let new = NewApiKey {
        api_key_id: &api_key_id,
        key_digest: &digest(key.as_bytes()),
        name: make.name,
        tenant_id: make.tenant_id,
        grants: &grants,
        created_by: make.created_by,
        expires_at: make.expires_at,
    };
    api_key::insert(db, &new, now).await?;
    Ok(Made { api_key_id, key: ApiKey::new(key) })
}
