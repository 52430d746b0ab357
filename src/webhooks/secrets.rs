//! What an endpoint's webhooks are signed with. The newest secret comes first; the one before it signs
//! beside it for a day, so that a receiver has time to change.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use zeroize::Zeroizing;

use crate::{
    domain::{
        ids::{TenantId, WebhookEndpointId},
        secret::WebhookSecret,
    },
    vault::seal::{KeyRing, OpenError, Place},
};

/// The column, as associated data names it.
pub(crate) const SECRETS: &str = "webhook_endpoint.secrets_sealed";
/// How long the old secret signs beside the new one.
pub(crate) const OVERLAP: TimeDelta = TimeDelta::hours(24);
const PREFIX: &str = "whsec_";
/// Of one endpoint: the one in use, and the one before it.
const MOST: usize = 2;

pub(crate) fn place(tenant_id: Option<TenantId>, webhook_endpoint_id: WebhookEndpointId) -> Place {
    match tenant_id {
        Some(tenant_id) => Place::column(SECRETS, tenant_id, webhook_endpoint_id),
        None => Place::outside_tenants(SECRETS, webhook_endpoint_id),
    }
}

/// 256 random bits, as Standard Webhooks spells them.
pub(super) fn new_secret() -> WebhookSecret {
    let key = Zeroizing::new(rand::random::<[u8; 32]>());
    WebhookSecret::new(format!("{PREFIX}{}", STANDARD.encode(*key)))
}

pub(super) fn key_of(secret: &WebhookSecret) -> Zeroizing<Vec<u8>> {
    let text = secret.expose().strip_prefix(PREFIX).unwrap_or_default();
    Zeroizing::new(STANDARD.decode(text).unwrap_or_default())
}

pub(super) fn seal(keys: &KeyRing, place: &Place, secrets: &[WebhookSecret]) -> Vec<u8> {
    let lines: Vec<_> = secrets.iter().take(MOST).map(WebhookSecret::expose).collect();
    keys.seal(place, Zeroizing::new(lines.join("\n")).as_bytes())
}

pub(super) fn open(keys: &KeyRing, place: &Place, sealed: &[u8]) -> Result<Vec<WebhookSecret>, OpenError> {
    let text = keys.open_text(place, sealed)?;
    Ok(text.lines().map(WebhookSecret::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s47_secrets_open_in_their_own_row_newest_first() {
        let keys = KeyRing::new([("k".to_owned(), Zeroizing::new([7; 32]))]);
        let (tenant, endpoint) = (TenantId::new(), WebhookEndpointId::new());
        let (new, old) = (new_secret(), new_secret());
        let sealed = seal(&keys, &place(Some(tenant), endpoint), &[new.clone(), old, new_secret()]);
        let opened = open(&keys, &place(Some(tenant), endpoint), &sealed).expect("it opens");
        assert_eq!(opened.len(), 2);
        assert_eq!(opened[0].expose(), new.expose());
        assert!(open(&keys, &place(None, endpoint), &sealed).is_err());
        assert!(open(&keys, &place(Some(tenant), WebhookEndpointId::new()), &sealed).is_err());
        assert_eq!((new.expose().len(), key_of(&new).len()), (6 + 44, 32));
    }
}
