//! `POST /tenants/{tenant}/connections/{id}/reconnect-link`: an address with which a connection's own person reconnects
//! it. Shown in the answer to its form and never again, also when that form is sent once more.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;

use super::{
    connection::extra_scopes,
    onboarding_links::{Made, by, link_id},
    tenant_connection::{TenantConnectionPage, connection_of},
};
use crate::{
    app::App,
    domain::{
        connection::Status,
        secret::{FormToken, random_token},
    },
    http::{
        answers,
        form::Posted,
        page::{self, Label},
        problem::Problem,
        tenant::TenantAdmin,
    },
    onboarding::links::{Make, USUAL_LIFE, make},
    store::{connection::Connection, person::Person},
};

/// The form, where a link would help.
pub(crate) struct Offer {
    pub(crate) nonce: String,
    /// Whose it is: the only one who can reconnect it.
    pub(crate) email: Label,
}

impl Offer {
    /// For what has lost its access, or some of its rights. What has no organization yet has to be chosen first, and of
    /// an imported token nobody knows whose it is.
    pub(crate) fn of(connection: &Connection, person: Option<&Person>) -> Option<Self> {
        let lacks = match connection.status {
            Status::NeedsReconnect(_) => true,
            Status::Active => !connection.scopes_requested.missing_from(&connection.scopes_granted).names().is_empty(),
            Status::Choosing | Status::Disconnected => false,
        };
        let person = person.filter(|_| lacks && connection.organization.is_some())?;
        Some(Self { nonce: random_token(), email: Label::new(&person.email) })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfferForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    nonce: String,
}

/// Answers with the address in place of a redirect, because nothing keeps it that could be redirected to.
pub(crate) async fn post_reconnect_link(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, OfferForm>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let (connection, person) = connection_of(&app, &admin, &path.1).await?;
    if Offer::of(&connection, person.as_ref()).is_none() {
        // Reconnected meanwhile: its page tells.
        let page = TenantConnectionPage::of(&app, &admin, &connection, person.as_ref()).await?;
        return Ok(answers::with_page(page::respond(StatusCode::CONFLICT, &page)?));
    }
    let wanted = Make {
        product: connection.product,
        // What was asked for before stays asked for.
        scopes: extra_scopes(&app, connection.product, &connection.scopes_requested)?,
        expected_email_domain: None,
        expected_organization: None,
        return_url: None,
        reconnects: Some(connection.connection_id),
        life: USUAL_LIFE,
    };
    let tx = app.pools.begin_as_tenant(connection.tenant_id).await?;
    let id = link_id(&form.nonce, connection.tenant_id, admin.member.person().person_id);
    let made = make(&app, tx, connection.tenant_id, id, &wanted, &by(&admin)).await?;
    let (status, made) = Made::of(made, app.clock.shared_now());
    let page = TenantConnectionPage::of(&app, &admin, &connection, person.as_ref()).await?;
    let page = TenantConnectionPage { made: Some(made), ..page };
    Ok(answers::with_page(page::respond(status, &page)?))
}
