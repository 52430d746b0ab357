//! What is imported, and what becomes of a connection that ends.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{data_centre::DataCentre, organization::Environment, product::Product},
    vault::disconnect::RevokedAtZoho,
};

/// A token that Zoho granted elsewhere: to a self client, or before this program was there. Exactly one of
/// `self_client_code` and `refresh_token` is given.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "read member by member in vault::import::draft; this is its description")]
pub(crate) struct Import {
    /// Our id, your `external_id` or the slug.
    #[schema(example = "acme")]
    tenant: String,
    product: Product,
    data_centre: DataCentre,
    /// What the token was granted for; Zoho's own word outweighs it.
    #[schema(min_items = 1, example = json!(["AaaServer.profile.READ", "ZohoAssist.userapi.READ"]))]
    scopes: Vec<String>,
    /// Needed where Zoho lists several for the token, or none; checked where it lists any.
    organization: Option<GivenOrganization>,
    /// The client of Zoho's console that the token belongs to; left out, it is this installation's.
    client: Option<ZohoClient>,
    /// From Zoho's console; lives for minutes and works once.
    #[schema(example = "1000.…")]
    self_client_code: Option<String>,
    /// Proved by one refresh before it is stored.
    #[schema(example = "1000.…")]
    refresh_token: Option<String>,
}

/// Which organization a token is of.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct GivenOrganization {
    /// Zoho's id.
    #[schema(example = "77000000")]
    id: String,
    /// Where Zoho does not tell it.
    #[schema(example = "Zylker")]
    name: Option<String>,
    /// `production` unless `api_domain` says otherwise.
    environment: Option<Environment>,
}

/// A self client's own credentials; kept sealed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct ZohoClient {
    #[schema(example = "1000.…")]
    id: String,
    secret: String,
}

/// The end of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Disconnected {
    #[schema(example = "disconnected")]
    status: &'static str,
    /// `pending`: Zoho has not confirmed yet and is asked until it does.
    #[schema(value_type = RevokedAtZoho)]
    revoked_at_zoho: &'static str,
}

impl From<RevokedAtZoho> for Disconnected {
    fn from(revoked: RevokedAtZoho) -> Self {
        Self { status: "disconnected", revoked_at_zoho: revoked.key() }
    }
}
