//! Where the next page begins. Sealed, and bound to the list it belongs to: a cursor that was altered,
//! made up, or taken to other filters or another tenant's key is refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    domain::ids::{ConnectionId, TenantId},
    vault::seal::{KeyRing, Place},
};

/// The list a cursor is of: who asks, and for what.
#[derive(Debug)]
pub(super) struct List(Place);

impl List {
    pub(super) fn new(tenant: Option<TenantId>, filters: &str) -> Self {
        let tenant = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
        Self(Place::outside_tenants("api.cursor", format_args!("{tenant}|{filters}")))
    }

    pub(super) fn seal(&self, keys: &KeyRing, last: (TenantId, ConnectionId)) -> String {
        URL_SAFE_NO_PAD.encode(keys.seal(&self.0, format!("{} {}", last.0, last.1).as_bytes()))
    }

    pub(super) fn open(&self, keys: &KeyRing, cursor: &str) -> Result<(TenantId, ConnectionId), &'static str> {
        self.try_open(keys, cursor).ok_or("is no cursor of this list: begin again without one")
    }

    fn try_open(&self, keys: &KeyRing, cursor: &str) -> Option<(TenantId, ConnectionId)> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text = keys.open_text(&self.0, &sealed).ok()?;
        let (tenant, connection) = text.split_once(' ')?;
        Some((tenant.parse().ok()?, connection.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn a_cursor_opens_for_its_own_list_alone() {
        let keys = KeyRing::new([("k".to_owned(), Zeroizing::new([7; 32]))]);
        let (tenant, last) = (TenantId::new(), (TenantId::new(), ConnectionId::new()));
        let list = List::new(Some(tenant), "crm");
        let cursor = list.seal(&keys, last);
        assert_eq!(list.open(&keys, &cursor), Ok(last));
        for other in [List::new(None, "crm"), List::new(Some(TenantId::new()), "crm"), List::new(Some(tenant), "desk")]
        {
            assert!(other.open(&keys, &cursor).is_err());
        }
        for index in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            assert!(list.open(&keys, &altered).is_err(), "{index}");
        }
        assert!(list.open(&keys, "").is_err());
    }
}
