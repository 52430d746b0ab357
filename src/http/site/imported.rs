//! `/tenants/{tenant}/import/{id}`: what an import has connected.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use super::parts::Organization;
use crate::{
    app::App,
    domain::{connection::Status, ids::ConnectionId},
    http::{
        page::{self, Label, Place, Shell},
        problem::Problem,
        tenant::TenantAdmin,
    },
    store::connection::listed::{Filter, list},
};

#[derive(Template)]
#[template(path = "imported.html")]
pub(crate) struct ImportedPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    /// The connection's.
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) data_centre: &'static str,
    /// None while it is to be chosen.
    pub(crate) organization: Option<Organization>,
    /// None where the token does not tell.
    pub(crate) person: Option<Label>,
    /// Whether it is the reader's own, who then finds it among their connections.
    pub(crate) is_mine: bool,
    pub(crate) scopes: Vec<String>,
}

/// `GET /tenants/{tenant}/import/{id}`
pub(crate) async fn get_imported(
    app: web::Data<App>,
    admin: TenantAdmin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (_, id) = path.into_inner();
    let connection_id: ConnectionId = id.parse().map_err(|_| Problem::NOT_FOUND)?;
    let tenant_id = admin.tenant.tenant_id;
    let filter = Filter { tenant_id: Some(tenant_id), connection_id: Some(connection_id), ..Filter::default() };
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let found = list(&mut tx, &filter, None, 1).await?.pop();
    tx.commit().await?;
    let connection = found.filter(|connection| connection.status != Status::Disconnected).ok_or(Problem::NOT_FOUND)?;
    let own_id = admin.member.person().person_id;
    let page = ImportedPage {
        shell: admin.shell(&app, Place::Elsewhere),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        id: connection.connection_id.to_string(),
        product: connection.product.key(),
        data_centre: connection.data_centre.key(),
        organization: connection.organization.as_ref().map(Organization::of),
        is_mine: connection.person.as_ref().is_some_and(|person| person.person_id == own_id),
        person: connection.person.map(|person| {
            Label::new(if person.display_name.is_empty() { &person.email } else { &person.display_name })
        }),
        scopes: connection.scopes_granted,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[cfg(test)]
impl ImportedPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |shell, tenant: &str, organization, person: Option<&str>, is_mine| Self {
            shell,
            slug: "acme-7f3a21".to_owned(),
            tenant: tenant.into(),
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            product: "desk",
            data_centre: "eu",
            organization,
            person: person.map(Label::new),
            is_mine,
            scopes: vec!["AaaServer.profile.READ".to_owned(), "Desk.basic.READ".to_owned()],
        };
        let shell = || Shell::sample(Place::Elsewhere);
        let worst = Shell::worst(Place::Elsewhere);
        vec![
            ("mine", page(shell(), "Acme", Some(Organization::sample()), Some("Ann"), true)),
            ("nobody", page(shell(), "Acme", Some(Organization::nameless()), None, false)),
            ("choosing", page(shell(), "Acme", None, Some("Ann"), true)),
            ("choosing-elsewhere", page(shell(), "Acme", None, Some("Bea"), false)),
            ("worst", page(worst, tests::HOSTILE, Some(Organization::worst()), Some(tests::HOSTILE), false)),
        ]
    }
}
