//! `GET /organizations`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    backend::{Backend, ConnectionsRead},
    cursor::{List, pair},
    paging::{Narrowed, Paging, narrow, plain_text},
    parameters::Parameters,
    refusals::Refused,
    schema::{ListedOrganization, OrganizationList},
};
use crate::{app::App, http::problem::Problem, store::organization::listed::list};

/// Lists organizations.
///
/// What tenants have connected. A tenant that is not there, or not the key's, has none.
#[utoipa::path(
    get, path = "/organizations", tag = "tenants", security(("api_key" = ["connections:read"])),
    params(
        ("tenant" = Option<String>, Query, description = "Our id, your `external_id` or the slug; narrows what the key sees"),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 200, description = "50 unless given"),
        ("cursor" = Option<String>, Query, description = "What `next` said, with the same filters and a key of the same tenant"),
    ),
    responses((status = 200, description = "A page of them", body = OrganizationList), Refused),
)]
pub(crate) async fn list_organizations(
    app: web::Data<App>,
    backend: Backend<ConnectionsRead>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::read(request.query_string());
    let tenant = parameters.take("tenant", plain_text);
    let of = List::new("organizations", backend.tenant_id, &format!("{tenant:?}"));
    let paging = Paging::read(&mut parameters, &app.keys, of, pair);
    parameters.finish()?;
    let mut tx = backend.begin(&app).await?;
    let organizations = match narrow(&mut tx, backend.tenant_id, tenant.as_deref()).await? {
        Narrowed::To(tenant_id) => list(&mut tx, tenant_id, paging.after, paging.rows()).await?,
        Narrowed::Nothing => Vec::new(),
    };
    tx.commit().await?;
    let (organizations, next) =
        paging.cut(&app.keys, organizations, |last| format!("{} {}", last.tenant_id, last.organization_id));
    let organizations = organizations.into_iter().map(ListedOrganization::from).collect();
    Ok(HttpResponse::Ok().json(OrganizationList { organizations, next }))
}
