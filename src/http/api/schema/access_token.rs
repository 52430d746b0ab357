//! What a back end asked for: a token, and where it works.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Organization, time};
use crate::{
    app::App,
    domain::{data_centre::DataCentre, product::Product},
    vault::access_token::{Vended, Warning},
};

/// A token that works, and where.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccessToken<'a> {
    #[schema(example = "1000.…")]
    access_token: &'a str,
    /// Names this token without being it: what `rejected` takes.
    #[schema(example = "v7")]
    token_id: &'a str,
    /// What stands before the token in `Authorization`.
    #[schema(example = "Zoho-oauthtoken")]
    token_type: &'static str,
    #[schema(format = DateTime, example = "2026-11-21T10:00:00Z")]
    expires_at: String,
    /// Seconds.
    #[schema(example = 3312)]
    expires_in: i64,
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-000000000001")]
    connection_id: String,
    #[schema(value_type = Product)]
    product: &'static str,
    #[schema(value_type = DataCentre)]
    data_centre: &'static str,
    /// Zoho's host for products without one of their own, in this data centre and environment.
    #[schema(example = "https://www.zohoapis.eu")]
    api_domain: &'a str,
    /// The product's host; null where the servers table has none any more.
    #[schema(required, example = "https://assist.zoho.eu")]
    product_url: Option<&'a str>,
    organization: Organization,
    /// What the person granted.
    #[schema(example = json!(["ZohoAssist.userapi.READ"]))]
    scopes: &'a [String],
    #[schema(value_type = Vec<Warning>, example = json!([]))]
    warnings: Vec<&'static str>,
}

impl<'a> AccessToken<'a> {
    pub(crate) fn of(app: &'a App, vended: &'a Vended) -> Self {
        let hosts = app.config.zoho.servers.hosts(vended.data_centre);
        let environment = vended.organization.environment;
        Self {
            access_token: vended.access_token.expose(),
            token_id: &vended.token_id,
            token_type: "Zoho-oauthtoken",
            // Rounded down: a token is never told to live longer than it does.
            expires_at: time(vended.expires_at),
            expires_in: (vended.expires_at - app.clock.shared_now()).num_seconds().max(0),
            connection_id: vended.connection_id.to_string(),
            product: vended.product.key(),
            data_centre: vended.data_centre.key(),
            api_domain: hosts.map_or("", |hosts| hosts.api_in(environment)),
            product_url: hosts.and_then(|hosts| hosts.product(vended.product, environment)),
            organization: vended.organization.clone().into(),
            scopes: vended.scopes_granted.names(),
            warnings: vended.warnings.iter().map(|warning| warning.key()).collect(),
        }
    }
}
