//! The one map from what went wrong to HTTP.
//!
//! Handlers return a [`Problem`]; the page (or problem document) is made in `answers.rs`, where the
//! request is known. 4xx explain, 5xx give a request id and no more (security.md S-69).

use std::time::Duration;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};

use super::{api::schema::Connection, site::problem_types::ProblemType};
use crate::{
    domain::{connection::ReconnectReason, return_path::ReturnPath},
    login::{BeginError, Refused},
    onboarding::confirm::ConfirmError,
    store::StoreError,
    telemetry::chain,
    vault::{choose::ChooseError, import::ImportError},
    webhooks::endpoint::WebhookError,
};

/// Whoever is told to come back is told so after this long, where we do not know better.
const SOON: Duration = Duration::from_secs(2);
/// As long as Zoho's window is (`zoho-oauth.md` §9).
const THROTTLED: Duration = Duration::from_secs(600);
/// Somebody has to change a setting first.
const MISCONFIGURED: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Problem {
    #[error("signed out")]
    SignInFirst { return_to: Option<ReturnPath> },
    /// What is asked for needs a sign-in of the last minutes (security.md S-49).
    #[error("signed in too long ago")]
    SignInAgain { return_to: ReturnPath },
    #[error("explained on a page")]
    Explained { problem: ProblemType, retry_after: Option<Duration> },
    /// Each member or parameter that is wrong.
    #[error("not understood")]
    Invalid(Vec<MemberError>),
    #[error("the connection needs its owner")]
    NeedsReconnect { reason: ReconnectReason, reconnect_url: String },
    /// The connections that fit, as the API shows them.
    #[error("more than one connection fits")]
    Ambiguous(Vec<Connection>),
    /// Nothing of the tenant's works until an operator resumes it.
    #[error("the tenant is suspended")]
    Suspended,
    /// The API under an https address, reached by http.
    #[error("reached by plain http")]
    PlainHttp,
    #[error("the form token does not belong to this session")]
    FormExpired,
    #[error("refused with status {0}")]
    Status(StatusCode),
}

/// One mistake in a request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct MemberError {
    /// The member or parameter that is wrong.
    #[schema(example = "limit")]
    pub(crate) member: String,
    #[schema(example = "must be 1 to 200")]
    pub(crate) detail: String,
}

impl Problem {
    pub(crate) const fn explained(problem: ProblemType) -> Self {
        Self::Explained { problem, retry_after: None }
    }

    pub(crate) const NOT_FOUND: Self = Self::explained(ProblemType::NotFound);
    pub(crate) const INVALID: Self = Self::explained(ProblemType::InvalidRequest);

    pub(crate) const fn unavailable() -> Self {
        Self::Explained { problem: ProblemType::Unavailable, retry_after: Some(SOON) }
    }

