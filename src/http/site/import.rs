//! `/tenants/{tenant}/import`: a token that Zoho granted elsewhere becomes a connection of the tenant.
//! Codes, tokens and secrets are taken and never shown again, also where the form has to be.
//!
//! A self client's code lives for minutes. Whoever sends it says how many it has left; from then on the
//! page counts down, and a code that has run out is not presented to Zoho any more.

mod form;

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};

use crate::{
    app::App,
    domain::{product::Product, secret::FormToken},
    http::{
        answers,
        form::Posted,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    store::audit_event::Actor,
    vault::import::{By, ImportError, Objection, import},
};
use form::{ImportForm, Read};

#[derive(Template)]
#[template(path = "import.html")]
pub(crate) struct ImportPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    /// Keys, with the one that was chosen.
    pub(crate) products: Vec<(&'static str, bool)>,
    pub(crate) data_centres: Vec<(&'static str, bool)>,
    pub(crate) entered: Entered,
    /// When the code that was sent ends.
    pub(crate) code_ends: Option<Moment>,
    /// What was wrong, in the order of the fields.
    pub(crate) problems: Vec<ImportProblem>,
}

/// What was typed and is no secret.
#[derive(Default)]
pub(crate) struct Entered {
    pub(crate) scopes: String,
    pub(crate) organization: String,
    pub(crate) organization_name: String,
    pub(crate) environment: String,
    pub(crate) client_id: String,
    pub(crate) minutes: u8,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ImportProblem {
    ProductMissing,
    ProductNotOffered,
    NoOrganization,
    DataCentreMissing,
    DataCentreOff,
    ScopesMalformed,
    TokenMissing,
    TokenTwice,
    CodeMalformed,
    CodeRunOut,
    DeadCode,
    NoRefreshToken,
    TokenMalformed,
    DeadToken,
    ClientIncomplete,
    ClientRefused,
    OrganizationMalformed,
    OrganizationNeeded,
    AnotherOrganization(Vec<Candidate>),
    SeveralOrganizations(Vec<Candidate>),
    EnvironmentUnknown,
    Throttled,
    Unavailable,
    Misbehaved,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    pub(crate) name: Label,
}

impl ImportProblem {
    /// The field to jump to.
    fn field(&self) -> &'static str {
        match self {
            Self::ProductMissing | Self::ProductNotOffered | Self::NoOrganization => "product",
            Self::DataCentreMissing | Self::DataCentreOff => "data_centre",
            Self::ScopesMalformed => "scopes",
            Self::TokenMissing
            | Self::CodeMalformed
            | Self::CodeRunOut
            | Self::DeadCode
            | Self::NoRefreshToken
            | Self::Throttled
            | Self::Unavailable
            | Self::Misbehaved => "self_client_code",
            Self::TokenTwice | Self::TokenMalformed | Self::DeadToken => "refresh_token",
            Self::ClientIncomplete | Self::ClientRefused => "client_id",
            Self::OrganizationMalformed
            | Self::OrganizationNeeded
            | Self::AnotherOrganization(_)
            | Self::SeveralOrganizations(_) => "organization",
            Self::EnvironmentUnknown => "environment",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Throttled | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misbehaved => StatusCode::BAD_GATEWAY,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Where it is something to be put right in the form.
    fn of(error: ImportError, has_client: bool) -> Result<Self, Problem> {
        let candidates = |objection: &Objection| -> Vec<Candidate> {
            let shown = objection.candidates().iter().take(MOST_CANDIDATES);
            shown.map(|found| Candidate { id: found.id.to_string(), name: Label::new(&found.name) }).collect()
        };
        Ok(match error {
            ImportError::Refused(objection) => match &objection {
                Objection::DataCentreOff => Self::DataCentreOff,
                Objection::ProductNotOffered => Self::ProductNotOffered,
                Objection::OrganizationNeeded => Self::OrganizationNeeded,
                Objection::DeadCode => Self::DeadCode,
                Objection::DeadToken => Self::DeadToken,
                Objection::NoRefreshToken => Self::NoRefreshToken,
                Objection::AnotherOrganization(_) => Self::AnotherOrganization(candidates(&objection)),
                Objection::SeveralOrganizations(_) => Self::SeveralOrganizations(candidates(&objection)),
                Objection::NoOrganization => Self::NoOrganization,
            },
            ImportError::Misconfigured if has_client => Self::ClientRefused,
            ImportError::Throttled { .. } => Self::Throttled,
            ImportError::Unavailable | ImportError::Busy => Self::Unavailable,
            ImportError::Misbehaved => Self::Misbehaved,
            error @ (ImportError::Suspended
            | ImportError::Misconfigured
            | ImportError::TooManyFailures { .. }
            | ImportError::Store(_)) => {
                return Err(error.into());
            }
        })
    }
}

/// Candidates shown at most.
const MOST_CANDIDATES: usize = 20;

impl ImportPage {
    fn problem(&self, field: &str) -> Option<&ImportProblem> {
        self.problems.iter().find(|problem| problem.field() == field)
    }

    /// Whether a code that was sent has time left.
    fn counts_down(&self) -> bool {
        self.code_ends.is_some_and(|ends| ends.is_ahead())
    }

    fn of(app: &App, admin: &TenantAdmin, read: &Read, problems: Vec<ImportProblem>, now: DateTime<Utc>) -> Self {
        let data_centre = read.data_centre.unwrap_or(admin.member.person().data_centre);
        let known = app.config.zoho.servers.data_centres();
        Self {
            shell: admin.shell(app, Place::Elsewhere),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            products: Product::ALL.map(|product| (product.key(), read.product == Some(product))).to_vec(),
            data_centres: known.map(|(key, _)| (key.key(), key == data_centre)).collect(),
            entered: read.entered(),
            code_ends: read.code_ends.map(|at| Moment::new(at, now)),
            problems,
        }
    }
}

/// `GET /tenants/{tenant}/import`
pub(crate) async fn get_import(app: web::Data<App>, admin: TenantAdmin) -> Result<HttpResponse, Problem> {
    let page = ImportPage::of(&app, &admin, &Read::default(), Vec::new(), app.clock.shared_now());
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/import`
pub(crate) async fn post_import(
    app: web::Data<App>,
    Posted(admin, form): Posted<TenantAdmin, ImportForm>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf.as_str()))?;
    let now = app.clock.shared_now();
    let read = Read::of(form, now);
    let problems = match read.parse(&app.config, now) {
        Ok(wanted) => {
            let by = By {
                actor: Actor::Person(admin.member.person().person_id),
                request_id: Some(admin.member.request_id),
                peer: Some(admin.member.peer.clone()),
            };
            let has_client = wanted.client.is_some();
            match import(&app, admin.tenant.tenant_id, wanted, by).await {
                Ok(imported) => return Ok(see_other(&admin.path(&format!("import/{}", imported.connection_id)))),
                Err(error) => vec![ImportProblem::of(error, has_client)?],
            }
        }
        Err(problems) => problems,
    };
    let status = problems.first().map_or(StatusCode::BAD_REQUEST, ImportProblem::status);
    let page = ImportPage::of(&app, &admin, &read, problems, app.clock.shared_now());
    Ok(answers::with_page(page::respond(status, &page)?))
}

/// What people choose from; Zoho's console makes codes of 1 to 10 minutes.
const MINUTES: std::ops::RangeInclusive<u8> = 1..=10;

/// Where nobody says another, as in Zoho's console.
const USUAL_MINUTES: u8 = 3;

#[cfg(test)]
mod samples;
