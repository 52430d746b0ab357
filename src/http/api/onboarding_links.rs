//! `POST /onboarding-links`, `GET` and `DELETE /onboarding-links/{id}`.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;

use super::{
    backend::{Backend, OnboardingWrite},
    body,
    parameters::{Parameters, id_alone},
    refusals::RefusedOrUnknown,
    schema::{NewOnboardingLink, OnboardingLink, OnboardingState},
    tenants::being_deleted,
};
use crate::{
    app::App,
    config::parse_duration,
    domain::{
        ids::{OnboardingLinkId, RequestId, TenantId},
        members::{Members, Mistake, plain},
        onboarding::{EmailDomain, ReturnUrl},
        organization::ZohoOrganizationId,
        product::Product,
        scope::ScopeSet,
        tenant::parse_external_id,
        tenant::slug_for,
        text,
    },
    http::{
        caller::{peer, request_id},
        problem::Problem,
        site::{connection::extra_scopes, problem_types::ProblemType},
        tenant::check_not_suspended,
    },
    onboarding::{
        By,
        end::withdraw,
        links::{LONGEST_LIFE, Make, USUAL_LIFE, make},
    },
    store::{audit_event::Actor, onboarding_link::listed::find_state, tenant},
    vault::tenant::{self as tenants, MakeTenant, TenantError, make_tenant},
};

/// Makes an onboarding link.
///
/// Give its address to whoever is to connect their Zoho organization to a customer of yours. It works once, for the
/// browser that begins first; opening it changes nothing.
#[utoipa::path(
    post, path = "/onboarding-links", tag = "onboarding", security(("api_key" = ["onboarding:write"])),
    request_body = NewOnboardingLink,
    responses((status = 201, description = "Made", body = OnboardingLink), RefusedOrUnknown),
)]
pub(crate) async fn create_onboarding_link(
    app: web::Data<App>,
    backend: Backend<OnboardingWrite>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    Parameters::read(request.query_string()).finish()?;
    let mut members = body::members(&request, payload).await?;
    let tenant = read_tenant(&mut members);
    let wanted = read(&app, &mut members);
    let (tenant, wanted) = body::finish(members, tenant.zip(wanted))?;
    let by = by(&app, &backend, &request);
    let tenant_id = resolve(&app, &backend, tenant, &by).await?;
    check_not_suspended(&app, tenant_id).await?;
    let tx = backend.begin(&app).await?;
    let made = make(&app, tx, tenant_id, OnboardingLinkId::new(), &wanted, &by).await?;
    let made = made.ok_or(Problem::Status(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(HttpResponse::Created().json(OnboardingLink::of(&made)))
}

/// Tells how far an onboarding link is.
#[utoipa::path(
    get, path = "/onboarding-links/{id}", tag = "onboarding", security(("api_key" = ["onboarding:write"])),
    params(("id" = String, Path, format = "uuid", description = "The link's id")),
    responses((status = 200, description = "How it stands", body = OnboardingState), RefusedOrUnknown),
)]
pub(crate) async fn get_onboarding_link(
    app: web::Data<App>,
    backend: Backend<OnboardingWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id: OnboardingLinkId = id_alone(&request)?;
    let mut tx = backend.begin(&app).await?;
    let found = find_state(&mut *tx, backend.tenant_id, id, app.clock.shared_now()).await?;
    tx.commit().await?;
    let (state, connection_id) = found.ok_or(Problem::NOT_FOUND)?;
    Ok(HttpResponse::Ok().json(OnboardingState::new(id, state, connection_id)))
}

/// Withdraws an onboarding link.
///
/// What was granted and not confirmed is revoked at Zoho. A link that has ended stays as it is.
#[utoipa::path(
    delete, path = "/onboarding-links/{id}", tag = "onboarding", security(("api_key" = ["onboarding:write"])),
    params(("id" = String, Path, format = "uuid", description = "The link's id")),
    responses((status = 204, description = "It works no more"), RefusedOrUnknown),
)]
pub(crate) async fn withdraw_onboarding_link(
    app: web::Data<App>,
    backend: Backend<OnboardingWrite>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id: OnboardingLinkId = id_alone(&request)?;
    let by = by(&app, &backend, &request);
    if withdraw(&app, backend.tenant_id, id, &by).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::NOT_FOUND)
    }
}

fn by(app: &App, backend: &Backend<OnboardingWrite>, request: &HttpRequest) -> By {
    By {
        actor: Actor::ApiKey(backend.api_key_id.clone()),
        request_id: Some(request_id(request)),
        peer: Some(peer(app, request)),
    }
}

