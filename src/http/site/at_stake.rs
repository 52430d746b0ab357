//! In place of Zoho's consent page: what the consent would cost (security.md R-13). Whoever is signed in
//! and comes by `/login` sees no page of ours that could have said it before.

use askama::Template;

use super::parts::AtStake;
use crate::{
    app::App,
    domain::{data_centre::DataCentre, ids::ConnectionId, product::Product, return_path::ReturnPath},
    http::page::Shell,
};

#[derive(Template)]
#[template(path = "at_stake.html")]
pub(crate) struct AtStakePage {
    pub(crate) shell: Shell,
    /// What is about to be connected.
    pub(crate) product: &'static str,
    pub(crate) at_stake: AtStake,
    /// The connection at stake.
    pub(crate) id: String,
    pub(crate) limit: u32,
    /// `/login` once more, with the person's word.
    pub(crate) go_on: String,
}

impl AtStakePage {
    pub(crate) fn new(
        app: &App,
        shell: Shell,
        product: Product,
        data_centre: DataCentre,
        return_path: &ReturnPath,
        (id, at_stake): (ConnectionId, AtStake),
    ) -> Self {
        let go_on = url::form_urlencoded::Serializer::for_suffix("/login?".to_owned(), 7)
            .append_pair("product", product.key())
            .append_pair("data_centre", data_centre.key())
            .append_pair("return_to", return_path.as_str())
            .append_pair("agreed", &id.to_string())
            .finish();
        let limit = app.config.refresh_tokens_per_person;
        Self { shell, product: product.key(), at_stake, id: id.to_string(), limit, go_on }
    }
}

#[cfg(test)]
impl AtStakePage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use super::parts::Organization;
        use crate::http::page::{Place, tests};

        let page = |shell, organization, tenant: &str| Self {
            shell,
            product: "crm",
            at_stake: AtStake { product: "desk", organization, tenant: tenant.into() },
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            limit: 20,
            go_on: "/login?product=crm&agreed=019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
        };
        vec![
            ("typical", page(Shell::sample(Place::Elsewhere), Some(Organization::sample()), "Acme")),
            ("worst", page(Shell::worst(Place::Elsewhere), Some(Organization::worst()), tests::ENDLESS)),
        ]
    }
}
