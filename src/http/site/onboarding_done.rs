//! `/onboarding/{id}/done`: what is connected now, for whom, with which rights, and the way back to where the person came
//! from: a plain link, never a redirect (security.md S-46).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;

use super::{onboarding::Invitation, parts::Organization};
use crate::{
    app::App,
    domain::onboarding::LinkState,
    http::{
        caller::Visitor,
        page::{self, Label, Place, Shell},
        problem::Problem,
        see_other,
    },
    store::connection,
};

#[derive(Template)]
#[template(path = "onboarding_done.html")]
pub(crate) struct OnboardingDonePage {
    pub(crate) shell: Shell,
    pub(crate) tenant: Label,
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    /// The scopes that Zoho granted.
    pub(crate) scopes: Vec<String>,
    pub(crate) way_back: Option<WayBack>,
    /// The connection's page, for whoever is signed in.
    pub(crate) connection: Option<String>,
}

/// The `return_url` of whoever made the link.
pub(crate) struct WayBack {
    pub(crate) url: String,
    pub(crate) host: Label,
}

/// `GET /onboarding/{id}/done`
pub(crate) async fn get_done(
    app: web::Data<App>,
    visitor: Visitor,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let invitation = Invitation::find(&app, &request, &name).await?;
    if !invitation.is_ours() {
        return Err(Problem::NOT_FOUND);
    }
    let link = &invitation.link;
    let (Some(person), Some(connection_id), LinkState::Connected) =
        (&link.person, link.connection_id, link.state(app.clock.shared_now()))
    else {
        return Ok(see_other(&invitation.path()));
    };
    let connections = connection::list_of_person(app.pools.engine(), person.person_id, Some(connection_id)).await?;
    let connection = connections.first();
    let is_signed_in = visitor.session.as_ref().is_some_and(|session| session.person.person_id == person.person_id);
    let page = OnboardingDonePage {
        shell: visitor.shell(&app, Place::Elsewhere),
        tenant: Label::new(&link.tenant_name),
        product: link.product.key(),
        organization: connection.and_then(|connection| connection.organization.as_ref()).map(Organization::of),
        scopes: connection.map(|connection| connection.scopes_granted.names().to_vec()).unwrap_or_default(),
        way_back: link
            .return_url
            .as_ref()
            .map(|url| WayBack { url: url.with_link(link.onboarding_link_id), host: Label::new(url.host()) }),
        connection: is_signed_in.then(|| format!("/connections/{connection_id}")),
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[cfg(test)]
impl OnboardingDonePage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let page = |shell, way_back, connection| Self {
            shell,
            tenant: "Acme".into(),
            product: "crm",
            organization: Some(Organization::sample()),
            scopes: vec!["AaaServer.profile.READ".to_owned(), "ZohoCRM.modules.READ".to_owned()],
            way_back,
            connection,
        };
        let way_back = |url: &str, host: &str| Some(WayBack { url: url.to_owned(), host: host.into() });
        let typical = way_back("https://app.example.com/connected?onboarding_link=019aa3f2", "app.example.com");
        let own = Some("/connections/019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned());
        let hostile = way_back("https://app.example.com/?a=%22%3E%3Cb&onboarding_link=1", tests::HOSTILE);
        vec![
            ("typical", page(Shell::sample(Place::Elsewhere), typical, own.clone())),
            ("no-way-back", page(Shell::sample(Place::Elsewhere), None, own)),
            (
                "worst",
                Self {
                    tenant: tests::HOSTILE.into(),
                    organization: Some(Organization::worst()),
                    ..page(Shell::anonymous(), hostile, None)
                },
            ),
        ]
    }
}