/// How a body names the tenant.
enum Inviting {
    /// Our id, the `external_id` or the slug.
    Named(String),
    /// The caller's own id; with a name it may be new.
    External { external_id: String, name: Option<String> },
}

fn read_tenant(members: &mut Members) -> Option<Inviting> {
    if members.is_text("tenant") {
        return members.take("tenant", plain).map(Inviting::Named);
    }
    if !members.is_there("tenant") {
        return None;
    }
    let mut tenant = members.open("tenant")?;
    let id = tenant.need("external_id", parse_external_id);
    let name = tenant.take("name", |name| plain(&text::clean(name)));
    members.close(tenant);
    Some(Inviting::External { external_id: id?, name })
}

fn read(app: &App, members: &mut Members) -> Option<Make> {
    let product = members.need("product", Product::from_str);
    let scopes = members.take_list("scopes").unwrap_or_default();
    let scopes = match (scopes.join(",").parse::<ScopeSet>(), product) {
        (Ok(scopes), Some(product)) => {
            extra_scopes(app, product, &scopes).map_err(|_| members.add("scopes", "are too many")).ok()
        }
        (Ok(scopes), None) => Some(scopes),
        (Err(error), _) => {
            members.add("scopes", error);
            None
        }
    };
    let expected_email_domain = members.take("expected_email_domain", EmailDomain::from_str);
    let expected_organization = members.take("expected_organization", ZohoOrganizationId::from_str);
    let return_url = members.take("return_url", |url| ReturnUrl::parse(url, &app.config.return_origins));
    let life = members.take("expires_in", life).unwrap_or(USUAL_LIFE);
    Some(Make {
        product: product?,
        scopes: scopes?,
        expected_email_domain,
        expected_organization,
        return_url,
        reconnects: None,
        life,
    })
}

/// `7d`, and no longer than `LONGEST_LIFE`.
fn life(text: &str) -> Result<TimeDelta, String> {
    let life = parse_duration(text).map_err(|error| error.to_string())?;
    let life = TimeDelta::from_std(life).ok().filter(|life| *life <= LONGEST_LIFE);
    life.ok_or_else(|| format!("must be at most {}d", LONGEST_LIFE.num_days()))
}

/// The tenant that the key may invite for. A tenant's key names its own: another's and an invented one are
/// the same to it (security.md S-41).
async fn resolve(
    app: &App,
    backend: &Backend<OnboardingWrite>,
    tenant: Inviting,
    by: &By,
) -> Result<TenantId, Problem> {
    let own = |found: &TenantId| backend.tenant_id.is_none_or(|own| own == *found);
    match tenant {
        Inviting::Named(name) => {
            let found = tenant::find_by_any_name(app.pools.engine(), &name).await?;
            found.filter(own).ok_or(Problem::NOT_FOUND)
        }
        Inviting::External { external_id, name } => {
            let find = async || tenant::listed::find_by_external_id(app.pools.engine(), &external_id).await;
            let found = find().await?.map(|tenant| tenant.tenant_id);
            match (found.filter(own), backend.tenant_id, name) {
                (Some(tenant_id), ..) => Ok(tenant_id),
                (None, Some(_), _) => Err(Problem::explained(ProblemType::Forbidden)),
                (None, None, None) => Err(body::refusal(vec![Mistake::new("tenant.name", "is missing")])),
                (None, None, Some(name)) => {
                    let generated = slug_for(&name);
                    let wanted = MakeTenant { external_id: external_id.clone(), name, slug: None, generated };
                    match make_tenant(app, &wanted, made_by(by)).await {
                        Ok(made) => Ok(made.tenant.tenant_id),
                        Err(TenantError::Store(error)) => Err(error.into()),
                        Err(TenantError::BeingDeleted) => Err(body::refusal(vec![being_deleted("tenant.external_id")])),
                        // Another request was faster, with another name.
                        Err(TenantError::ExternalIdTaken | TenantError::SlugTaken) => {
                            find().await?.map(|tenant| tenant.tenant_id).ok_or_else(Problem::unavailable)
                        }
                    }
                }
            }
        }
    }
}

fn made_by(by: &By) -> tenants::By {
    tenants::By {
        actor: by.actor.clone(),
        request_id: by.request_id.unwrap_or_else(RequestId::new),
        peer: by.peer.clone().unwrap_or_default(),
    }
}
