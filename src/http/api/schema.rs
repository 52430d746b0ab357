//! What the API says, as types: serialized into answers, and described in the OpenAPI document. Their doc
//! comments are its words.
//!
//! Members are only ever added. A secret is borrowed for the moment in which it is sent.

mod access_token;
mod audit;
mod estate;
mod import;
mod onboarding;
mod webhooks;
mod words;

pub(crate) use access_token::AccessToken;
pub(crate) use audit::{AuditEvent, AuditEventList};
pub(crate) use estate::{ListedOrganization, ListedTenant, NewTenant, OrganizationList, TenantList};
pub(crate) use import::{Disconnected, Import};
pub(crate) use onboarding::{NewOnboardingLink, OnboardingLink, OnboardingState};
pub(crate) use webhooks::{
    ChangedWebhookEndpoint, NewWebhookEndpoint, WebhookDelivery, WebhookDeliveryList, WebhookEndpoint,
    WebhookEndpointList, WebhookTest,
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        connection::{Health, ReconnectReason, Status},
        data_centre::DataCentre,
        organization::Environment,
        product::Product,
    },
    http::problem::MemberError,
    store::connection::{ConnectedOrganization, listed::ListedConnection},
};

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ConnectionList {
    pub(crate) connections: Vec<Connection>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required, example = json!(null))]
    pub(crate) next: Option<String>,
}

/// A person's consent for one product and one Zoho organization, kept for a tenant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Connection {
    /// Stays the same when the person connects or reconnects the same organization and product.
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-000000000001")]
    pub(crate) id: String,
    pub(crate) tenant: Tenant,
    /// Null for an imported token that does not say whose it is.
    #[schema(required)]
    pub(crate) person: Option<Person>,
    /// Null while `choosing`.
    #[schema(required)]
    pub(crate) organization: Option<Organization>,
    #[schema(value_type = Product)]
    pub(crate) product: &'static str,
    #[schema(value_type = DataCentre)]
    pub(crate) data_centre: &'static str,
    #[schema(value_type = Status)]
    pub(crate) status: &'static str,
    /// With `needs_reconnect`: why.
    #[schema(required, value_type = Option<ReconnectReason>, example = json!(null))]
    pub(crate) status_reason: Option<&'static str>,
    #[schema(example = json!(["AaaServer.profile.READ", "ZohoAssist.userapi.READ"]))]
    pub(crate) scopes_requested: Vec<String>,
    #[schema(example = json!(["AaaServer.profile.READ", "ZohoAssist.userapi.READ"]))]
    pub(crate) scopes_granted: Vec<String>,
    #[schema(format = DateTime, example = "2026-11-21T09:00:00Z")]
    pub(crate) connected_at: String,
    #[schema(required, format = DateTime, example = "2026-11-21T09:55:12Z")]
    pub(crate) last_refreshed_at: Option<String>,
    /// When a back end last got a token of it.
    #[schema(required, format = DateTime, example = "2026-11-21T09:58:40Z")]
    pub(crate) last_used_at: Option<String>,
    #[schema(value_type = Health)]
    pub(crate) health: &'static str,
}

/// A customer of yours.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Tenant {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000a0")]
    pub(crate) id: String,
    /// Your own id of it.
    #[schema(required, example = "acme")]
    pub(crate) external_id: Option<String>,
    #[schema(example = "Acme")]
    pub(crate) name: String,
}

/// A Zoho user. Identity is the data centre with the ZUID; the rest is for display.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Person {
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-0000000000b0")]
    pub(crate) id: String,
    #[schema(example = "795000000")]
    pub(crate) zuid: String,
    #[schema(example = "Ann")]
    pub(crate) display_name: String,
    #[schema(example = "ann@example.com")]
    pub(crate) email: String,
}

/// A Zoho organization, portal or network: whatever the product calls the place where its data lives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Organization {
    /// Zoho's id, as text: up to 19 digits, or a name.
    #[schema(example = "77000000")]
    pub(crate) id: String,
    #[schema(example = "Zylker")]
    pub(crate) name: String,
    #[schema(value_type = Environment)]
    pub(crate) environment: &'static str,
}

/// Why a call was refused (RFC 9457).
///
/// `type` is a path of this installation, and a page there with cause and cure. Callers decide by `type`, not
/// by the words.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "written member by member in document.rs; this is its description")]
pub(crate) struct Problem {
    #[schema(value_type = words::ProblemPath)]
    r#type: &'static str,
    #[schema(example = "The request cannot be understood")]
    title: String,
    #[schema(example = 400)]
    status: u16,
    #[schema(example = "Something in the request is missing, unknown or malformed.")]
    detail: Option<String>,
    /// To quote when asking for help.
    #[schema(format = "uuid", example = "019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41")]
    request_id: String,
    /// With `invalid-request`: every mistake.
    errors: Option<Vec<MemberError>>,
    /// With `needs-reconnect`: where the person gives consent again.
    #[schema(example = "https://login.example.com/connections/019aa3f2-7c1e-7d10-9b2f-000000000001")]
    reconnect_url: Option<String>,
    /// With `needs-reconnect`: why.
    reason: Option<ReconnectReason>,
    /// With `ambiguous`: the connections that fit.
    candidates: Option<Vec<Connection>>,
}

impl From<ListedConnection> for Connection {
    fn from(connection: ListedConnection) -> Self {
        let reason = match connection.status {
            Status::NeedsReconnect(reason) => Some(reason.key()),
            Status::Choosing | Status::Active | Status::Disconnected => None,
        };
        Self {
            id: connection.connection_id.to_string(),
            tenant: Tenant {
                id: connection.tenant_id.to_string(),
                external_id: connection.tenant_external_id,
                name: connection.tenant_name,
            },
            person: connection.person.map(|person| Person {
                id: person.person_id.to_string(),
                zuid: person.zuid,
                display_name: person.display_name,
                email: person.email,
            }),
            organization: connection.organization.map(Organization::from),
            product: connection.product.key(),
            data_centre: connection.data_centre.key(),
            status: connection.status.key(),
            status_reason: reason,
            scopes_requested: connection.scopes_requested,
            scopes_granted: connection.scopes_granted,
            connected_at: time(connection.connected_at),
            last_refreshed_at: connection.last_refreshed_at.map(time),
            last_used_at: connection.last_used_at.map(time),
            health: connection.health.key(),
        }
    }
}

impl From<ConnectedOrganization> for Organization {
    fn from(organization: ConnectedOrganization) -> Self {
        Self { id: organization.zoho_id.into(), name: organization.name, environment: organization.environment.key() }
    }
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
