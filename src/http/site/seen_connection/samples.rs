//! A connection as samples of pages show it: well, in trouble, ended, and the worst.

use super::*;
use crate::{
    domain::test_outcome::TestOutcome,
    http::{
        page::tests,
        site::{
            connection::{Event, Revocation},
            parts::{Health, Reason},
        },
    },
};

impl SeenConnection {
    pub(crate) fn sample(standing: Standing) -> Self {
        let now = tests::now();
        let line = |scope: &str, standing| ScopeLine { scope: scope.to_owned(), standing };
        Self {
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            product: "desk",
            organization: Some(Organization::sample()),
            data_centre: "eu",
            person: Some(SomebodyAtZoho {
                name: "Bea Novák".into(),
                email: "bea@example.com".into(),
                zuid: "795000001".to_owned(),
            }),
            standing,
            scopes: vec![
                line("Desk.basic.READ", ScopeStanding::Granted),
                line("Desk.tickets.READ", ScopeStanding::Granted),
            ],
            connected_at: tests::moment(-86_400 * 9),
            last_refreshed_at: Some(tests::moment(-1_200)),
            last_used_at: Some(tests::moment(-20)),
            token: Some(TokenLife { expires_at: tests::moment(2_400), lifetime: 3600 }),
            refresh_tokens: Some(RefreshTokens { used: 3, limit: 20, near_limit: false }),
            receipt: None,
            tested: None,
            history: vec![
                HistoryEntry { at: tests::moment(-1_200), event: Event::Refreshed { times: 30 }, by: None },
                HistoryEntry { at: tests::moment(-86_400 * 9), event: Event::Connected, by: None },
            ],
            keys: vec![
                KeyUse {
                    id: "Zk3v9Qa1".to_owned(),
                    name: Some("Nightly sync".into()),
                    vends: 4_211,
                    calls: 12,
                    last_at: tests::moment(-20),
                },
                KeyUse { id: "Op3v9Qa1".to_owned(), name: None, vends: 1, calls: 0, last_at: tests::moment(-9_000) },
            ],
            uses: Plot::of(&[0, 0, 0, 0, 0, 12, 40, 38, 41, 0, 2, 300, 310, 120], now),
            refreshes: Plot::of(&[0, 0, 0, 0, 0, 1, 24, 24, 24, 1, 3, 24, 24, 10], now),
            failures: Plot::of(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], now),
            since: Some(tests::moment(-86_400 * 9)),
            failure: Some(Failure { class: "throttled".to_owned(), at: tests::moment(-86_400 * 2) }),
        }
    }

    pub(crate) fn unused() -> Self {
        let none = || Plot::of(&[0; 14], tests::now());
        Self {
            keys: Vec::new(),
            uses: none(),
            refreshes: none(),
            failures: none(),
            last_used_at: None,
            last_refreshed_at: None,
            history: Vec::new(),
            since: None,
            failure: None,
            person: None,
            refresh_tokens: None,
            scopes: Vec::new(),
            ..Self::sample(Standing::Active(Health::Working))
        }
    }

    pub(crate) fn limited() -> Self {
        Self::sample(Standing::Active(Health::Throttled { until: Some(tests::moment(540)) }))
    }

    pub(crate) fn missing() -> Self {
        Self {
            scopes: vec![ScopeLine { scope: "Desk.tickets.READ".to_owned(), standing: ScopeStanding::Missing }],
            refresh_tokens: Some(RefreshTokens { used: 18, limit: 20, near_limit: true }),
            tested: Some(TestOutcome::ScopeMissing.into()),
            ..Self::sample(Standing::Active(Health::Working))
        }
    }

    pub(crate) fn ended() -> Self {
        Self {
            token: None,
            receipt: Some(Receipt {
                disconnected_at: tests::moment(-600),
                revocation: Revocation::Yes { at: tests::moment(-598) },
            }),
            ..Self::sample(Standing::Disconnected)
        }
    }

    pub(crate) fn choosing() -> Self {
        Self { organization: None, ..Self::sample(Standing::Choosing) }
    }

    pub(crate) fn worst() -> Self {
        Self {
            organization: Some(Organization::worst()),
            person: Some(SomebodyAtZoho {
                name: tests::HOSTILE.into(),
                email: tests::ENDLESS.into(),
                zuid: "9223372036854775807".to_owned(),
            }),
            keys: vec![KeyUse {
                id: "Zk3v9Qa1".to_owned(),
                name: Some(tests::HOSTILE.into()),
                vends: i64::MAX,
                calls: i64::MAX,
                last_at: tests::moment(-20),
            }],
            ..Self::sample(Standing::NeedsReconnect(Reason::Evicted))
        }
    }
}
