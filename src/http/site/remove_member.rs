//! `/tenants/{tenant}/members/{person}/remove` and `/tenants/{tenant}/leave`: what ends with a membership, before it ends.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use super::members::refused;
use crate::{
    app::App,
    console::members::{MemberError, may_remove, remove},
    domain::{ids::PersonId, secret::FormToken},
    http::{
        answers,
        form::{Bare, Posted},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
        site::problem_types::ProblemType,
        tenant::{TenantAdmin, TenantMember},
    },
    store::membership,
};

#[derive(Template)]
#[template(path = "remove_member.html")]
pub(crate) struct RemoveMemberPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) whom: Whom,
    /// It was asked for, and there would be no owner left.
    pub(crate) is_last_owner: bool,
}

pub(crate) enum Whom {
    Oneself,
    Other { id: String, name: Label },
}

/// `GET /tenants/{tenant}/members/{person}/remove`
pub(crate) async fn get_remove(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let person_id: PersonId = path.1.parse().map_err(|_| Problem::NOT_FOUND)?;
    if person_id == admin.member.person().person_id {
        return Ok(see_other(&admin.path("leave")));
    }
    let tenant_id = admin.tenant.tenant_id;
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let members = membership::list_of_tenant(&mut *tx, tenant_id).await?;
    tx.commit().await?;
    let found = members.into_iter().find(|member| member.person_id == person_id).ok_or(Problem::NOT_FOUND)?;
    if !may_remove(admin.tenant.role, false, found.role) {
        return Err(Problem::explained(ProblemType::RoleNeeded));
    }
    admin.check_recent_sign_in(&app, &format!("members/{person_id}/remove"))?;
    let page = RemoveMemberPage {
        shell: admin.shell(&app, Place::Members),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        whom: Whom::Other { id: person_id.to_string(), name: Label::new(&found.display_name) },
        is_last_owner: false,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/members/{person}/remove`
pub(crate) async fn post_remove(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Bare>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let person_id: PersonId = path.1.parse().map_err(|_| Problem::NOT_FOUND)?;
    admin.check_recent_sign_in(&app, "members")?;
    match remove(&app, admin.change(), person_id).await {
        Ok(()) => Ok(see_other(&admin.path("members"))),
        Err(error) => refused(&app, &admin, error).await,
    }
}

impl RemoveMemberPage {
    fn leaving(app: &App, own: &TenantMember, is_last_owner: bool) -> Self {
        Self {
            shell: own.member.shell(app, Place::Connections),
            slug: own.tenant.tenant_slug.clone(),
            tenant: Label::new(&own.tenant.tenant_name),
            whom: Whom::Oneself,
            is_last_owner,
        }
    }
}

/// `GET /tenants/{tenant}/leave`: for every member.
pub(crate) async fn get_leave(app: web::Data<App>, own: TenantMember) -> Result<HttpResponse, Problem> {
    Ok(page::respond(StatusCode::OK, &RemoveMemberPage::leaving(&app, &own, false))?)
}

/// `POST /tenants/{tenant}/leave`
pub(crate) async fn post_leave(
    app: web::Data<App>,
    Posted(own, form): Posted<TenantMember, Bare>,
) -> Result<HttpResponse, Problem> {
    own.member.check(&FormToken::new(form.csrf))?;
    match remove(&app, own.change(), own.member.person().person_id).await {
        Ok(()) => Ok(see_other("/connections")),
        Err(MemberError::LastOwner) => {
            let page = RemoveMemberPage::leaving(&app, &own, true);
            Ok(answers::with_page(page::respond(StatusCode::CONFLICT, &page)?))
        }
        Err(MemberError::Store(error)) => Err(error.into()),
        // Removed by somebody else meanwhile.
        Err(MemberError::NotThere | MemberError::BeyondRole) => Err(Problem::NOT_FOUND),
    }
}

#[cfg(test)]
impl RemoveMemberPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |tenant: &str, whom| Self {
            shell: Shell::console(tenant, Place::Members),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            whom,
            is_last_owner: false,
        };
        let other =
            |name: &str| Whom::Other { id: "019aa3f2-7c1e-7d10-9b2f-000000000007".to_owned(), name: name.into() };
        vec![
            ("other", page("Acme", other("Bea Novák"))),
            ("leave", Self { shell: Shell::sample(Place::Connections), ..page("Acme", Whom::Oneself) }),
            ("last-owner", Self { is_last_owner: true, ..page("Acme", Whom::Oneself) }),
            ("worst", page(tests::ENDLESS, other(tests::HOSTILE))),
        ]
    }
}
