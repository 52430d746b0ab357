//! `/operator/tenants`: every customer of the installation, the newest first, and making one.

mod form;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};
use url::form_urlencoded::Serializer;

use super::console_list::{Choice, PAGE};
use crate::{
    app::App,
    domain::{secret::FormToken, tenant::Standing, text},
    http::{
        answers,
        api::{cursor, parameters::Parameters},
        operator::{Operator, Ordered},
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        see_other,
    },
    store::{
        audit_event::Actor,
        console_list::Counted,
        operator::tenants::{Narrowed, Tenant, list},
    },
    vault::tenant::{By, TenantError, make_tenant},
};
pub(crate) use form::{NewTenant, TenantForm, TenantProblem};

#[derive(Template)]
#[template(path = "operator_tenants.html")]
pub(crate) struct OperatorTenantsPage {
    pub(crate) shell: Shell,
    pub(crate) search: String,
    pub(crate) standings: Vec<Choice>,
    pub(crate) is_narrowed: bool,
    pub(crate) rows: Vec<TenantRow>,
    /// Where the list begins, unless this is there.
    pub(crate) first: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) form: TenantForm,
}

pub(crate) struct TenantRow {
    pub(crate) slug: String,
    pub(crate) name: Label,
    /// The SaaS's own id; absent where a person's sign-in made the tenant.
    pub(crate) external_id: Option<Label>,
    pub(crate) standing: Standing,
    pub(crate) connections: Counted,
    /// Of these, how many need somebody.
    pub(crate) troubled: Counted,
    pub(crate) created_at: Moment,
}

impl TenantRow {
    fn of(tenant: &Tenant, now: DateTime<Utc>) -> Self {
        Self {
            slug: tenant.slug.clone(),
            name: Label::new(&tenant.name),
            external_id: tenant.external_id.as_deref().map(Label::new),
            standing: tenant.standing(),
            connections: Counted::of(tenant.connections),
            troubled: Counted::of(tenant.troubled),
            created_at: Moment::new(tenant.created_at, now),
        }
    }
}

const PATH: &str = "/operator/tenants";

/// `GET /operator/tenants`
pub(crate) async fn get_tenants(
    app: web::Data<App>,
    operator: Operator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let page = OperatorTenantsPage::of(&app, &operator, request.query_string(), TenantForm::default()).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /operator/tenants`. The same form sent again leads to the tenant that it made.
pub(crate) async fn post_tenants(
    app: web::Data<App>,
    Ordered(operator, sent): Ordered<NewTenant>,
) -> Result<HttpResponse, Problem> {
    operator.member.check(&FormToken::new(sent.csrf.as_str()))?;
    let problems = match sent.parse() {
        Err(problems) => problems,
        Ok(wanted) => {
            let by = By {
                actor: Actor::Operator(operator.member.person().person_id),
                request_id: operator.member.request_id,
                peer: operator.member.peer.clone(),
            };
            match make_tenant(&app, &wanted, by).await {
                Ok(made) => return Ok(see_other(&format!("{PATH}/{}", made.tenant.slug))),
                Err(TenantError::ExternalIdTaken | TenantError::BeingDeleted) => vec![TenantProblem::ExternalIdTaken],
                Err(TenantError::SlugTaken) => vec![TenantProblem::SlugTaken],
                Err(TenantError::Store(error)) => return Err(error.into()),
            }
        }
    };
    let page = OperatorTenantsPage::of(&app, &operator, "", TenantForm::of(sent, problems)).await?;
    Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?))
}

impl OperatorTenantsPage {
    async fn of(app: &App, operator: &Operator, query: &str, form: TenantForm) -> Result<Self, Problem> {
        let mut parameters = Parameters::read(query);
        let narrowed = Narrowed {
            prefix: parameters
                .take_filled("search", |typed| Ok::<_, &str>(text::clean(typed)))
                .filter(|typed| !typed.is_empty()),
            standing: parameters.take_filled("state", |key| Standing::from_key(key).ok_or("is not known")),
        };
        let of = cursor::List::new("operator.tenants", None, &format!("{narrowed:?}"));
        let after = parameters.take_filled("cursor", |cursor| of.open(&app.keys, cursor, |text| text.parse().ok()));
        parameters.finish()?;
        let mut tx = operator.look(app, "tenants").await?;
        let mut tenants = list(&mut tx, &narrowed, after, i64::from(PAGE) + 1).await?;
        tx.commit().await?;
        let has_more = tenants.len() > usize::from(PAGE);
        tenants.truncate(usize::from(PAGE));
        let last = tenants.last().filter(|_| has_more);
        let next = last.map(|last| of.seal(&app.keys, &last.tenant_id.to_string()));
        let now = app.clock.shared_now();
        Ok(Self {
            shell: operator.shell(app, Place::OperatorTenants),
            standings: standings(narrowed.standing),
            is_narrowed: narrowed != Narrowed::default(),
            rows: tenants.iter().map(|tenant| TenantRow::of(tenant, now)).collect(),
            first: after.map(|_| address(&narrowed, None)),
            next: next.map(|cursor| address(&narrowed, Some(&cursor))),
            search: narrowed.prefix.unwrap_or_default(),
            form,
        })
    }
}

fn standings(chosen: Option<Standing>) -> Vec<Choice> {
    let choice = |standing: Standing| Choice { key: standing.key(), is_chosen: Some(standing) == chosen };
    Standing::ALL.into_iter().map(choice).collect()
}

fn address(narrowed: &Narrowed, cursor: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    let pairs =
        [("search", narrowed.prefix.as_deref()), ("state", narrowed.standing.map(Standing::key)), ("cursor", cursor)];
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
}

#[cfg(test)]
impl OperatorTenantsPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let row = |name: &str, standing, connections: i64| TenantRow {
            slug: "acme-3f9c1a".to_owned(),
            name: name.into(),
            external_id: Some("acme".into()),
            standing,
            connections: Counted::of(connections),
            troubled: Counted::of(connections / 10),
            created_at: tests::moment(-86_400 * 12),
        };
        let page = |search: &str, rows: Vec<TenantRow>| Self {
            shell: Shell::operator(Place::OperatorTenants),
            search: search.to_owned(),
            standings: standings(None),
            is_narrowed: !search.is_empty(),
            rows,
            first: None,
            next: None,
            form: TenantForm::default(),
        };
        let every = Standing::ALL.into_iter().zip([4_000, 12, 1, 0]);
        let every: Vec<_> = every.map(|(standing, connections)| row("Acme", standing, connections)).collect();
        let worst = vec![
            TenantRow { external_id: Some(tests::HOSTILE.into()), ..row(tests::HOSTILE, Standing::Active, 1) },
            TenantRow { external_id: None, ..row(tests::ENDLESS, Standing::Suspended, 70) },
        ];
        let wrong = TenantForm {
            name: tests::HOSTILE.to_owned(),
            external_id: tests::HOSTILE.to_owned(),
            slug: tests::HOSTILE.to_owned(),
            problems: TenantProblem::ALL.to_vec(),
        };
        vec![
            ("typical", Self { next: Some(format!("{PATH}?cursor=abc")), ..page("", every) }),
            ("empty", page("", Vec::new())),
            ("nothing-found", page("zyl", Vec::new())),
            ("worst", Self { shell: Shell::worst(Place::OperatorTenants), form: wrong, ..page(tests::HOSTILE, worst) }),
        ]
    }
}
