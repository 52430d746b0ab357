//! `/operator/tenants/{tenant}/delete`: what will end for good, before it ends. Whoever confirms types the tenant's name,
//! and has signed in within the last minutes (security.md S-48, S-49).

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use super::operator_tenant::path;
use crate::{
    app::App,
    domain::secret::FormToken,
    http::{
        answers,
        operator::{Operator, Ordered},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
    },
    operator::delete::delete,
    store::{console_list::Counted, operator::tenants::Tenant},
};

#[derive(Template)]
#[template(path = "operator_delete.html")]
pub(crate) struct OperatorDeletePage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) name: Label,
    pub(crate) connections: Counted,
    /// What was typed is not its name.
    pub(crate) is_mistyped: bool,
}

impl OperatorDeletePage {
    fn of(app: &App, operator: &Operator, tenant: &Tenant, is_mistyped: bool) -> Self {
        Self {
            shell: operator.shell(app, Place::OperatorTenants),
            slug: tenant.slug.clone(),
            name: Label::new(&tenant.name),
            connections: Counted::of(tenant.connections),
            is_mistyped,
        }
    }
}

/// The tenant to delete. One that is deleted already has a page that tells how far that is.
async fn to_delete(app: &App, operator: &Operator, slug: &str) -> Result<Result<Tenant, HttpResponse>, Problem> {
    let (tx, tenant) = operator.look_at(app, "delete", slug).await?;
    tx.commit().await?;
    if tenant.deleted_at.is_some() {
        return Ok(Err(see_other(&receipt(&tenant))));
    }
    operator.check_recent_sign_in(app, &format!("{}/delete", path(&tenant.slug)))?;
    Ok(Ok(tenant))
}

/// By the id: the slug will be free.
fn receipt(tenant: &Tenant) -> String {
    path(&tenant.tenant_id.to_string())
}

/// `GET /operator/tenants/{tenant}/delete`
pub(crate) async fn get_delete(
    app: web::Data<App>,
    operator: Operator,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let tenant = match to_delete(&app, &operator, &slug).await? {
        Ok(tenant) => tenant,
        Err(answer) => return Ok(answer),
    };
    let page = OperatorDeletePage::of(&app, &operator, &tenant, false);
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteForm {
    #[serde(default)]
    csrf: String,
    name: String,
}

/// `POST /operator/tenants/{tenant}/delete`
pub(crate) async fn post_delete(
    app: web::Data<App>,
    slug: web::Path<String>,
    Ordered(operator, form): Ordered<DeleteForm>,
) -> Result<HttpResponse, Problem> {
    operator.member.check(&FormToken::new(form.csrf))?;
    let tenant = match to_delete(&app, &operator, &slug).await? {
        Ok(tenant) => tenant,
        Err(answer) => return Ok(answer),
    };
    if form.name.trim() != tenant.name.trim() {
        let page = OperatorDeletePage::of(&app, &operator, &tenant, true);
        return Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?));
    }
    delete(&app, &tenant, operator.by()).await?;
    Ok(see_other(&receipt(&tenant)))
}

#[cfg(test)]
impl OperatorDeletePage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |name: &str, connections, is_mistyped| Self {
            shell: Shell::operator(Place::OperatorTenants),
            slug: "acme-3f9c1a".to_owned(),
            name: name.into(),
            connections: Counted::of(connections),
            is_mistyped,
        };
        vec![
            ("typical", page("Acme", 40, false)),
            ("one", page("Acme", 1, false)),
            ("empty", page("Acme", 0, false)),
            ("worst", page(tests::HOSTILE, 4_000, true)),
        ]
    }
}
