//! What a link is made of, and how it stands.

use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::{
    domain::{
        ids::{ConnectionId, OnboardingLinkId},
        onboarding::LinkState,
        product::Product,
    },
    onboarding::links::Made,
};

/// An invitation to connect a Zoho organization to a customer of yours.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "read member by member in onboarding_links.rs; this is its description")]
pub(crate) struct NewOnboardingLink {
    tenant: InvitingTenant,
    product: Product,
    /// Beyond those that the product is asked for anyway.
    #[schema(example = json!(["ZohoAssist.sessionapi.READ"]))]
    scopes: Option<Vec<String>>,
    /// The e-mail address at Zoho must be of exactly this domain; another is refused and its consent revoked.
    #[schema(example = "example.com")]
    expected_email_domain: Option<String>,
    /// Zoho's id: no other organization can be connected.
    #[schema(example = "77000000")]
    expected_organization: Option<String>,
    /// Where the last page's link leads, `?onboarding_link=<id>` appended; at one of `RETURN_ORIGINS`.
    #[schema(example = "https://app.example.com/connected")]
    return_url: Option<String>,
    /// `7d` unless given; at most `90d`.
    #[schema(example = "7d")]
    expires_in: Option<String>,
}

/// Which customer: your own id of it, or in place of this object our id, your `external_id` or the slug as text.
/// One whose `external_id` is new is created, for which it needs a name and a key of all tenants.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct InvitingTenant {
    #[schema(example = "acme")]
    external_id: String,
    #[schema(example = "Acme")]
    name: Option<String>,
}

/// A link that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OnboardingLink<'a> {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000c0")]
    id: String,
    /// Told this once. Whoever opens it first and begins is the one it works for.
    #[schema(format = "uri", example = "https://login.example.com/onboarding/…")]
    url: &'a str,
    #[schema(format = DateTime, example = "2026-11-28T10:00:00Z")]
    expires_at: String,
}

impl<'a> OnboardingLink<'a> {
    pub(crate) fn of(made: &'a Made) -> Self {
        Self { id: made.onboarding_link_id.to_string(), url: made.url.expose(), expires_at: time(made.expires_at) }
    }
}

/// How far a link is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OnboardingState {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000c0")]
    id: String,
    /// `consented`: what was granted rests until the person has confirmed, for 24 hours at most.
    #[schema(value_type = LinkState)]
    state: &'static str,
    /// Once `connected`.
    #[schema(required, format = "uuid", example = json!(null))]
    connection_id: Option<String>,
}

impl OnboardingState {
    pub(crate) fn new(id: OnboardingLinkId, state: LinkState, connection_id: Option<ConnectionId>) -> Self {
        let connection_id = connection_id.map(|id| id.to_string());
        Self { id: id.to_string(), state: state.key(), connection_id }
    }
}
