//! `/connections/{id}/disconnect`: what will happen, before it happens.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use super::{connection::own_connection, parts::Organization};
use crate::{
    app::App,
    domain::{ids::ConnectionId, secret::FormToken},
    http::{
        caller::Member,
        form::{Bare, Posted},
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
    },
    store::audit_event::Actor,
    vault::disconnect::{Disconnect, disconnect},
};

#[derive(Template)]
#[template(path = "disconnect.html")]
pub(crate) struct DisconnectPage {
    pub(crate) shell: Shell,
    /// The connection's.
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    pub(crate) tenant: Label,
}

/// `GET /connections/{id}/disconnect`
pub(crate) async fn get_disconnect(
    app: web::Data<App>,
    member: Member,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let connection = own_connection(&app, &member, &id).await?;
    let page = DisconnectPage {
        shell: member.shell(&app, Place::Connections),
        id: connection.connection_id.to_string(),
        product: connection.product.key(),
        organization: connection.organization.as_ref().map(Organization::of),
        data_centre: connection.data_centre.key(),
        tenant: Label::new(&connection.tenant_name),
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /connections/{id}/disconnect`
pub(crate) async fn post_disconnect(
    app: web::Data<App>,
    id: web::Path<String>,
    Posted(member, form): Posted<Member, Bare>,
) -> Result<HttpResponse, Problem> {
    member.check(&FormToken::new(form.csrf))?;
    let connection = own_connection(&app, &member, &id).await?;
    let connection_id: ConnectionId = connection.connection_id;
    let request = Disconnect {
        tenant_id: connection.tenant_id,
        connection_id,
        data_centre: connection.data_centre,
        actor: Actor::Person(member.person().person_id),
        request_id: member.request_id,
        peer: member.peer.clone(),
    };
    disconnect(&app, request).await?;
    Ok(see_other(&format!("/connections/{connection_id}")))
}

#[cfg(test)]
impl DisconnectPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::{Place, tests};

        let page = |shell, organization, tenant: &str| Self {
            shell,
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            product: "assist",
            organization,
            data_centre: "eu",
            tenant: tenant.into(),
        };
        let shell = || Shell::sample(Place::Connections);
        let worst = Shell::worst(Place::Connections);
        vec![
            ("typical", page(shell(), Some(Organization::sample()), "Acme")),
            ("choosing", page(shell(), None, "Acme")),
            ("nameless", page(shell(), Some(Organization::nameless()), "Acme")),
            ("worst", page(worst, Some(Organization::worst()), tests::ENDLESS)),
        ]
    }
}