    pub(crate) fn problem_type(&self) -> Option<ProblemType> {
        match self {
            Self::Explained { problem, .. } => Some(*problem),
            Self::FormExpired => Some(ProblemType::FormExpired),
            Self::Invalid(_) => Some(ProblemType::InvalidRequest),
            Self::NeedsReconnect { .. } => Some(ProblemType::NeedsReconnect),
            Self::Ambiguous(_) => Some(ProblemType::Ambiguous),
            Self::PlainHttp => Some(ProblemType::Forbidden),
            Self::Suspended => Some(ProblemType::TenantSuspended),
            Self::SignInFirst { .. } | Self::SignInAgain { .. } | Self::Status(_) => None,
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        let explained = |problem: ProblemType| {
            problem.status().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_REQUEST)
        };
        match self {
            Self::SignInFirst { .. } => StatusCode::SEE_OTHER,
            Self::SignInAgain { .. } => StatusCode::FORBIDDEN,
            Self::Explained { problem, .. } => explained(*problem),
            Self::FormExpired => explained(ProblemType::FormExpired),
            Self::Invalid(_) => explained(ProblemType::InvalidRequest),
            Self::NeedsReconnect { .. } => explained(ProblemType::NeedsReconnect),
            Self::Ambiguous(_) => explained(ProblemType::Ambiguous),
            Self::PlainHttp => explained(ProblemType::Forbidden),
            Self::Suspended => explained(ProblemType::TenantSuspended),
            Self::Status(status) => *status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Self::SignInFirst { return_to } => {
                let query = match return_to {
                    Some(path) => url::form_urlencoded::Serializer::for_suffix("/?".to_owned(), 2)
                        .append_pair("return_to", path.as_str())
                        .finish(),
                    None => "/".to_owned(),
                };
                answer.insert_header((LOCATION, query));
            }
            Self::Explained { retry_after: Some(wait), .. } => {
                answer.insert_header((RETRY_AFTER, wait.as_secs_f64().ceil().max(1.0).to_string()));
            }
            Self::Explained { problem: ProblemType::Unauthenticated, .. } => {
                answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            Self::Explained { .. }
            | Self::SignInAgain { .. }
            | Self::Invalid(_)
            | Self::NeedsReconnect { .. }
            | Self::Ambiguous(_)
            | Self::PlainHttp
            | Self::Suspended
            | Self::FormExpired
            | Self::Status(_) => {}
        }
        let mut answer = answer.finish();
        answer.extensions_mut().insert(self.clone());
        answer
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = chain(&error), "a request failed at the database");
        match error {
            StoreError::Database(_) => Self::unavailable(),
            StoreError::Inconsistent(_) => Self::Status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        tracing::error!(error = chain(&error), "a page could not be rendered");
        Self::Status(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::DatabaseDown => Self::unavailable(),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Attempt => Self::explained(ProblemType::AttemptRefused),
            Refused::WrongPerson => Self::explained(ProblemType::WrongPerson),
            Refused::DataCentre => Self::explained(ProblemType::DataCentreRefused),
            Refused::TooManyFailures { retry_after } => {
                Self::Explained { problem: ProblemType::TooManyRequests, retry_after: Some(retry_after) }
            }
            Refused::Busy => Self::unavailable(),
            Refused::Unavailable(error) => error.into(),
        }
    }
}

impl From<ChooseError> for Problem {
    fn from(error: ChooseError) -> Self {
        match error {
            // It was chosen in another tab: the connection's page tells.
            ChooseError::NotChoosing | ChooseError::NotListed => Self::INVALID,
            ChooseError::Unreadable => Self::unavailable(),
            ChooseError::Store(error) => error.into(),
        }
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let invalid =
            |member: &str, detail: String| Self::Invalid(vec![MemberError { member: member.to_owned(), detail }]);
        match error {
            WebhookError::Unknown => Self::NOT_FOUND,
            WebhookError::Target(why) => invalid("url", why.to_string()),
            WebhookError::TooMany => invalid("url", error.to_string()),
            WebhookError::MadeBefore | WebhookError::Disabled => invalid("id", error.to_string()),
            WebhookError::Unreadable => Self::unavailable(),
            WebhookError::Store(error) => error.into(),
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let later = |problem, wait| Self::Explained { problem, retry_after: Some(wait) };
        match error {
            ImportError::Refused(objection) => Self::Invalid(vec![MemberError {
                member: objection.member().to_owned(),
                detail: objection.to_string(),
            }]),
            ImportError::Suspended => Self::Suspended,
            ImportError::Misconfigured => later(ProblemType::ZohoMisconfigured, MISCONFIGURED),
            ImportError::Throttled { retry_after } => {
                later(ProblemType::ZohoThrottled, retry_after.unwrap_or(THROTTLED))
            }
            ImportError::Unavailable => later(ProblemType::ZohoUnavailable, SOON),
            ImportError::Misbehaved => Self::explained(ProblemType::ZohoMisbehaved),
            ImportError::TooManyFailures { retry_after } => later(ProblemType::TooManyRequests, retry_after),
            ImportError::Busy => Self::unavailable(),
            ImportError::Store(error) => error.into(),
        }
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Suspended => Self::Suspended,
            ConfirmError::WrongPerson => Self::explained(ProblemType::WrongPerson),
            ConfirmError::NothingWaits | ConfirmError::NotChosen | ConfirmError::NotListed => Self::INVALID,
            ConfirmError::Unreadable => Self::unavailable(),
            ConfirmError::Store(error) => error.into(),
        }
    }
}
