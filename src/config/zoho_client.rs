//! Our registration at Zoho: one client, a secret per data centre, and China apart
//! (`zoho-oauth.md` §3).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ConfigErrors, SAMPLE,
    secrets::{ZOHO_CLIENT_SECRET, secret_name},
};
use crate::domain::{data_centre::DataCentre, product::Product, secret::ClientSecret, servers::Servers};

/// The client that the emulator knows from the start; at Zoho it is worth nothing.
const EMULATED_ID: &str = "1000.EMULATEDZOHOSAMPLECLIENT000001";

/// Which client we are, where it is switched on, and with which secret.
#[derive(Debug, Clone)]
pub struct ZohoClient {
    pub servers: Servers,
    /// Where the client is registered and where flows start.
    pub home: DataCentre,
    /// Switched on for the client *and* in the table.
    pub enabled: BTreeSet<DataCentre>,
    pub id: String,
    /// China's own registration.
    pub id_cn: Option<String>,
    /// For every data centre without one of its own.
    pub secret: Option<ClientSecret>,
    pub secrets: BTreeMap<DataCentre, ClientSecret>,
}

impl ZohoClient {
    pub fn client_id(&self, data_centre: DataCentre) -> &str {
        match (&self.id_cn, data_centre) {
            (Some(id), DataCentre::Cn) => id,
            _ => &self.id,
        }
    }

    /// Each data centre gets its own secret (security.md S-20); the default one never belongs to
    /// a client that is registered in China alone.
    pub fn client_secret(&self, data_centre: DataCentre) -> Option<&ClientSecret> {
        let has_own_client = data_centre == DataCentre::Cn && self.id_cn.is_some();
        self.secrets.get(&data_centre).or_else(|| self.secret.as_ref().filter(|_| !has_own_client))
    }

    /// Whether `/login?data_centre=cn` leads anywhere.
    pub fn starts_at_cn(&self) -> bool {
        self.id_cn.is_some() && self.enabled.contains(&DataCentre::Cn)
    }

    /// What is switched on where no setting says it: all but China, which takes a client of its
    /// own; a client registered in China is known nowhere else.
    pub(super) fn enabled_by_default(home: DataCentre, has_client_in_china: bool) -> BTreeSet<DataCentre> {
        let is_on = |data_centre: &DataCentre| match (home, data_centre) {
            (DataCentre::Cn, other) => *other == DataCentre::Cn,
            (_, DataCentre::Cn) => has_client_in_china,
            _ => true,
        };
        DataCentre::ALL.into_iter().filter(is_on).collect()
    }

    /// Whether every host a secret could be sent to is this machine: the emulator.
    pub fn is_emulated(&self) -> bool {
        self.servers.data_centres().all(|(_, hosts)| {
            url::Url::parse(&hosts.accounts).is_ok_and(|url| crate::domain::servers::is_loopback(&url))
        })
    }

    pub(super) fn validate(&self, login_product: Product, demo: bool, errors: &mut ConfigErrors) {
        self.validate_home(login_product, errors);
        self.validate_secrets(errors);
        if !demo {
            self.refuse_samples(errors);
        }
    }

    fn validate_home(&self, login_product: Product, errors: &mut ConfigErrors) {
        let home = self.home;
        match self.servers.hosts(home) {
            None => errors.add("ZOHO_HOME", format!("is `{home}`, which ZOHO_SERVERS does not list: add its row or choose another home")),
            Some(_) if !self.enabled.contains(&home) => errors.add(
                "ZOHO_DATA_CENTRES",
                format!("leaves out `{home}`, where every sign-in starts (ZOHO_HOME): add it or choose another home"),
            ),
            Some(hosts) if !hosts.products.contains_key(&login_product) => errors.add(
                "LOGIN_PRODUCT",
                format!("is `{login_product}`, which is not offered in `{home}` (ZOHO_HOME): choose another, or name its host in ZOHO_SERVERS"),
            ),
            Some(_) => {}
        }
    }

    fn validate_secrets(&self, errors: &mut ConfigErrors) {
        let without: Vec<_> = self
            .enabled
            .iter()
            .filter(|data_centre| {
                self.servers.hosts(**data_centre).is_some() && self.client_secret(**data_centre).is_none()
            })
            .map(|data_centre| data_centre.key())
            .collect();
        if without.is_empty() {
            return;
        }
        let cure = if without == ["cn"] {
            "set ZOHO_CLIENT_SECRET_CN".to_owned()
        } else {
            format!(
                "set it (or its _FILE) if the client uses the same secret everywhere, else one for each like ZOHO_CLIENT_SECRET_{}, or leave them out of ZOHO_DATA_CENTRES",
                without[0].to_ascii_uppercase()
            )
        };
        errors.add(ZOHO_CLIENT_SECRET, format!("is missing for {}: {cure}", without.join(", ")));
    }

    fn refuse_samples(&self, errors: &mut ConfigErrors) {
        let ids = [("ZOHO_CLIENT_ID", Some(&self.id)), ("ZOHO_CLIENT_ID_CN", self.id_cn.as_ref())];
        for (name, id) in ids {
            match id.map(String::as_str) {
                Some(SAMPLE) => errors.add(name, "is the sample: set the client ID of Zoho's API console"),
                Some(EMULATED_ID) if !self.is_emulated() => errors.add(
                    name,
                    "is the emulator's sample client, unknown to Zoho: set the client ID of Zoho's API console",
                ),
                _ => {}
            }
        }
        let default = self.secret.iter().map(|secret| (ZOHO_CLIENT_SECRET.to_owned(), secret));
        let own = self.secrets.iter().map(|(data_centre, secret)| (secret_name(*data_centre), secret));
        for (name, _) in default.chain(own).filter(|(_, secret)| secret.expose() == SAMPLE) {
            errors.add(name, "is the sample: set the client secret of Zoho's API console");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> ZohoClient {
        ZohoClient {
            servers: Servers::built_in(),
            home: DataCentre::Us,
            enabled: ZohoClient::enabled_by_default(DataCentre::Us, true),
            id: "1000.OURS".to_owned(),
            id_cn: Some("1000.CHINA".to_owned()),
            secret: Some(ClientSecret::new("everywhere")),
            secrets: [(DataCentre::Eu, ClientSecret::new("europe"))].into(),
        }
    }

    #[test]
    fn s20_each_data_centre_gets_its_own_secret() {
        let client = client();
        assert_eq!(client.client_secret(DataCentre::Eu).unwrap().expose(), "europe");
        assert_eq!(client.client_secret(DataCentre::Us).unwrap().expose(), "everywhere");
        assert_eq!(client.client_id(DataCentre::Eu), "1000.OURS");
    }

    #[test]
    fn s20_china_stands_apart() {
        let mut client = client();
        assert_eq!(client.client_id(DataCentre::Cn), "1000.CHINA");
        assert!(client.client_secret(DataCentre::Cn).is_none(), "the default secret belongs to another client");
        assert!(client.starts_at_cn());
        client.id_cn = None;
        assert!(!client.starts_at_cn());
        assert_eq!(client.client_id(DataCentre::Cn), "1000.OURS");
        let all_but_china = ZohoClient::enabled_by_default(DataCentre::Us, false);
        assert_eq!(all_but_china.len(), 10);
        assert!(!all_but_china.contains(&DataCentre::Cn));
        assert_eq!(ZohoClient::enabled_by_default(DataCentre::Cn, false), BTreeSet::from([DataCentre::Cn]));
    }
}
