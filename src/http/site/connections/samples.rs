//! Samples of the page: typical, in trouble, empty, worst.

use super::*;
use crate::http::page::{Place, tests};

impl ConnectionsPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        vec![("typical", typical()), ("trouble", trouble()), ("empty", empty()), ("worst", worst())]
    }
}

fn typical() -> ConnectionsPage {
    let sandbox = Organization { environment: "sandbox", ..Organization::sample() };
    let working = Standing::Active(Health::Working);
    ConnectionsPage {
        shell: Shell::sample(Place::Connections),
        just_connected: Some(JustConnected {
            id: id(1),
            product: "assist",
            organization: Some(Organization::sample()),
            tenant: "Acme".into(),
            scopes: vec!["AaaServer.profile.READ".to_owned(), "ZohoAssist.userapi.READ".to_owned()],
        }),
        attention: Vec::new(),
        tenants: vec![TenantConnections {
            is_suspended: false,
            slug: "acme-3f9c1a".to_owned(),
            name: "Acme".into(),
            role: "owner",
            connections: vec![
                row(1, "assist", Some(Organization::sample()), working),
                row(2, "crm", Some(sandbox), working),
                row(3, "desk", Some(Organization::sample()), throttled()),
            ],
        }],
        connect: form(&["Acme"]),
        consoles: consoles(&["Acme"]),
    }
}

fn trouble() -> ConnectionsPage {
    let standings = [
        ("assist", Standing::NeedsReconnect(Reason::Revoked)),
        ("salesiq", Standing::Choosing),
        ("connect", Standing::Active(Health::Unavailable)),
        ("crm", Standing::Active(Health::Misconfigured)),
        ("desk", Standing::Active(Health::Unreadable)),
        ("books", Standing::Disconnected),
    ];
    let troubled = (1..).zip(standings).map(|(number, (product, standing))| {
        let organization = (!matches!(standing, Standing::Choosing)).then(Organization::sample);
        row(number, product, organization, standing)
    });
    let working = Standing::Active(Health::Working);
    ConnectionsPage {
        shell: Shell::sample(Place::Connections),
        just_connected: None,
        attention: attention(&Organization::sample()),
        tenants: vec![
            TenantConnections {
                is_suspended: false,
                slug: "acme-3f9c1a".to_owned(),
                name: "Acme".into(),
                role: "owner",
                connections: troubled.collect(),
            },
            TenantConnections {
                is_suspended: true,
                slug: "acme-3f9c1a".to_owned(),
                name: "Northwind Traders".into(),
                role: "member",
                connections: vec![row(9, "zia_agents", Some(Organization::nameless()), working)],
            },
        ],
        connect: ConnectForm { problem: Some(ConnectProblem::ScopesMalformed), ..form(&["Acme", "Northwind Traders"]) },
        consoles: Vec::new(),
    }
}

fn empty() -> ConnectionsPage {
    ConnectionsPage {
        shell: Shell::sample(Place::Connections),
        just_connected: None,
        attention: Vec::new(),
        tenants: Vec::new(),
        connect: ConnectForm { problem: Some(ConnectProblem::ProductMissing), ..form(&["Ann Lindqvist"]) },
        consoles: consoles(&["Ann Lindqvist"]),
    }
}

fn worst() -> ConnectionsPage {
    ConnectionsPage {
        shell: Shell::worst(Place::Connections),
        just_connected: Some(JustConnected {
            id: id(1),
            product: "zia_agents",
            organization: Some(Organization::worst()),
            tenant: tests::HOSTILE.into(),
            scopes: vec!["Zoho.x\"><b>.READ".to_owned()],
        }),
        attention: attention(&Organization::endless()),
        tenants: vec![TenantConnections {
            is_suspended: false,
            slug: "acme-3f9c1a".to_owned(),
            name: tests::ENDLESS.into(),
            role: "admin",
            connections: vec![
                row(1, "salesiq", Some(Organization::worst()), throttled()),
                row(2, "books", Some(Organization::endless()), Standing::Disconnected),
            ],
        }],
        connect: form(&[tests::ENDLESS, tests::HOSTILE]),
        consoles: consoles(&[tests::ENDLESS, tests::HOSTILE]),
    }
}

fn id(number: u32) -> String {
    format!("019aa3f2-7c1e-7d10-9b2f-{number:012}")
}

fn row(number: u32, product: &'static str, organization: Option<Organization>, standing: Standing) -> ConnectionRow {
    ConnectionRow {
        id: id(number),
        product,
        organization,
        data_centre: "eu",
        standing,
        connected_at: tests::moment(-86_400 * 3),
        last_refreshed_at: (number % 2 == 1).then(|| tests::moment(-720)),
    }
}

fn throttled() -> Standing {
    Standing::Active(Health::Throttled { until: Some(tests::moment(540)) })
}

fn form(tenants: &[&str]) -> ConnectForm {
    ConnectForm {
        tenants: (1..)
            .zip(tenants)
            .map(|(number, name)| TenantOption { value: id(number), name: (*name).into() })
            .collect(),
        products: vec!["assist", "salesiq", "connect", "zia_agents", "crm", "desk", "books"],
        problem: None,
    }
}

fn consoles(names: &[&str]) -> Vec<TenantConsole> {
    names
        .iter()
        .map(|name| TenantConsole { slug: "acme-3f9c1a".to_owned(), name: (*name).into(), is_suspended: false })
        .collect()
}

fn attention(organization: &Organization) -> Vec<Attention> {
    let reconnect =
        |reason, organization| Attention::NeedsReconnect { id: id(1), product: "assist", organization, reason };
    vec![
        reconnect(Reason::Revoked, Some(organization.clone())),
        reconnect(Reason::Evicted, None),
        Attention::Choosing { id: id(2), product: "salesiq" },
        Attention::ScopesMissing {
            id: id(4),
            product: "crm",
            organization: Some(organization.clone()),
            scopes: vec!["ZohoCRM.modules.READ".to_owned()],
        },
        Attention::NearLimit {
            data_centre: "in",
            tokens: RefreshTokens { used: 16, limit: 20, near_limit: true },
            at_stake: None,
        },
        Attention::NearLimit {
            data_centre: "eu",
            tokens: RefreshTokens { used: 20, limit: 20, near_limit: true },
            at_stake: Some(AtStake {
                product: "desk",
                organization: Some(organization.clone()),
                tenant: "Acme".into(),
            }),
        },
    ]
}
