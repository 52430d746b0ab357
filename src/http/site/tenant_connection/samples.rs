//! Samples of the page: well, in each trouble, ended, and the worst.

use super::*;
use crate::{domain::secret::OnboardingToken, http::page::tests};

impl TenantConnectionPage {
    fn sample(standing: Standing) -> Self {
        let now = tests::now();
        let line = |scope: &str, standing| ScopeLine { scope: scope.to_owned(), standing };
        Self {
            shell: Shell::console("Acme", Place::TenantConnections),
            slug: "acme-3f9c1a".to_owned(),
            tenant: "Acme".into(),
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
            offer: None,
            made: None,
        }
    }

    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let active = Self::sample(Standing::Active(Health::Working));
        let none = || Plot::of(&[0; 14], tests::now());
        let limited = Standing::Active(Health::Throttled { until: Some(tests::moment(540)) });
        let unused = Self {
            keys: Vec::new(),
            uses: none(),
            refreshes: none(),
            failures: none(),
            last_used_at: None,
            last_refreshed_at: None,
            history: Vec::new(),
            person: None,
            refresh_tokens: None,
            scopes: Vec::new(),
            ..Self::sample(Standing::Active(Health::Working))
        };
        let missing = Self {
            offer: Some(Offer { nonce: "sample".to_owned(), email: "bea@example.com".into() }),
            scopes: vec![ScopeLine { scope: "Desk.tickets.READ".to_owned(), standing: ScopeStanding::Missing }],
            refresh_tokens: Some(RefreshTokens { used: 18, limit: 20, near_limit: true }),
            tested: Some(TestOutcome::ScopeMissing.into()),
            ..Self::sample(Standing::Active(Health::Working))
        };
        let ended = Self {
            token: None,
            receipt: Some(Receipt {
                disconnected_at: tests::moment(-600),
                revocation: Revocation::Yes { at: tests::moment(-598) },
            }),
            ..Self::sample(Standing::Disconnected)
        };
        let choosing = Self { organization: None, ..Self::sample(Standing::Choosing) };
        let offer = || Some(Offer { nonce: "sample".to_owned(), email: "bea@example.com".into() });
        let url = OnboardingToken::new(format!("https://login.acme.example/onboarding/{}", "s".repeat(43)));
        let made = Made::Link { url, expires_at: tests::moment(86_400 * 7) };
        let revoked = || Self { offer: offer(), ..Self::sample(Standing::NeedsReconnect(Reason::Revoked)) };
        let worst = Self {
            shell: Shell::console(tests::ENDLESS, Place::TenantConnections),
            tenant: tests::ENDLESS.into(),
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
        };
        vec![
            ("typical", active),
            ("unused", unused),
            ("limited", Self::sample(limited)),
            ("unavailable", Self::sample(Standing::Active(Health::Unavailable))),
            ("misconfigured", Self::sample(Standing::Active(Health::Misconfigured))),
            ("locked", Self::sample(Standing::Active(Health::Unreadable))),
            ("missing", missing),
            ("choosing", choosing),
            ("revoked", revoked()),
            ("asked", Self { made: Some(made), ..revoked() }),
            ("asked-before", Self { made: Some(Made::Before), ..revoked() }),
            ("ended", ended),
            ("worst", worst),
        ]
    }
}
