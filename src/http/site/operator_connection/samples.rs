//! Samples of the page: well, in each trouble, ended, and the worst.

use super::*;
use crate::http::page::tests;

impl OperatorConnectionPage {
    fn sample(seen: SeenConnection) -> Self {
        Self {
            shell: Shell::operator(Place::OperatorConnections),
            slug: "acme-3f9c1a".to_owned(),
            tenant: "Acme".into(),
            tenant_standing: "active",
            seen,
            client_id: "1000.W0NDERFULCLIENT0F0URSAMPLES".to_owned(),
            renewal: Renewal {
                has_own_client: false,
                failures: 0,
                not_before: None,
                due_at: Some(tests::moment(2_100)),
                dead_since: None,
                is_under_way: false,
                calls: 1,
                budget: 10,
            },
        }
    }

    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let active = |health| Self::sample(SeenConnection::sample(Standing::Active(health)));
        let suspected = Renewal {
            failures: 7,
            not_before: Some(tests::moment(80)),
            due_at: Some(tests::moment(-4)),
            dead_since: Some(tests::moment(-20)),
            is_under_way: true,
            calls: 9,
            ..active(Health::Working).renewal
        };
        let own = Renewal { has_own_client: true, due_at: None, ..active(Health::Working).renewal };
        let worst = Self {
            tenant: tests::HOSTILE.into(),
            client_id: "1000.".to_owned() + &"W0NDERFUL".repeat(28),
            ..Self::sample(SeenConnection::worst())
        };
        let revoked = SeenConnection::sample(Standing::NeedsReconnect(Reason::Revoked));
        vec![
            ("typical", active(Health::Working)),
            ("unused", Self { renewal: own, ..Self::sample(SeenConnection::unused()) }),
            ("limited", Self::sample(SeenConnection::limited())),
            ("unavailable", Self { renewal: suspected, ..active(Health::Unavailable) }),
            ("misconfigured", active(Health::Misconfigured)),
            ("locked", active(Health::Unreadable)),
            ("missing", Self::sample(SeenConnection::missing())),
            ("choosing", Self::sample(SeenConnection::choosing())),
            ("revoked", Self { tenant_standing: "suspended", ..Self::sample(revoked) }),
            ("ended", Self::sample(SeenConnection::ended())),
            ("worst", worst),
        ]
    }
}
