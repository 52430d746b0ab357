//! `GET` and `POST /tenants`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use super::{
    backend::{Backend, ConnectionsRead, OnboardingWrite},
    body,
    cursor::List,
    paging::Paging,
    parameters::Parameters,
    refusals::Refused,
    schema::{ListedTenant, NewTenant, TenantList},
};
use crate::{
    app::App,
    domain::{
        members::{Members, Mistake, plain},
        tenant::{parse_external_id, parse_slug, slug_for},
        text,
    },
    http::{
        caller::{peer, request_id},
        problem::Problem,
        site::problem_types::ProblemType,
    },
    store::{audit_event::Actor, tenant::listed::list},
    vault::tenant::{By, Made, MakeTenant, TenantError, make_tenant},
};

/// Lists tenants.
///
/// A tenant's key sees its own.
#[utoipa::path(
    get, path = "/tenants", tag = "tenants", security(("api_key" = ["connections:read"])),
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 200, description = "50 unless given"),
        ("cursor" = Option<String>, Query, description = "What `next` said, with a key of the same tenant"),
    ),
    responses((status = 200, description = "A page of them", body = TenantList), Refused),
)]
pub(crate) async fn list_tenants(
    app: web::Data<App>,
    backend: Backend<ConnectionsRead>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::read(request.query_string());
    let of = List::new("tenants", backend.tenant_id, "");
    let paging = Paging::read(&mut parameters, &app.keys, of, |text| text.parse().ok());
    parameters.finish()?;
    let mut tx = backend.begin(&app).await?;
    let tenants = list(&mut tx, backend.tenant_id, paging.after, paging.rows()).await?;
    tx.commit().await?;
    let (tenants, next) = paging.cut(&app.keys, tenants, |last| last.tenant_id.to_string());
    let tenants = tenants.into_iter().map(ListedTenant::from).collect();
    Ok(HttpResponse::Ok().json(TenantList { tenants, next }))
}

/// Creates a tenant.
///
/// For keys of all tenants. The same `external_id` with the same name, and slug if given, is the same tenant, however
/// often it is asked for; with others it is refused.
#[utoipa::path(
    post, path = "/tenants", tag = "tenants", security(("api_key" = ["onboarding:write"])),
    request_body = NewTenant,
    responses(
        (status = 201, description = "Created", body = ListedTenant),
        (status = 200, description = "It existed", body = ListedTenant),
        Refused,
    ),
)]
pub(crate) async fn create_tenant(
    app: web::Data<App>,
    backend: Backend<OnboardingWrite>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    if backend.tenant_id.is_some() {
        return Err(Problem::explained(ProblemType::Forbidden));
    }
    Parameters::read(request.query_string()).finish()?;
    let mut members = body::members(&request, payload).await?;
    let wanted = read(&mut members);
    let wanted = body::finish(members, wanted)?;
    let by = By {
        actor: Actor::ApiKey(backend.api_key_id.clone()),
        request_id: request_id(&request),
        peer: peer(&app, &request),
    };
    match make_tenant(&app, &wanted, by).await {
        Ok(Made { tenant, existed }) => {
            let status = if existed { StatusCode::OK } else { StatusCode::CREATED };
            Ok(HttpResponse::build(status).json(ListedTenant::from(tenant)))
        }
        Err(TenantError::ExternalIdTaken) => {
            Err(body::refusal(vec![Mistake::new("external_id", "belongs to a tenant of another name or slug")]))
        }
        Err(TenantError::BeingDeleted) => Err(body::refusal(vec![being_deleted("external_id")])),
        Err(TenantError::SlugTaken) => Err(body::refusal(vec![Mistake::new("slug", "belongs to another tenant")])),
        Err(TenantError::Store(error)) => Err(error.into()),
    }
}

/// The member names a tenant whose deletion is not through yet.
pub(super) fn being_deleted(member: &str) -> Mistake {
    Mistake::new(member, "belongs to a tenant that is being deleted: it is free when all of it has ended")
}

fn read(members: &mut Members) -> Option<MakeTenant> {
    let external_id = members.need("external_id", parse_external_id);
    let name = members.need("name", |name| plain(&text::clean(name)));
    let slug = members.take("slug", parse_slug);
    let name = name?;
    // The caller's, or one of our own making: then it differs with every request.
    let generated = slug_for(&name);
    Some(MakeTenant { external_id: external_id?, slug, generated, name })
}
