//! Samples of the page: typical, just made, empty, wrongly filled in, worst.

use super::*;
use crate::{
    domain::{secret::FormToken, webhook::EventType},
    http::page::tests,
};

impl EndpointForm {
    /// Sent with something that cannot be.
    pub(crate) fn wrong(problem: EndpointProblem) -> Self {
        let events = if problem == EndpointProblem::EventsMissing { Vec::new() } else { EventType::WANTED.to_vec() };
        let request = EndpointRequest { csrf: FormToken::new(""), url: tests::HOSTILE.to_owned(), events };
        Self::of(&request, vec![problem])
    }
}

impl EndpointRow {
    const ID: &str = "019aa3f2-7c1e-7d10-9b2f-0000000000c0";

    pub(crate) fn sample(url: &str, state: EndpointState) -> Self {
        Self {
            id: Self::ID.to_owned(),
            url: url.into(),
            events: vec!["connection.connected".to_owned(), "connection.needs_reconnect".to_owned()],
            state,
            pending: Counted::of(3),
            dead: Counted::of(i64::from(state == EndpointState::Troubled)),
            created_at: tests::moment(-86_400 * 12),
            last_delivered_at: Some(tests::moment(-40)),
            previous_secret_until: None,
        }
    }
}

fn page(tenant: &str, endpoints: Vec<EndpointRow>) -> WebhooksPage {
    WebhooksPage {
        shell: Shell::console(tenant, Place::Webhooks),
        slug: "acme-3f9c1a".to_owned(),
        tenant: tenant.into(),
        made: None,
        endpoints,
        form: EndpointForm::blank(),
        new_id: EndpointRow::ID.to_owned(),
        may_change: true,
    }
}

impl WebhooksPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        const URL: &str = "https://hooks.acme.example/zoho";
        let typical = || {
            let states = [EndpointState::On, EndpointState::Troubled, EndpointState::Off, EndpointState::Gone];
            page("Acme", states.map(|state| EndpointRow::sample(URL, state)).into())
        };
        let secret = WebhookSecret::new("whsec_c2FtcGxlc2FtcGxlc2FtcGxlc2FtcGxlc2FtcGxl");
        let made = Made::Secret { id: EndpointRow::sample(URL, EndpointState::On).id, url: URL.into(), secret };
        let filled = |problem| WebhooksPage { form: EndpointForm::wrong(problem), ..page("Acme", Vec::new()) };
        let untried = EndpointRow {
            pending: Counted::of(0),
            last_delivered_at: None,
            events: EventType::WANTED.map(|event| event.key().to_owned()).into(),
            ..EndpointRow::sample(tests::HOSTILE, EndpointState::On)
        };
        vec![
            ("typical", typical()),
            ("made", WebhooksPage { made: Some(made), ..typical() }),
            ("made-before", WebhooksPage { made: Some(Made::Before), ..typical() }),
            ("stale", WebhooksPage { may_change: false, ..typical() }),
            ("empty", page("Acme", Vec::new())),
            ("wrong-url", filled(EndpointProblem::Url(NoTarget::NotPublic))),
            ("wrong-events", filled(EndpointProblem::EventsMissing)),
            ("too-many", filled(EndpointProblem::TooMany)),
            (
                "worst",
                page(tests::ENDLESS, vec![untried, EndpointRow::sample(tests::ENDLESS, EndpointState::Troubled)]),
            ),
        ]
    }
}
