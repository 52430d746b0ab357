//! `/connections/{id}` while it is to be said which organization the token is for: picked where Zoho lists them, typed
//! where it does not (Zia Agents). `POST /connections/{id}/organization` answers it, and never does "the first" stand in.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use super::connection::own_working_connection;
use crate::{
    app::App,
    domain::{
        organization::{Environment, ZohoOrganizationId},
        return_path::ReturnPath,
        secret::FormToken,
    },
    http::{
        answers,
        caller::Member,
        form::Posted,
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
    },
    store::connection::{self, Connection},
    vault::choose::{self, ChooseError, choose},
};

#[derive(Template)]
#[template(path = "organization_choice.html")]
pub(crate) struct OrganizationChoicePage {
    pub(crate) shell: Shell,
    /// The connection's.
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) tenant: Label,
    pub(crate) data_centre: &'static str,
    pub(crate) choice: Choice,
    /// Where the person was going when they signed in.
    pub(crate) return_to: Option<String>,
    /// What was wrong with the last answer, in the order of the fields.
    pub(crate) problems: Vec<ChoiceProblem>,
}

pub(crate) enum Choice {
    Listed {
        organizations: Vec<OrganizationOption>,
        /// Whether Zoho leaves open which environment it is.
        asks_environment: bool,
    },
    /// Nothing lists them: the person types the id.
    Typed,
}

impl Choice {
    pub(super) fn is_typed(&self) -> bool {
        matches!(self, Self::Typed)
    }
}

pub(crate) struct OrganizationOption {
    pub(crate) id: String,
    pub(crate) name: Option<Label>,
    /// Where Zoho tells it.
    pub(crate) environment: Option<&'static str>,
    /// Whether a connection for it exists, which then gets the new tokens.
    pub(crate) is_connected: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChoiceProblem {
    OrganizationMissing,
    /// Not one of those on the list.
    OrganizationUnknown,
    OrganizationMalformed,
    NameTooLong,
    EnvironmentUnknown,
}

impl ChoiceProblem {
    /// The field to jump to.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::OrganizationMissing | Self::OrganizationUnknown | Self::OrganizationMalformed => "organization",
            Self::NameTooLong => "name",
            Self::EnvironmentUnknown => "environment",
        }
    }
}

impl OrganizationChoicePage {
    /// Above ten, a list wants a search.
    const SEARCH_ABOVE: usize = 10;

    fn problem(&self, field: &str) -> Option<ChoiceProblem> {
        self.problems.iter().copied().find(|problem| problem.field() == field)
    }
}

