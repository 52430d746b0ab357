//! `/operator/tenants/{tenant}/suspend`: what will stop, before it stops; and resuming.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use super::operator_tenant::path;
use crate::{
    app::App,
    domain::{secret::FormToken, tenant::Standing},
    http::{
        operator::{Operator, Ordered},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
    },
    operator::{resume, suspend},
};

#[derive(Template)]
#[template(path = "operator_suspend.html")]
pub(crate) struct OperatorSuspendPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) name: Label,
}

/// `GET /operator/tenants/{tenant}/suspend`
pub(crate) async fn get_suspend(
    app: web::Data<App>,
    operator: Operator,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (tx, tenant) = operator.look_at(&app, "suspend", &slug).await?;
    tx.commit().await?;
    if tenant.standing() != Standing::Active {
        return Ok(see_other(&path(&tenant.slug)));
    }
    let shell = operator.shell(&app, Place::OperatorTenants);
    let page = OperatorSuspendPage { shell, slug: tenant.slug, name: Label::new(&tenant.name) };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StandingForm {
    #[serde(default)]
    csrf: String,
}

/// `POST /operator/tenants/{tenant}/suspend`
pub(crate) async fn post_suspend(
    app: web::Data<App>,
    slug: web::Path<String>,
    Ordered(operator, form): Ordered<StandingForm>,
) -> Result<HttpResponse, Problem> {
    operator.member.check(&FormToken::new(form.csrf))?;
    let (tx, tenant) = operator.look_at(&app, "suspend", &slug).await?;
    tx.commit().await?;
    suspend(&app, &tenant, operator.by()).await?;
    Ok(see_other(&path(&tenant.slug)))
}

/// `POST /operator/tenants/{tenant}/resume`
pub(crate) async fn post_resume(
    app: web::Data<App>,
    slug: web::Path<String>,
    Ordered(operator, form): Ordered<StandingForm>,
) -> Result<HttpResponse, Problem> {
    operator.member.check(&FormToken::new(form.csrf))?;
    let (tx, tenant) = operator.look_at(&app, "resume", &slug).await?;
    tx.commit().await?;
    resume(&app, &tenant, operator.by()).await?;
    Ok(see_other(&path(&tenant.slug)))
}

#[cfg(test)]
impl OperatorSuspendPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |name: &str| Self {
            shell: Shell::operator(Place::OperatorTenants),
            slug: "acme-3f9c1a".to_owned(),
            name: name.into(),
        };
        vec![("typical", page("Acme")), ("worst", page(tests::HOSTILE))]
    }
}
