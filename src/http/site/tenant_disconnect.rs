//! `/tenants/{tenant}/connections/{id}/disconnect`: an administrator ends somebody's connection. What will happen, before it
//! happens.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use super::{parts::Organization, tenant_connection::connection_of};
use crate::{
    app::App,
    domain::{connection::Status, secret::FormToken},
    http::{
        form::{Bare, Posted},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
        tenant::TenantAdmin,
    },
    store::audit_event::Actor,
    vault::disconnect::{Disconnect, disconnect},
};

#[derive(Template)]
#[template(path = "tenant_disconnect.html")]
pub(crate) struct TenantDisconnectPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    /// Absent where an imported token does not tell.
    pub(crate) person: Option<Label>,
}

/// `GET /tenants/{tenant}/connections/{id}/disconnect`
pub(crate) async fn get_disconnect(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (_, id) = path.into_inner();
    let (connection, person) = connection_of(&app, &admin, &id).await?;
    if connection.status == Status::Disconnected {
        return Ok(see_other(&admin.path(&format!("connections/{id}"))));
    }
    let page = TenantDisconnectPage {
        shell: admin.shell(&app, Place::TenantConnections),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        id,
        product: connection.product.key(),
        organization: connection.organization.as_ref().map(Organization::of),
        data_centre: connection.data_centre.key(),
        person: person.map(|person| Label::new(&person.display_name)),
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/connections/{id}/disconnect`
pub(crate) async fn post_disconnect(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, Bare>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let (_, id) = path.into_inner();
    let (connection, _) = connection_of(&app, &admin, &id).await?;
    let request = Disconnect {
        tenant_id: connection.tenant_id,
        connection_id: connection.connection_id,
        data_centre: connection.data_centre,
        actor: Actor::Person(admin.member.person().person_id),
        request_id: admin.member.request_id,
        peer: admin.member.peer.clone(),
    };
    disconnect(&app, request).await?;
    Ok(see_other(&admin.path(&format!("connections/{id}"))))
}

#[cfg(test)]
impl TenantDisconnectPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |tenant: &str, organization, person: Option<&str>| Self {
            shell: Shell::console(tenant, Place::TenantConnections),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            product: "desk",
            organization,
            data_centre: "eu",
            person: person.map(Into::into),
        };
        vec![
            ("typical", page("Acme", Some(Organization::sample()), Some("Bea Novák"))),
            ("choosing", page("Acme", None, Some("Bea Novák"))),
            ("imported", page("Acme", Some(Organization::nameless()), None)),
            ("worst", page(tests::ENDLESS, Some(Organization::worst()), Some(tests::HOSTILE))),
        ]
    }
}
