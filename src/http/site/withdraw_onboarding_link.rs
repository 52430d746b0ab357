//! `/tenants/{tenant}/onboarding-links/{id}/withdraw`: what will happen, before it happens.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use super::onboarding_links::{LinkRow, by};
use crate::{
    app::App,
    domain::{ids::OnboardingLinkId, onboarding::LinkState, secret::FormToken},
    http::{
        form::{Bare, Posted},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    onboarding::end::withdraw,
    store::onboarding_link::listed::find,
};

#[derive(Template)]
#[template(path = "withdraw_onboarding_link.html")]
pub(crate) struct WithdrawPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) link: LinkRow,
}

/// The tenant's link of that id; another tenant's does not exist (security.md S-41).
async fn link_of(app: &App, admin: &TenantAdmin, id: OnboardingLinkId) -> Result<LinkRow, Problem> {
    let now = app.clock.shared_now();
    let tenant_id = admin.tenant.tenant_id;
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let found = find(&mut *tx, tenant_id, id, now).await?;
    tx.commit().await?;
    found.map(|link| LinkRow::of(&link, now)).ok_or(Problem::NOT_FOUND)
}

/// `GET /tenants/{tenant}/onboarding-links/{id}/withdraw`
pub(crate) async fn get_withdraw(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let id = path.1.parse().map_err(|_| Problem::NOT_FOUND)?;
    let link = link_of(&app, &admin, id).await?;
    if !link.state.is_open() {
        return Ok(see_other(&admin.path("onboarding-links")));
    }
    let page = WithdrawPage {
        shell: admin.shell(&app, Place::OnboardingLinks),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        link,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/onboarding-links/{id}/withdraw`
pub(crate) async fn post_withdraw(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Bare>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let id = path.1.parse().map_err(|_| Problem::NOT_FOUND)?;
    if !withdraw(&app, Some(admin.tenant.tenant_id), id, &by(&admin)).await? {
        return Err(Problem::NOT_FOUND);
    }
    Ok(see_other(&admin.path("onboarding-links")))
}

#[cfg(test)]
impl WithdrawPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |tenant: &str, link| Self {
            shell: Shell::console(tenant, Place::OnboardingLinks),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            link,
        };
        vec![
            ("typical", page("Acme", LinkRow::sample(LinkState::Created))),
            ("consented", page(tests::ENDLESS, LinkRow::sample(LinkState::Consented))),
        ]
    }
}
