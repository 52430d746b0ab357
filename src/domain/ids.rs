//! The ids of our own rows: UUID version 7, one type per table.

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type, serde::Serialize)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            /// Only the hyphenated lower-case form, so that a row has one address.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let id = uuid::Uuid::parse_str(text)?;
                if id.to_string() == text { Ok(Self(id)) } else { uuid::Uuid::parse_str("").map(Self) }
            }
        }
    )+};
}

id! {
    PersonId,
    TenantId,
    OrganizationId,
    ConnectionId,
    RevocationId,
    /// A client of Zoho's that is not ours.
    ZohoClientId,
    AuditEventId,
    OnboardingLinkId,
    WebhookEndpointId,
    WebhookDeliveryId,
    /// `webhook-id` of Standard Webhooks.
    WebhookEventId,
    /// One HTTP request, as logs and failure pages quote it.
    RequestId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_spelling() {
        let id = ConnectionId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<ConnectionId>().is_err());
        assert!(uuid::Uuid::from(id).simple().to_string().parse::<ConnectionId>().is_err());
    }
}
