//! `/problems/{slug}`: what a problem means and how to cure it. The slug is the `type` of the API's problem documents, and
//! where a failed sign-in ends.
//!
//! The same page serves in place with a 4xx. What is ours to blame (5xx) is a [`StatusPage`]
//! with a request id and no more (security.md S-69).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;

use super::onboarding;
use crate::{
    app::App,
    http::{
        caller::Visitor,
        page::{self, Label, Place, Shell},
        problem::Problem,
    },
};

/// Every problem that has a page. The words are in `templates/problems/`, one file each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemType {
    AccessDenied,
    AttemptRefused,
    DataCentreRefused,
    DataCentreNotEnabled,
    NoRefreshToken,
    CodeExpired,
    OrganizationMismatch,
    NoOrganization,
    ProductNotOffered,
    ProfileUnreadable,
    SignInLost,
    WrongPerson,
    RoleNeeded,
    TenantSuspended,
    FormExpired,
    Unauthenticated,
    Forbidden,
    NotFound,
    NeedsReconnect,
    Ambiguous,
    ChoosingOrganization,
    Disconnected,
    InvalidRequest,
    TooManyRequests,
    ZohoMisbehaved,
    ZohoThrottled,
    ZohoUnavailable,
    ZohoMisconfigured,
    Unavailable,
}

/// Who meets the problem first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// A person who is signing in or connecting.
    SigningIn,
    /// A program that calls the API, or a person through it.
    Calling,
}

impl ProblemType {
    pub(crate) const ALL: [Self; 29] = [
        Self::AccessDenied,
        Self::AttemptRefused,
        Self::DataCentreRefused,
        Self::DataCentreNotEnabled,
        Self::NoRefreshToken,
        Self::CodeExpired,
        Self::OrganizationMismatch,
        Self::NoOrganization,
        Self::ProductNotOffered,
        Self::ProfileUnreadable,
        Self::SignInLost,
        Self::WrongPerson,
        Self::RoleNeeded,
        Self::TenantSuspended,
        Self::FormExpired,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::NeedsReconnect,
        Self::Ambiguous,
        Self::ChoosingOrganization,
        Self::Disconnected,
        Self::InvalidRequest,
        Self::TooManyRequests,
        Self::ZohoMisbehaved,
        Self::ZohoThrottled,
        Self::ZohoUnavailable,
        Self::ZohoMisconfigured,
        Self::Unavailable,
    ];

    pub(crate) fn slug(self) -> &'static str {
        self.row().0
    }

    /// Its page, and its `type` in problem documents.
    pub(crate) fn path(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// The status it comes with, where it comes with one: what ends a sign-in is a redirect to its page.
    pub(crate) fn status(self) -> Option<u16> {
        self.row().1
    }

    pub(crate) fn met(self) -> Met {
        self.row().2
    }

    pub(crate) fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.slug() == slug)
    }

    fn row(self) -> (&'static str, Option<u16>, Met) {
        use Met::{Calling, SigningIn};
        match self {
            Self::AccessDenied => ("access-denied", None, SigningIn),
            Self::AttemptRefused => ("attempt-refused", Some(400), SigningIn),
            Self::DataCentreRefused => ("data-centre-refused", Some(400), SigningIn),
            Self::DataCentreNotEnabled => ("data-centre-not-enabled", None, SigningIn),
            Self::NoRefreshToken => ("no-refresh-token", None, SigningIn),
            Self::CodeExpired => ("code-expired", None, SigningIn),
            Self::OrganizationMismatch => ("organization-mismatch", None, SigningIn),
            Self::NoOrganization => ("no-organization", None, SigningIn),
            Self::ProductNotOffered => ("product-not-offered", None, SigningIn),
            Self::ProfileUnreadable => ("profile-unreadable", None, SigningIn),
            Self::SignInLost => ("sign-in-lost", None, SigningIn),
            Self::WrongPerson => ("wrong-person", Some(403), SigningIn),
            Self::RoleNeeded => ("role-needed", Some(403), SigningIn),
            Self::TenantSuspended => ("tenant-suspended", Some(403), SigningIn),
            Self::FormExpired => ("form-expired", Some(403), SigningIn),
            Self::Unauthenticated => ("unauthenticated", Some(401), Calling),
            Self::Forbidden => ("forbidden", Some(403), Calling),
            Self::NotFound => ("not-found", Some(404), Calling),
            Self::NeedsReconnect => ("needs-reconnect", Some(409), Calling),
            Self::Ambiguous => ("ambiguous", Some(409), Calling),
            Self::ChoosingOrganization => ("choosing-organization", Some(409), Calling),
            Self::Disconnected => ("disconnected", Some(409), Calling),
            Self::InvalidRequest => ("invalid-request", Some(400), Calling),
            Self::TooManyRequests => ("too-many-requests", Some(429), Calling),
            Self::ZohoMisbehaved => ("zoho-misbehaved", Some(502), Calling),
            Self::ZohoThrottled => ("zoho-throttled", Some(503), Calling),
            Self::ZohoUnavailable => ("zoho-unavailable", Some(503), Calling),
            Self::ZohoMisconfigured => ("zoho-misconfigured", Some(503), Calling),
            Self::Unavailable => ("unavailable", Some(503), Calling),
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) shell: Shell,
    pub(crate) problem: ProblemType,
    /// Whether the address holds what must not stay in it: a refused callback (security.md S-33).
    pub(crate) clear_address: bool,
    /// For whoever is asked for help: `accounts.zoho.eu answered invalid_client`. Our words, nothing from the request.
    pub(crate) technical: Option<Label>,
    /// The invitation that this browser has begun to answer: the way on leads back to it.
    pub(crate) invitation: Option<String>,
}

