//! Samples of the page: well, in each trouble, ended, and the worst.

use super::*;
use crate::{domain::secret::OnboardingToken, http::page::tests};

impl TenantConnectionPage {
    fn sample(seen: SeenConnection) -> Self {
        Self {
            shell: Shell::console("Acme", Place::TenantConnections),
            slug: "acme-3f9c1a".to_owned(),
            tenant: "Acme".into(),
            seen,
            offer: None,
            made: None,
        }
    }

    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let active = |health| Self::sample(SeenConnection::sample(Standing::Active(health)));
        let offer = || Some(Offer { nonce: "sample".to_owned(), email: "bea@example.com".into() });
        let url = OnboardingToken::new(format!("https://login.acme.example/onboarding/{}", "s".repeat(43)));
        let made = Made::Link { url, expires_at: tests::moment(86_400 * 7) };
        let revoked = || Self {
            offer: offer(),
            ..Self::sample(SeenConnection::sample(Standing::NeedsReconnect(Reason::Revoked)))
        };
        let worst = Self {
            shell: Shell::console(tests::ENDLESS, Place::TenantConnections),
            tenant: tests::ENDLESS.into(),
            ..Self::sample(SeenConnection::worst())
        };
        vec![
            ("typical", active(Health::Working)),
            ("unused", Self::sample(SeenConnection::unused())),
            ("limited", Self::sample(SeenConnection::limited())),
            ("unavailable", active(Health::Unavailable)),
            ("misconfigured", active(Health::Misconfigured)),
            ("locked", active(Health::Unreadable)),
            ("missing", Self { offer: offer(), ..Self::sample(SeenConnection::missing()) }),
            ("choosing", Self::sample(SeenConnection::choosing())),
            ("revoked", revoked()),
            ("asked", Self { made: Some(made), ..revoked() }),
            ("asked-before", Self { made: Some(Made::Before), ..revoked() }),
            ("ended", Self::sample(SeenConnection::ended())),
            ("worst", worst),
        ]
    }
}
