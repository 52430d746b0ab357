//! Samples of the pages that an invited person sees.

use super::*;
use crate::http::page::{Place, tests};

fn page(shell: Shell, tenant: &str, turn: Turn) -> OnboardingPage {
    OnboardingPage {
        shell,
        path: "/onboarding/sample-token".to_owned(),
        tenant: tenant.into(),
        inviter: Some("Ann Lindqvist".into()),
        product: "crm",
        reconnects: None,
        scopes: vec!["AaaServer.profile.READ".to_owned(), "ZohoCRM.modules.READ".to_owned()],
        expected_email_domain: None,
        expires_at: tests::moment(86_400 * 6),
        china: false,
        at_stake: None,
        limit: 20,
        turn,
    }
}

impl OnboardingPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::site::parts::Organization;

        let signed_in = || Shell::sample(Place::Elsewhere);
        let stake = AtStake { product: "desk", organization: Some(Organization::sample()), tenant: "Acme".into() };
        let domain = Some("example.com".to_owned());
        vec![
            ("typical", page(Shell::anonymous(), "Acme", Turn::First)),
            ("again", Self { china: true, ..page(signed_in(), "Acme", Turn::Again) }),
            ("elsewhere", page(Shell::anonymous(), "Acme", Turn::Elsewhere)),
            (
                "reconnect",
                Self {
                    reconnects: Some(ReconnectedHere {
                        organization: "Zylker".into(),
                        email: "bea@example.com".into(),
                    }),
                    ..page(Shell::anonymous(), "Acme", Turn::First)
                },
            ),
            (
                "program",
                Self { inviter: None, expected_email_domain: domain, ..page(signed_in(), "Acme", Turn::First) },
            ),
            (
                "worst",
                Self {
                    inviter: Some(tests::HOSTILE.into()),
                    at_stake: Some(stake),
                    china: true,
                    ..page(Shell::worst(Place::Elsewhere), tests::ENDLESS, Turn::First)
                },
            ),
        ]
    }
}

fn option(id: &str, name: &str) -> OrganizationOption {
    OrganizationOption { id: id.to_owned(), name: Some(name.into()), environment: None, is_connected: false }
}

fn confirm_page(shell: Shell, only: Option<OrganizationOption>, choice: Choice) -> ConfirmPage {
    ConfirmPage {
        shell,
        path: "/onboarding/019aa3f2-7c1e-7d10-9b2f-000000000009".to_owned(),
        tenant: "Acme".into(),
        product: "crm",
        name: "Bea Okafor".into(),
        email: "bea@example.com".into(),
        data_centre: "eu",
        only,
        choice,
        confirm_by: tests::moment(86_300),
        problems: Vec::new(),
    }
}

impl ConfirmPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let nothing = || Choice::Listed { organizations: Vec::new(), asks_environment: false };
        let listed =
            |options: Vec<OrganizationOption>| Choice::Listed { organizations: options, asks_environment: true };
        let three = vec![option("77000000", "Zylker"), option("77000001", "Zillum"), option("25906346", "Zillum")];
        let typed = vec![ChoiceProblem::OrganizationMalformed, ChoiceProblem::NameTooLong];
        let worst = listed(vec![option("9290000000150010007", tests::HOSTILE), option("9", tests::ENDLESS)]);
        vec![
            ("only", confirm_page(Shell::anonymous(), Some(option("77000000", "Zylker")), nothing())),
            ("listed", confirm_page(Shell::sample(Place::Elsewhere), None, listed(three))),
            ("typed", confirm_page(Shell::anonymous(), None, Choice::Typed)),
            ("typed-refused", Self { problems: typed, ..confirm_page(Shell::anonymous(), None, Choice::Typed) }),
            (
                "worst",
                Self {
                    name: tests::HOSTILE.into(),
                    email: tests::ENDLESS.into(),
                    tenant: tests::HOSTILE.into(),
                    problems: vec![ChoiceProblem::OrganizationUnknown],
                    ..confirm_page(Shell::worst(Place::Elsewhere), None, worst)
                },
            ),
        ]
    }
}

impl EndedPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let page = |tenant: &str, end| Self { shell: Shell::anonymous(), tenant: tenant.into(), end };
        vec![
            ("used", page("Acme", Ended::Used)),
            ("expired", page("Acme", Ended::Expired)),
            ("withdrawn", page("Acme", Ended::Withdrawn)),
            ("suspended", page("Acme", Ended::Suspended)),
            ("refused", page("Acme", Ended::Refused)),
            ("wrong-domain", page("Acme", Ended::WrongDomain("example.com".to_owned()))),
            ("wrong-organization", page(tests::HOSTILE, Ended::WrongOrganization("77000000".to_owned()))),
        ]
    }
}
