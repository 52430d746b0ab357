//! The audit as it may look.

use super::{
    AboutConnection, AuditPage, AuditRow, Who,
    asked::{Asked, Whom},
};
use crate::{
    domain::audit::ACTIONS,
    http::page::{Label, Place, Shell, tests},
};

const PATH: &str = "/tenants/acme-3f9c1a/audit";

fn who(kind: &str, name: Option<&str>) -> Who {
    Who {
        kind: kind.to_owned(),
        name: name.map(Label::new),
        email: (kind == "person").then(|| "ann@example.com".into()),
        id: Some("019aa3f2-7c1e-7d10-9b2f-000000000007".to_owned()),
        only: Some(format!("{PATH}?actor=019aa3f2-7c1e-7d10-9b2f-000000000007")),
    }
}

fn row(who: Who, action: &str, outcome: &str) -> AuditRow {
    AuditRow {
        at: tests::moment(-7_300),
        who,
        action: action.to_owned(),
        is_done: outcome == "done",
        outcome: outcome.to_owned(),
        connection: None,
        peer: Some("203.0.113.7".to_owned()),
        request_id: Some("019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41".to_owned()),
        detail: None,
    }
}

fn connection(organization: Option<&str>) -> AboutConnection {
    AboutConnection {
        id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
        product: Some("crm"),
        organization: organization.map(Label::new),
    }
}

impl AuditPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let nobody = Whom { members: Vec::new(), keys: Vec::new() };
        let page = |tenant: &str, asked: &Asked, rows| Self {
            shell: Shell::console(tenant, Place::Audit),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            controls: asked.controls(PATH, &nobody),
            rows,
            next: None,
            looked_back_to: None,
        };
        let looking = |rows| Self {
            next: Some(format!("{PATH}?cursor=abc")),
            looked_back_to: Some(tests::moment(-86_400)),
            ..page("Acme", &Asked::worst(), rows)
        };
        let own = AuditRow { peer: None, request_id: None, ..row(who("engine", None), "refreshed", "done") };
        let typical = vec![
            AuditRow {
                connection: Some(connection(Some("Zylker"))),
                ..row(who("api_key", Some("Nightly export")), "token_refused", "refused")
            },
            AuditRow {
                detail: Some("019aa3f2-7c1e-7d10-9b2f-000000000008 member admin".to_owned()),
                ..row(who("person", Some("Ann Lindqvist")), "role_changed", "done")
            },
            AuditRow { connection: Some(connection(None)), ..own },
            row(who("visitor", None), "callback_refused", "refused"),
            row(who("operator", Some("Olga")), "api_key_revoked", "done"),
            row(who("command", None), "keys_rewrapped", "partly"),
            AuditRow {
                connection: Some(AboutConnection { product: None, ..connection(Some("Zylker")) }),
                ..row(who("api_key", None), "connected", "choosing")
            },
            row(who("person", None), "something_new", "done"),
        ];
        let every = ACTIONS.iter().flat_map(|(_, actions)| actions.iter());
        let every = every.map(|action| row(who("person", Some("Ann Lindqvist")), action, "done")).collect();
        let worst = AuditRow {
            connection: Some(connection(Some(tests::HOSTILE))),
            detail: Some("a-detail-that-never-ends-".repeat(8)),
            ..row(who("person", Some(tests::ENDLESS)), "webhook_endpoint_disabled", "organization-mismatch")
        };
        vec![
            ("typical", Self { next: Some(format!("{PATH}?cursor=abc")), ..page("Acme", &Asked::default(), typical) }),
            ("every-worst", page("Acme", &Asked::default(), every)),
            ("empty", page("Acme", &Asked::default(), Vec::new())),
            ("looking", looking(vec![row(who("person", Some("Ann Lindqvist")), "role_changed", "done")])),
            ("nothing-so-far", looking(Vec::new())),
            ("nothing-found", page("Acme", &Asked::worst(), Vec::new())),
            ("worst", page(tests::ENDLESS, &Asked::worst(), vec![worst])),
        ]
    }
}
