//! Samples of the page: typical, with a new secret, empty, switched off, worst.

use super::*;
use crate::{domain::webhook::EventType, http::page::tests};

fn row(status: DeliveryStatus) -> DeliveryRow {
    let is_pending = status == DeliveryStatus::Pending;
    DeliveryRow {
        id: "019aa3f2-7c1e-7d10-9b2f-0000000000e0".to_owned(),
        event_id: "019aa3f2-7c1e-7d10-9b2f-0000000000d0".to_owned(),
        event_type: "connection.connected".to_owned(),
        connection_id: Some("019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned()),
        status,
        tries: 3,
        created_at: tests::moment(-500),
        due_at: is_pending.then(|| tests::moment(40)),
        answer: Some(if is_pending { Answered::Failure("timeout".to_owned()) } else { Answered::Status(200) }),
        duration_ms: Some(84),
        payload: r#"{"type":"connection.connected","timestamp":"2026-11-21T10:00:00.000Z","data":{}}"#.to_owned(),
    }
}

fn page(tenant: &str, endpoint: EndpointRow, deliveries: Vec<DeliveryRow>) -> WebhookPage {
    WebhookPage {
        shell: Shell::console(tenant, Place::Webhooks),
        slug: "acme-3f9c1a".to_owned(),
        tenant: tenant.into(),
        endpoint,
        secret: None,
        deliveries,
        older: None,
        is_older: false,
        form: EndpointForm::as_it_is("https://hooks.acme.example/zoho", &[EventType::ConnectionConnected.to_string()]),
        may_change: true,
    }
}

impl WebhookPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        const URL: &str = "https://hooks.acme.example/zoho";
        let endpoint = |state| EndpointRow::sample(URL, state);
        let typical = || page("Acme", endpoint(EndpointState::Troubled), DeliveryStatus::ALL.map(row).into());
        let rotated = EndpointRow {
            previous_secret_until: Some(tests::moment(86_400)),
            ..EndpointRow::sample(URL, EndpointState::On)
        };
        let secret = WebhookSecret::new("whsec_c2FtcGxlc2FtcGxlc2FtcGxlc2FtcGxlc2FtcGxl");
        let fresh = DeliveryRow {
            tries: 0,
            answer: None,
            duration_ms: None,
            connection_id: None,
            event_type: "webhook.test".to_owned(),
            due_at: Some(tests::moment(0)),
            ..row(DeliveryStatus::Pending)
        };
        let odd = ["unreachable", "unresolved", "not_public", "broken_off", "unreadable_secret", tests::HOSTILE];
        let odd = odd.map(|failure| DeliveryRow {
            answer: Some(Answered::Failure(failure.to_owned())),
            event_type: tests::HOSTILE.to_owned(),
            payload: tests::HOSTILE.to_owned(),
            ..row(DeliveryStatus::Dead)
        });
        let worst = page(tests::ENDLESS, EndpointRow::sample(tests::HOSTILE, EndpointState::Troubled), odd.into());
        vec![
            ("typical", typical()),
            ("rotated", WebhookPage { secret: Some(secret), ..page("Acme", rotated, vec![fresh]) }),
            ("stale", WebhookPage { may_change: false, ..typical() }),
            (
                "wrong-url",
                WebhookPage { form: EndpointForm::wrong(EndpointProblem::Url(NoTarget::NotHttps)), ..typical() },
            ),
            ("wrong-events", WebhookPage { form: EndpointForm::wrong(EndpointProblem::EventsMissing), ..typical() }),
            ("empty", page("Acme", endpoint(EndpointState::On), Vec::new())),
            ("off", page("Acme", endpoint(EndpointState::Off), Vec::new())),
            ("gone", page("Acme", endpoint(EndpointState::Gone), vec![row(DeliveryStatus::Dead)])),
            ("worst", WebhookPage { older: Some(7), is_older: true, ..worst }),
        ]
    }
}
