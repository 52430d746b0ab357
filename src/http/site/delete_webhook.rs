//! `/tenants/{tenant}/webhooks/{id}/delete`: what will happen, before it happens.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use super::{webhook::named, webhooks::EndpointRow};
use crate::{
    app::App,
    domain::secret::FormToken,
    http::{
        form::{Bare, Posted},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    store::webhook_endpoint,
    webhooks::endpoint,
};

#[derive(Template)]
#[template(path = "delete_webhook.html")]
pub(crate) struct DeleteWebhookPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) endpoint: EndpointRow,
}

/// `GET /tenants/{tenant}/webhooks/{id}/delete`
pub(crate) async fn get_delete(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let id = named(path)?;
    let tenant_id = admin.tenant.tenant_id;
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let endpoint = webhook_endpoint::find(&mut *tx, Some(tenant_id), id).await?.ok_or(Problem::NOT_FOUND)?;
    tx.commit().await?;
    admin.check_recent_sign_in(&app, &format!("webhooks/{id}/delete"))?;
    let page = DeleteWebhookPage {
        shell: admin.shell(&app, Place::Webhooks),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        endpoint: EndpointRow::of(&endpoint, app.clock.shared_now()),
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/webhooks/{id}/delete`
pub(crate) async fn post_delete(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Bare>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let id = named(path)?;
    admin.check_recent_sign_in(&app, &format!("webhooks/{id}/delete"))?;
    endpoint::delete(&app, &admin.change().into(), id).await?;
    Ok(see_other(&admin.path("webhooks")))
}

#[cfg(test)]
impl DeleteWebhookPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use super::webhooks::EndpointState;
        use crate::{http::page::tests, store::console_list::Counted};

        let page = |tenant: &str, endpoint| Self {
            shell: Shell::console(tenant, Place::Webhooks),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            endpoint,
        };
        let idle = EndpointRow {
            pending: Counted::of(0),
            ..EndpointRow::sample("https://hooks.acme.example/", EndpointState::On)
        };
        vec![
            ("typical", page("Acme", EndpointRow::sample("https://hooks.acme.example/zoho", EndpointState::On))),
            ("idle", page("Acme", idle)),
            ("worst", page(tests::ENDLESS, EndpointRow::sample(tests::HOSTILE, EndpointState::Gone))),
        ]
    }
}