/// `/problems`
#[derive(Template)]
#[template(path = "problem_index.html")]
pub(crate) struct ProblemIndexPage {
    pub(crate) shell: Shell,
}

impl ProblemIndexPage {
    fn met(met: Met) -> impl Iterator<Item = ProblemType> {
        ProblemType::ALL.into_iter().filter(move |problem| problem.met() == met)
    }
}

/// A status without a type of its own: 405, 408, 413, 414, 415, 431, and all of 5xx.
#[derive(Template)]
#[template(path = "status.html")]
pub(crate) struct StatusPage {
    pub(crate) shell: Shell,
    pub(crate) status: u16,
}

/// `GET /problems`
pub(crate) async fn get_problems(app: web::Data<App>, visitor: Visitor) -> Result<HttpResponse, Problem> {
    let page = ProblemIndexPage { shell: visitor.shell(&app, Place::Elsewhere) };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `GET /problems/{slug}`
pub(crate) async fn get_problem(
    app: web::Data<App>,
    visitor: Visitor,
    request: HttpRequest,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let problem = ProblemType::from_slug(&slug).ok_or(Problem::NOT_FOUND)?;
    let shell = visitor.shell(&app, Place::Elsewhere);
    let invitation = onboarding::under_way(&app, &request).await?;
    let page = ProblemPage { shell, problem, clear_address: false, technical: None, invitation };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[cfg(test)]
impl ProblemPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::{Place, tests};

        let page = |problem| Self {
            shell: Shell::anonymous(),
            problem,
            clear_address: false,
            technical: None,
            invitation: None,
        };
        let mut samples: Vec<_> = ProblemType::ALL.into_iter().map(|problem| (problem.slug(), page(problem))).collect();
        samples.push(("refused-in-place", Self { clear_address: true, ..page(ProblemType::AttemptRefused) }));
        let invitation = Some("/onboarding/019aa3f2-7c1e-7d10-9b2f-000000000009".to_owned());
        samples.push(("invited", Self { invitation, ..page(ProblemType::AccessDenied) }));
        samples.push((
            "worst",
            Self {
                shell: Shell::worst(Place::Elsewhere),
                technical: Some(tests::HOSTILE.into()),
                ..page(ProblemType::ZohoMisconfigured)
            },
        ));
        samples
    }
}

#[cfg(test)]
impl ProblemIndexPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let shell = Shell::sample(crate::http::page::Place::Elsewhere);
        vec![("typical", Self { shell })]
    }
}

#[cfg(test)]
impl StatusPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let page = |status| Self { shell: Shell::anonymous(), status };
        vec![
            ("405", page(405)),
            ("408", page(408)),
            ("413", page(413)),
            ("414", page(414)),
            ("415", page(415)),
            ("431", page(431)),
            ("500", page(500)),
            ("503", page(503)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_leads_to_its_problem() {
        for problem in ProblemType::ALL {
            assert_eq!(ProblemType::from_slug(problem.slug()), Some(problem));
        }
        assert_eq!(ProblemType::from_slug(""), None);
    }

    #[test]
    fn every_failed_attempt_lands_on_a_page_that_exists() {
        for failure in crate::login::Failure::ALL {
            assert!(ProblemType::from_slug(failure.slug()).is_some(), "{failure:?}");
        }
    }

    #[test]
    fn a_page_of_ours_to_blame_holds_a_request_id_and_no_more() {
        let page = StatusPage { shell: Shell::anonymous(), status: 500 };
        let html = page.render().expect("the page renders");
        assert!(html.contains(&page.shell.request_id));
        assert!(!html.contains("<details"));
    }
}
