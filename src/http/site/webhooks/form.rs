//! The form that says where to call and of what: adds an endpoint, and changes one.

use crate::{
    domain::{ids::WebhookEndpointId, secret::FormToken, webhook::EventType, webhook_target::NoTarget},
    http::{form::with_boxes, problem::Problem},
    webhooks::endpoint::WebhookError,
};

/// As the page shows it.
pub(crate) struct EndpointForm {
    pub(crate) url: String,
    pub(crate) events: Vec<EventBox>,
    pub(crate) problems: Vec<EndpointProblem>,
}

pub(crate) struct EventBox {
    pub(crate) key: &'static str,
    pub(crate) checked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointProblem {
    Url(NoTarget),
    EventsMissing,
    TooMany,
}

impl EndpointProblem {
    /// What the person can put right; anything else is the caller's to tell.
    pub(in crate::http::site) fn of(error: WebhookError) -> Result<Self, Problem> {
        match error {
            WebhookError::Target(why) => Ok(Self::Url(why)),
            WebhookError::TooMany => Ok(Self::TooMany),
            error => Err(error.into()),
        }
    }
}

impl EndpointForm {
    pub(in crate::http::site) fn of(request: &EndpointRequest, problems: Vec<EndpointProblem>) -> Self {
        Self::filled(&request.url, |event| request.events.contains(&event), problems)
    }

    pub(in crate::http::site) fn blank() -> Self {
        let unasked = EventType::unasked();
        Self::filled("", |event| unasked.contains(&event), Vec::new())
    }

    /// As an endpoint stands: its whole address, and the words of its events.
    pub(in crate::http::site) fn as_it_is(url: &str, events: &[String]) -> Self {
        Self::filled(url, |event| events.iter().any(|known| known == event.key()), Vec::new())
    }

    fn filled(url: &str, is_checked: impl Fn(EventType) -> bool, problems: Vec<EndpointProblem>) -> Self {
        let events = EventType::WANTED.into_iter();
        Self {
            url: url.to_owned(),
            events: events.map(|event| EventBox { key: event.key(), checked: is_checked(event) }).collect(),
            problems,
        }
    }

    pub(in crate::http::site) fn url_problem(&self) -> Option<NoTarget> {
        self.problems.iter().find_map(|problem| if let EndpointProblem::Url(why) = problem { Some(*why) } else { None })
    }

    pub(in crate::http::site) fn has(&self, problem: EndpointProblem) -> bool {
        self.problems.contains(&problem)
    }
}

/// What the form said.
pub(in crate::http::site) struct EndpointRequest {
    pub(in crate::http::site) csrf: FormToken,
    pub(in crate::http::site) url: String,
    pub(in crate::http::site) events: Vec<EventType>,
}

impl EndpointRequest {
    /// Of an endpoint that is there.
    pub(in crate::http::site) fn parse(fields: Vec<(String, String)>) -> Result<Self, Problem> {
        let ([csrf, url], events) = with_boxes(fields, ["csrf", "url"], "event")?;
        Ok(Self::of(csrf, url, events))
    }

    /// Of one to be made, with the id that the form gives it: sent twice, it makes one.
    pub(in crate::http::site) fn parse_new(
        fields: Vec<(String, String)>,
    ) -> Result<(Self, WebhookEndpointId), Problem> {
        let ([csrf, id, url], events) = with_boxes(fields, ["csrf", "id", "url"], "event")?;
        let id = id.map_or_else(|| Ok(WebhookEndpointId::new()), |id| id.parse().map_err(|_| Problem::INVALID))?;
        Ok((Self::of(csrf, url, events), id))
    }

    fn of(csrf: Option<String>, url: Option<String>, events: Vec<EventType>) -> Self {
        let url = url.unwrap_or_default().trim().to_owned();
        Self { csrf: FormToken::new(csrf.unwrap_or_default()), url, events }
    }
}
