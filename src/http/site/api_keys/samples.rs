//! Samples of the page: typical, just made, empty, wrongly filled in, worst.

use super::*;
use crate::http::page::tests;

impl KeyRow {
    pub(crate) fn sample(name: &str) -> Self {
        Self {
            id: "Zk3v9Qa1".to_owned(),
            name: name.into(),
            grants: vec!["connections:read".to_owned(), "tokens:read".to_owned()],
            creator: Some("Ann Lindqvist".into()),
            created_at: tests::moment(-86_400 * 12),
            last_used_at: Some(tests::moment(-40)),
            end: KeyEnd::Expires(tests::moment(86_400 * 78)),
        }
    }
}

fn page(tenant: &str, form: KeyForm) -> ApiKeysPage {
    ApiKeysPage {
        shell: Shell::console(tenant, Place::ApiKeys),
        slug: "acme-3f9c1a".to_owned(),
        tenant: tenant.into(),
        made: None,
        keys: Vec::new(),
        ended: Vec::new(),
        form,
        may_change: true,
    }
}

fn blank() -> KeyForm {
    KeyForm::of(&KeyRequest::default(), Vec::new())
}

impl ApiKeysPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let row = KeyRow::sample;
        let revoked = KeyRow { end: KeyEnd::Revoked(tests::moment(-3_600)), creator: None, ..row("Old laptop") };
        let expired = KeyRow { end: KeyEnd::Expired(tests::moment(-86_400)), last_used_at: None, ..row("Trial") };
        let typical = || ApiKeysPage {
            keys: vec![
                row("Nightly sync"),
                KeyRow { last_used_at: None, end: KeyEnd::Never, creator: None, ..row("ci") },
            ],
            ..page("Acme", blank())
        };
        let key = ApiKey::new(format!("lwz_Zk3v9Qa1_{}", "sample".repeat(8).split_at(43).0));
        let made = Made::Key { name: "Nightly sync".into(), key, api: "https://login.acme.example/api/v1".to_owned() };
        let wrong = KeyForm::of(&KeyRequest::default(), vec![KeyProblem::NameMissing, KeyProblem::GrantsMissing]);
        let filled =
            KeyRequest { name: tests::HOSTILE.to_owned(), grants: Grant::ALL.to_vec(), ..KeyRequest::default() };
        let every_grant = Grant::ALL.into_iter().map(|grant| grant.key().to_owned()).collect();
        let worst = KeyRow { grants: every_grant, creator: Some(tests::HOSTILE.into()), ..row(tests::ENDLESS) };
        vec![
            ("typical", ApiKeysPage { ended: vec![revoked, expired], ..typical() }),
            ("made", ApiKeysPage { made: Some(made), ..typical() }),
            ("made-before", ApiKeysPage { made: Some(Made::Before), ..typical() }),
            ("stale", ApiKeysPage { may_change: false, ..typical() }),
            ("empty", page("Acme", blank())),
            ("wrong", page("Acme", wrong)),
            (
                "worst",
                ApiKeysPage {
                    shell: Shell { console: Some(tests_console()), ..Shell::worst(Place::ApiKeys) },
                    keys: vec![row(tests::HOSTILE), worst],
                    ..page(tests::ENDLESS, KeyForm::of(&filled, vec![KeyProblem::GrantsMissing]))
                },
            ),
        ]
    }
}

fn tests_console() -> page::TenantConsole {
    page::TenantConsole { slug: "acme-3f9c1a".to_owned(), name: tests::HOSTILE.into(), is_suspended: true }
}
