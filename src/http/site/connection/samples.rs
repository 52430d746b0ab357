//! Samples of the page, one for each standing, and the worst.

use super::*;
use crate::http::page::{Place, tests};

impl ConnectionPage {
    fn sample(standing: Standing) -> Self {
        Self {
            shell: Shell::sample(Place::Connections),
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            product: "assist",
            organization: Some(Organization::sample()),
            data_centre: "eu",
            tenant: "Acme".into(),
            person: SomebodyAtZoho {
                name: "Ann Lindqvist".into(),
                email: "ann@example.com".into(),
                zuid: "795000000".to_owned(),
            },
            standing,
            scopes: scopes(&[
                ("AaaServer.profile.READ", ScopeStanding::Granted),
                ("ZohoAssist.userapi.READ", ScopeStanding::Granted),
            ]),
            connected_at: tests::moment(-86_400 * 3),
            last_refreshed_at: Some(tests::moment(-720)),
            last_used_at: Some(tests::moment(-40)),
            token: Some(TokenLife { expires_at: tests::moment(2_880), lifetime: 3_600 }),
            refresh_tokens: RefreshTokens { used: 3, limit: 20, near_limit: false },
            at_stake: None,
            receipt: None,
            tested: None,
            history: history(&[
                (-720, Event::Refreshed { times: 71 }, false),
                (-86_400 * 3 + 40, Event::OrganizationChosen, true),
                (-86_400 * 3, Event::Connected, true),
            ]),
        }
    }

    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let working = Standing::Active(Health::Working);
        let active = Self { ..Self::sample(working) };
        let needs_reconnect = Self {
            token: None,
            at_stake: Some(AtStake {
                product: "desk",
                organization: Some(Organization::sample()),
                tenant: "Acme".into(),
            }),
            refresh_tokens: RefreshTokens { used: 20, limit: 20, near_limit: true },
            ..Self::sample(Standing::NeedsReconnect(Reason::Evicted))
        };
        let revoked = Self { product: "crm", token: None, ..Self::sample(Standing::NeedsReconnect(Reason::Revoked)) };
        let disconnected = |revocation| Self {
            token: None,
            receipt: Some(Receipt { disconnected_at: tests::moment(-130), revocation }),
            ..Self::sample(Standing::Disconnected)
        };
        let fresh = Self {
            last_refreshed_at: None,
            last_used_at: None,
            token: None,
            history: Vec::new(),
            scopes: Vec::new(),
            organization: Some(Organization::nameless()),
            product: "zia_agents",
            ..Self::sample(Standing::Active(Health::Throttled { until: None }))
        };
        let worst = Self {
            shell: Shell::worst(Place::Connections),
            product: "salesiq",
            organization: Some(Organization::worst()),
            data_centre: "sa",
            tenant: tests::ENDLESS.into(),
            person: SomebodyAtZoho {
                name: tests::HOSTILE.into(),
                email: tests::ENDLESS.into(),
                zuid: "7950000001234567890".to_owned(),
            },
            scopes: scopes(&[
                ("AaaServer.profile.READ", ScopeStanding::Granted),
                ("SalesIQ.conversations.READ", ScopeStanding::Missing),
                ("ZohoSomething.averyveryverylongmodulename<b>.anotherone.ALL", ScopeStanding::Extra),
            ]),
            history: every_event(),
            ..Self::sample(Standing::Active(Health::Unreadable))
        };
        let mut samples: Vec<_> = TestOutcome::ALL
            .into_iter()
            .map(|outcome| {
                let last = [(-3, Event::Tested(outcome.into()), true), (-86_400, Event::Connected, true)];
                let tested = Self { tested: Some(outcome.into()), history: history(&last), ..Self::sample(working) };
                (tested_name(outcome), tested)
            })
            .collect();
        let throttled = Standing::Active(Health::Throttled { until: Some(tests::moment(540)) });
        let ended = Self {
            token: Some(TokenLife { expires_at: tests::moment(-7_200), lifetime: 3_600 }),
            ..Self::sample(working)
        };
        samples.extend([
            ("throttled", Self::sample(throttled)),
            ("unavailable", Self::sample(Standing::Active(Health::Unavailable))),
            ("misconfigured", Self::sample(Standing::Active(Health::Misconfigured))),
            ("idle", ended),
            ("active", active),
            ("evicted", needs_reconnect),
            ("revoked", revoked),
            ("disconnected", disconnected(Revocation::Yes { at: tests::moment(-128) })),
            ("disconnected-shared", disconnected(Revocation::Shared { at: tests::moment(-128) })),
            ("disconnected-already", disconnected(Revocation::Already { at: tests::moment(-128) })),
            ("disconnected-pending", disconnected(Revocation::Pending { next_try_at: Some(tests::moment(45)) })),
            ("fresh", fresh),
            ("worst", worst),
        ]);
        samples
    }
}

const fn tested_name(outcome: TestOutcome) -> &'static str {
    match outcome {
        TestOutcome::Works => "tested-works",
        TestOutcome::AnotherOrganization => "tested-another-organization",
        TestOutcome::ScopeMissing => "tested-scope-missing",
        TestOutcome::NotPermitted => "tested-not-permitted",
        TestOutcome::TokenRefused => "tested-token-refused",
        TestOutcome::NeedsReconnect => "tested-needs-reconnect",
        TestOutcome::Throttled => "tested-throttled",
        TestOutcome::Unreachable => "tested-unreachable",
        TestOutcome::Misbehaved => "tested-misbehaved",
        TestOutcome::Misconfigured => "tested-misconfigured",
        TestOutcome::Unreadable => "tested-unreadable",
        TestOutcome::NothingToTry => "tested-nothing-to-try",
    }
}

fn scopes(scopes: &[(&str, ScopeStanding)]) -> Vec<ScopeLine> {
    scopes.iter().map(|(scope, standing)| ScopeLine { scope: (*scope).to_owned(), standing: *standing }).collect()
}

fn history(events: &[(i64, Event, bool)]) -> Vec<HistoryEntry> {
    events
        .iter()
        .map(|(seconds, event, by_somebody)| HistoryEntry {
            at: tests::moment(*seconds),
            event: *event,
            by: by_somebody.then(|| "Ann Lindqvist".into()),
        })
        .collect()
}

fn every_event() -> Vec<HistoryEntry> {
    let events = [
        Event::AnotherOrganization,
        Event::Refreshed { times: 1 },
        Event::Recovered,
        Event::RefreshFailed(Health::Throttled { until: None }),
        Event::RefreshFailed(Health::Unavailable),
        Event::RefreshFailed(Health::Misconfigured),
        Event::RefreshFailed(Health::Unreadable),
        Event::NeedsReconnect(Reason::Revoked),
        Event::NeedsReconnect(Reason::Evicted),
        Event::AlreadyRevoked,
        Event::LeftAtZoho,
        Event::RevokedAtZoho,
        Event::Disconnected,
        Event::OrganizationChosen,
        Event::Reconnected,
        Event::Connected,
    ];
    let tested = TestOutcome::ALL.map(|outcome| Event::Tested(outcome.into()));
    (1..)
        .zip(events.into_iter().chain(tested))
        .map(|(hours, event)| HistoryEntry {
            at: tests::moment(-3_600 * hours),
            event,
            by: (hours % 2 == 0).then(|| tests::HOSTILE.into()),
        })
        .collect()
}
