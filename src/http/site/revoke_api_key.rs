//! `/tenants/{tenant}/api-keys/{id}/revoke`: what will happen, before it happens.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use super::api_keys::KeyRow;
use crate::{
    app::App,
    console::revoke_api_key,
    domain::secret::FormToken,
    http::{
        form::{Bare, Posted},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    store::api_key,
};

#[derive(Template)]
#[template(path = "revoke_api_key.html")]
pub(crate) struct RevokeApiKeyPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) key: KeyRow,
}

/// The tenant's key of that id; another tenant's does not exist (security.md S-41).
async fn key_of(app: &App, admin: &TenantAdmin, id: &str) -> Result<KeyRow, Problem> {
    let now = app.clock.shared_now();
    let tenant_id = admin.tenant.tenant_id;
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let found = api_key::list_of_tenant(&mut *tx, tenant_id, Some(id), now).await?;
    tx.commit().await?;
    found.first().map(|key| KeyRow::of(key, now)).ok_or(Problem::NOT_FOUND)
}

/// `GET /tenants/{tenant}/api-keys/{id}/revoke`
pub(crate) async fn get_revoke(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (_, id) = path.into_inner();
    let key = key_of(&app, &admin, &id).await?;
    if key.has_ended() {
        return Ok(see_other(&admin.path("api-keys")));
    }
    admin.check_recent_sign_in(&app, &format!("api-keys/{id}/revoke"))?;
    let page = RevokeApiKeyPage {
        shell: admin.shell(&app, Place::ApiKeys),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        key,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/api-keys/{id}/revoke`
pub(crate) async fn post_revoke(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Bare>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let (_, id) = path.into_inner();
    admin.check_recent_sign_in(&app, &format!("api-keys/{id}/revoke"))?;
    if !revoke_api_key(&app, admin.change(), &id).await? {
        // Revoked in another tab, or none of this tenant's.
        key_of(&app, &admin, &id).await?;
    }
    Ok(see_other(&admin.path("api-keys")))
}

#[cfg(test)]
impl RevokeApiKeyPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |tenant: &str, key| Self {
            shell: Shell::console(tenant, Place::ApiKeys),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            key,
        };
        vec![
            ("typical", page("Acme", KeyRow::sample("Nightly sync"))),
            ("unused", page("Acme", KeyRow { last_used_at: None, ..KeyRow::sample("ci") })),
            ("worst", page(tests::ENDLESS, KeyRow::sample(tests::HOSTILE))),
        ]
    }
}
