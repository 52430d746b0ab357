//! Samples of the page: typical, just made, empty, wrongly filled in, worst.

use super::*;
use crate::http::page::tests;

impl LinkRow {
    pub(crate) fn sample(state: LinkState) -> Self {
        Self {
            id: "019aa3f2-7c1e-7d10-9b2f-000000000009".to_owned(),
            product: "crm",
            inviter: Some("Ann Lindqvist".into()),
            person: (state == LinkState::Connected).then(|| "Bea Okafor".into()),
            email_domain: Some("example.com".to_owned()),
            organization: None,
            state,
            refusal: (state == LinkState::Refused).then_some(Refusal::EmailDomain),
            created_at: tests::moment(-86_400),
            ends_at: tests::moment(if state.is_open() { 86_400 * 6 } else { -3_600 }),
            reconnects: (state == LinkState::Started).then(|| "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned()),
        }
    }
}

pub(in crate::http::site) fn form(problems: Vec<LinkProblem>) -> LinkForm {
    LinkForm {
        action: "/tenants/acme-3f9c1a/onboarding-links".to_owned(),
        nonce: "sample".to_owned(),
        products: Product::ALL.into_iter().map(|known| (known.key(), known.key() == "crm")).collect(),
        scopes: String::new(),
        email_domain: String::new(),
        organization: String::new(),
        return_url: String::new(),
        origins: vec!["https://app.example.com".to_owned()],
        lives: Life::ALL.into_iter().map(|life| (life, life == Life::Week)).collect(),
        problems,
    }
}

fn page(tenant: &str, links: Vec<LinkRow>, form: LinkForm) -> OnboardingLinksPage {
    OnboardingLinksPage {
        shell: Shell::console(tenant, Place::OnboardingLinks),
        slug: "acme-3f9c1a".to_owned(),
        tenant: tenant.into(),
        made: None,
        controls: Controls::sample(None),
        links,
        next: None,
        form,
    }
}

impl OnboardingLinksPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let rows = || LinkState::KEYS.map(|(state, _)| LinkRow::sample(state)).into_iter().collect::<Vec<_>>();
        let url = OnboardingToken::new(format!("https://login.acme.example/onboarding/{}", "s".repeat(43)));
        let made = Made::Link { url, expires_at: tests::moment(86_400 * 7) };
        let all = vec![
            LinkProblem::ProductMissing,
            LinkProblem::ScopesMalformed,
            LinkProblem::DomainMalformed,
            LinkProblem::OrganizationMalformed,
            LinkProblem::ReturnUrlElsewhere,
        ];
        let hostile = LinkForm {
            email_domain: tests::HOSTILE.to_owned(),
            scopes: tests::HOSTILE.to_owned(),
            return_url: tests::HOSTILE.to_owned(),
            organization: tests::HOSTILE.to_owned(),
            ..form(all)
        };
        let worst = LinkRow {
            inviter: Some(tests::HOSTILE.into()),
            person: Some(tests::ENDLESS.into()),
            organization: Some("9290000000150010007".to_owned()),
            ..LinkRow::sample(LinkState::Connected)
        };
        let no_origins = LinkForm { origins: Vec::new(), ..form(Vec::new()) };
        vec![
            ("typical", page("Acme", rows(), form(Vec::new()))),
            ("made", OnboardingLinksPage { made: Some(made), ..page("Acme", rows(), form(Vec::new())) }),
            ("made-before", OnboardingLinksPage { made: Some(Made::Before), ..page("Acme", rows(), no_origins) }),
            ("empty", page("Acme", Vec::new(), form(Vec::new()))),
            (
                "long",
                OnboardingLinksPage {
                    controls: Controls { first: Some("/".to_owned()), ..Controls::sample(Some(LinkState::Expired)) },
                    next: Some("/tenants/acme-3f9c1a/onboarding-links?state=expired&cursor=abc".to_owned()),
                    ..page("Acme", vec![LinkRow::sample(LinkState::Expired)], form(Vec::new()))
                },
            ),
            (
                "nothing-fits",
                OnboardingLinksPage {
                    controls: Controls::sample(Some(LinkState::Refused)),
                    ..page("Acme", Vec::new(), form(Vec::new()))
                },
            ),
            ("worst", page(tests::ENDLESS, vec![worst], hostile)),
        ]
    }
}
