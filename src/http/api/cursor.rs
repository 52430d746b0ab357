//! Where the next page begins. Sealed, and bound to the list it belongs to: a cursor that was altered,
//! made up, or taken to other filters or another tenant's key is refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    domain::ids::TenantId,
    vault::seal::{KeyRing, Place},
};

/// The list a cursor is of: which, who asks, and for what.
#[derive(Debug)]
pub(crate) struct List(Place);

impl List {
    pub(crate) fn new(noun: &str, tenant: Option<TenantId>, filters: &str) -> Self {
        let tenant = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
        Self(Place::outside_tenants("api.cursor", format_args!("{noun}|{tenant}|{filters}")))
    }

    pub(crate) fn seal(&self, keys: &KeyRing, last: &str) -> String {
        URL_SAFE_NO_PAD.encode(keys.seal(&self.0, last.as_bytes()))
    }

    pub(crate) fn open<T>(
        &self,
        keys: &KeyRing,
        cursor: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, &'static str> {
        self.text(keys, cursor).as_deref().and_then(parse).ok_or("is no cursor of this list: begin again without one")
    }

    fn text(&self, keys: &KeyRing, cursor: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        keys.open_text(&self.0, &sealed).ok().map(|text| text.to_string())
    }
}

/// A position of two ids, as `seal` takes it.
pub(crate) fn pair<A: std::str::FromStr, B: std::str::FromStr>(text: &str) -> Option<(A, B)> {
    let (first, second) = text.split_once(' ')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ConnectionId;
    use zeroize::Zeroizing;

    #[test]
    fn a_cursor_opens_for_its_own_list_alone() {
        let keys = KeyRing::new([("k".to_owned(), Zeroizing::new([7; 32]))]);
        let (tenant, last) = (TenantId::new(), (TenantId::new(), ConnectionId::new()));
        let list = List::new("connections", Some(tenant), "crm");
        let cursor = list.seal(&keys, &format!("{} {}", last.0, last.1));
        let opened = |list: &List, cursor: &str| list.open(&keys, cursor, pair::<TenantId, ConnectionId>);
        assert_eq!(opened(&list, &cursor), Ok(last));
        for other in [
            List::new("connections", None, "crm"),
            List::new("connections", Some(TenantId::new()), "crm"),
            List::new("connections", Some(tenant), "desk"),
            List::new("organizations", Some(tenant), "crm"),
        ] {
            assert!(opened(&other, &cursor).is_err());
        }
        for index in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            assert!(opened(&list, &altered).is_err(), "{index}");
        }
        assert!(opened(&list, "").is_err());
    }
}