/// The page of a connection that is waiting for this choice.
pub(crate) async fn page_of(
    app: &App,
    member: &Member,
    connection: &Connection,
    return_to: Option<&ReturnPath>,
    problems: Vec<ChoiceProblem>,
) -> Result<OrganizationChoicePage, Problem> {
    let person_id = member.person().person_id;
    let connected: Vec<_> = connection::list_of_person(app.pools.engine(), person_id, None)
        .await?
        .into_iter()
        .filter(|other| other.tenant_id == connection.tenant_id && other.product == connection.product)
        .filter_map(|other| other.organization)
        .collect();
    let organizations: Vec<_> = connection
        .choices
        .iter()
        .map(|found| OrganizationOption {
            id: found.id.to_string(),
            name: Some(Label::new(&found.name)).filter(|_| found.name != found.id.as_str()),
            environment: connection.environment.map(Environment::key),
            is_connected: connected.iter().any(|organization| organization.zoho_id == found.id),
        })
        .collect();
    Ok(OrganizationChoicePage {
        shell: member.shell(app, Place::Connections),
        id: connection.connection_id.to_string(),
        product: connection.product.key(),
        tenant: Label::new(&connection.tenant_name),
        data_centre: connection.data_centre.key(),
        choice: if organizations.is_empty() {
            Choice::Typed
        } else {
            Choice::Listed { organizations, asks_environment: connection.environment.is_none() }
        },
        return_to: return_to.map(|path| path.as_str().to_owned()),
        problems,
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    organization: String,
    name: Option<String>,
    environment: Option<String>,
    return_to: Option<String>,
}

/// `POST /connections/{id}/organization`
pub(crate) async fn post_organization(
    app: web::Data<App>,
    id: web::Path<String>,
    Posted(member, form): Posted<Member, ChoiceForm>,
) -> Result<HttpResponse, Problem> {
    member.check(&FormToken::new(form.csrf.as_str()))?;
    let connection = own_working_connection(&app, &member, &id).await?;
    let return_to = form.return_to.as_deref().and_then(ReturnPath::parse);
    let problems = match form.parse() {
        Ok(choice) => {
            let by = (member.request_id, member.peer.clone());
            match choose(&app, member.person(), &connection, choice, by).await {
                Ok(connection_id) => {
                    let landing = format!("/connections/{connection_id}");
                    return Ok(see_other(return_to.as_ref().map_or(&landing, |path| path.as_str())));
                }
                Err(ChooseError::NotListed) => vec![ChoiceProblem::OrganizationUnknown],
                // It was chosen in another tab: the connection's page tells.
                Err(ChooseError::NotChoosing) => {
                    return Ok(see_other(&format!("/connections/{}", connection.connection_id)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(problems) => problems,
    };
    let page = page_of(&app, &member, &connection, return_to.as_ref(), problems).await?;
    Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?))
}

/// Longest name of an organization that a person may state.
const LONGEST_NAME: usize = 100;

impl ChoiceForm {
    fn parse(&self) -> Result<choose::Choice, Vec<ChoiceProblem>> {
        parse_choice(&self.organization, self.name.as_deref(), self.environment.as_deref())
    }
}

/// What a form said about an organization, with all its mistakes at once.
pub(super) fn parse_choice(
    organization: &str,
    name: Option<&str>,
    environment: Option<&str>,
) -> Result<choose::Choice, Vec<ChoiceProblem>> {
    let parsed: Result<ZohoOrganizationId, _> = organization.parse();
    let environment = environment.filter(|key| !key.is_empty()).map(str::parse::<Environment>).transpose();
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let mut problems = Vec::new();
    match &parsed {
        Err(_) if organization.trim().is_empty() => problems.push(ChoiceProblem::OrganizationMissing),
        Err(_) => problems.push(ChoiceProblem::OrganizationMalformed),
        Ok(_) => {}
    }
    if name.is_some_and(|name| name.chars().count() > LONGEST_NAME) {
        problems.push(ChoiceProblem::NameTooLong);
    }
    match (parsed, environment) {
        (Ok(organization), Ok(environment)) if problems.is_empty() => {
            Ok(choose::Choice { organization, name: name.map(str::to_owned), environment })
        }
        (_, Err(_)) => {
            problems.push(ChoiceProblem::EnvironmentUnknown);
            Err(problems)
        }
        _ => Err(problems),
    }
}

#[cfg(test)]
impl OrganizationChoicePage {
    fn sample(choice: Choice, problems: Vec<ChoiceProblem>) -> Self {
        Self {
            shell: Shell::sample(crate::http::page::Place::Connections),
            id: "019aa3f2-7c1e-7d10-9b2f-000000000002".to_owned(),
            product: "salesiq",
            tenant: "Acme".into(),
            data_centre: "eu",
            choice,
            return_to: None,
            problems,
        }
    }

    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::{Place, tests};

        let option = |id: &str, name: &str, environment, is_connected| OrganizationOption {
            id: id.to_owned(),
            name: Some(name.into()),
            environment,
            is_connected,
        };
        let three = Choice::Listed {
            organizations: vec![
                option("77000000", "Zylker", Some("production"), true),
                option("77000001", "Zylker", Some("sandbox"), false),
                option("25906346", "Zillum Retail", Some("production"), false),
            ],
            asks_environment: false,
        };
        let many = Choice::Listed {
            organizations: (0..24)
                .map(|n| option(&format!("92900000000150{n:05}"), &format!("Branch {n}"), None, n == 4))
                .collect(),
            asks_environment: true,
        };
        let worst = Self {
            shell: Shell::worst(Place::Connections),
            tenant: tests::HOSTILE.into(),
            ..Self::sample(
                Choice::Listed {
                    organizations: vec![
                        option("9290000000150010007", tests::HOSTILE, Some("developer"), true),
                        option("9290000000150010008", tests::ENDLESS, None, false),
                        OrganizationOption {
                            id: "\"><x".to_owned(),
                            name: None,
                            environment: None,
                            is_connected: false,
                        },
                    ],
                    asks_environment: true,
                },
                vec![ChoiceProblem::OrganizationUnknown, ChoiceProblem::EnvironmentUnknown],
            )
        };
        let typed = |problems| Self { product: "zia_agents", ..Self::sample(Choice::Typed, problems) };
        vec![
            ("three", Self::sample(three, Vec::new())),
            ("many", Self::sample(many, vec![ChoiceProblem::OrganizationMissing])),
            ("typed", typed(Vec::new())),
            (
                "typed-refused",
                typed(vec![
                    ChoiceProblem::OrganizationMalformed,
                    ChoiceProblem::NameTooLong,
                    ChoiceProblem::EnvironmentUnknown,
                ]),
            ),
            ("worst", worst),
        ]
    }
}
