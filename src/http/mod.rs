//! The route table, and the two servers that stand behind it.

mod answers;
mod api;
mod assets;
mod caller;
mod cookie;
mod csrf;
mod form;
mod headers;
mod health;
mod operator;
mod page;
mod panics;
mod problem;
mod site;
mod small_body;
mod tenant;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use ::cookie::Cookie;
use actix_web::{
    Handler, HttpResponse, HttpServer, Resource, Responder,
    dev::{Server, ServerHandle},
    http::header::{ALLOW, HeaderValue, LOCATION, SET_COOKIE},
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use crate::app::{App, StartError};

/// A head that is not complete by then is no request (security.md S-71).
const HEAD_TIMEOUT: Duration = Duration::from_secs(8);
const KEEP_ALIVE: Duration = Duration::from_secs(8);

/// Every page and command of the site.
fn site(routes: &mut ServiceConfig) {
    use site::{
        api_keys, audit, callback, connection, connections, delete_webhook, disconnect, import, imported, members,
        onboarding, onboarding_done, onboarding_links, organization_choice, organizations, reconnect_link,
        remove_member, revoke_api_key, sign_in, tenant_connection, tenant_connections, tenant_disconnect, test_call,
        webhook, webhooks, withdraw_onboarding_link,
    };
    routes
        // Tried in this order: what is called most comes first.
        .service(api::routes())
        .service(get("/", sign_in::home))
        .service(get("/login", sign_in::login))
        .service(get("/login/finishing/{tag}", callback::get_finishing))
        .service(
            web::resource(callback::PATH)
                .route(web::get().to(callback::get_callback))
                .default_service(web::to(callback::other_method)),
        )
        .service(post("/logout", sign_in::logout))
        .service(get_and_post("/connections", connections::get_connections, connections::post_connections))
        .service(get("/connections/{id}", connection::get_connection))
        .service(post("/connections/{id}/reconnect", connection::post_reconnect))
        .service(post("/connections/{id}/test", test_call::post_test))
        .service(post("/connections/{id}/organization", organization_choice::post_organization))
        .service(get_and_post("/connections/{id}/disconnect", disconnect::get_disconnect, disconnect::post_disconnect))
        .service(get("/tenants/{tenant}/organizations", organizations::get_organizations))
        .service(get("/tenants/{tenant}/organizations/csv", organizations::get_organizations_csv))
        .service(get("/tenants/{tenant}/connections", tenant_connections::get_connections))
        .service(get("/tenants/{tenant}/connections/csv", tenant_connections::get_connections_csv))
        .service(get("/tenants/{tenant}/connections/{id}", tenant_connection::get_connection))
        .service(post("/tenants/{tenant}/connections/{id}/test", tenant_connection::post_test))
        .service(post("/tenants/{tenant}/connections/{id}/reconnect-link", reconnect_link::post_reconnect_link))
        .service(get_and_post(
            "/tenants/{tenant}/connections/{id}/disconnect",
            tenant_disconnect::get_disconnect,
            tenant_disconnect::post_disconnect,
        ))
        .service(get("/tenants/{tenant}/members", members::get_members))
        .service(post("/tenants/{tenant}/members/{person}/role", members::post_role))
        .service(get_and_post(
            "/tenants/{tenant}/members/{person}/remove",
            remove_member::get_remove,
            remove_member::post_remove,
        ))
        .service(get_and_post("/tenants/{tenant}/leave", remove_member::get_leave, remove_member::post_leave))
        .service(get_and_post("/tenants/{tenant}/api-keys", api_keys::get_api_keys, api_keys::post_api_keys))
        .service(get_and_post(
            "/tenants/{tenant}/api-keys/{id}/revoke",
            revoke_api_key::get_revoke,
            revoke_api_key::post_revoke,
        ))
        .service(get_and_post("/tenants/{tenant}/webhooks", webhooks::get_webhooks, webhooks::post_webhooks))
        .service(get_and_post("/tenants/{tenant}/webhooks/{id}", webhook::get_webhook, webhook::post_webhook))
        .service(post("/tenants/{tenant}/webhooks/{id}/test", webhook::post_test))
        .service(post("/tenants/{tenant}/webhooks/{id}/secret", webhook::post_secret))
        .service(post("/tenants/{tenant}/webhooks/{id}/enabled", webhook::post_enabled))
        .service(post("/tenants/{tenant}/webhooks/{id}/redeliver", webhook::post_redeliver))
        .service(get_and_post(
            "/tenants/{tenant}/webhooks/{id}/delete",
            delete_webhook::get_delete,
            delete_webhook::post_delete,
        ))
        .service(get("/tenants/{tenant}/audit", audit::get_audit))
        .service(get("/tenants/{tenant}/audit/csv", audit::get_audit_csv))
        .service(get_and_post("/tenants/{tenant}/import", import::get_import, import::post_import))
        .service(get("/tenants/{tenant}/import/{id}", imported::get_imported))
        .service(get_and_post("/onboarding/{token}", onboarding::get_onboarding, onboarding::post_onboarding))
        .service(get("/onboarding/{token}/done", onboarding_done::get_done))
        .service(get_and_post(
            "/tenants/{tenant}/onboarding-links",
            onboarding_links::get_onboarding_links,
            onboarding_links::post_onboarding_links,
        ))
        .service(get_and_post(
            "/tenants/{tenant}/onboarding-links/{id}/withdraw",
            withdraw_onboarding_link::get_withdraw,
            withdraw_onboarding_link::post_withdraw,
        ));
    operators_pages(routes);
    for_everybody(routes);
}

/// What nobody else has an address for.
fn operators_pages(routes: &mut ServiceConfig) {
    use site::{
        operator_connection, operator_connections, operator_delete, operator_health, operator_suspend, operator_tenant,
        operator_tenants,
    };
    routes
        .service(operators(
            get_and_post("/operator/tenants", operator_tenants::get_tenants, operator_tenants::post_tenants),
            "GET, HEAD, POST",
        ))
        .service(operators(get("/operator/tenants/{tenant}", operator_tenant::get_tenant), "GET, HEAD"))
        .service(operators(
            post("/operator/tenants/{tenant}/onboarding-links", operator_tenant::post_onboarding_link),
            "POST",
        ))
        .service(operators(
            get_and_post(
                "/operator/tenants/{tenant}/suspend",
                operator_suspend::get_suspend,
                operator_suspend::post_suspend,
            ),
            "GET, HEAD, POST",
        ))
        .service(operators(post("/operator/tenants/{tenant}/resume", operator_suspend::post_resume), "POST"))
        .service(operators(
            get_and_post(
                "/operator/tenants/{tenant}/delete",
                operator_delete::get_delete,
                operator_delete::post_delete,
            ),
            "GET, HEAD, POST",
        ))
        .service(operators(get("/operator/connections", operator_connections::get_connections), "GET, HEAD"))
        .service(operators(get("/operator/connections/{id}", operator_connection::get_connection), "GET, HEAD"))
        .service(operators(get("/operator/health", operator_health::get_health), "GET, HEAD"))
        .service(operators(get("/operator/health/figures", operator_health::get_figures), "GET, HEAD"));
}

/// What needs no sign-in and is the same for everybody.
fn for_everybody(routes: &mut ServiceConfig) {
    use site::{api_docs, problem_types};
    routes
        .service(get("/problems", problem_types::get_problems))
        .service(get("/problems/{slug}", problem_types::get_problem))
        .service(get("/api/docs", api_docs::get_api_docs))
        .service(get("/api/docs/types/{name}", api_docs::get_api_type))
        .service(get("/api/docs/{tag}", api_docs::get_api_calls))
        .service(get("/static/{file}", assets::get_asset))
        .service(get("/livez", health::get_livez))
        .service(get("/readyz", health::get_readyz));
}

fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: actix_web::FromRequest + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(not_allowed("GET, HEAD"))
}

fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: actix_web::FromRequest + 'static,
{
    web::resource(path).route(web::post().to(handler)).default_service(not_allowed("POST"))
}

fn get_and_post<G, GetArgs, P, PostArgs>(path: &str, show: G, change: P) -> Resource
where
    G: Handler<GetArgs, Output: Responder + 'static>,
    GetArgs: actix_web::FromRequest + 'static,
    P: Handler<PostArgs, Output: Responder + 'static>,
    PostArgs: actix_web::FromRequest + 'static,
{
    web::resource(path)
        .route(web::get().to(show.clone()))
        .route(web::head().to(show))
        .route(web::post().to(change))
        .default_service(not_allowed("GET, HEAD, POST"))
}

fn not_allowed(allowed: &'static str) -> actix_web::Route {
    web::to(move || async move { HttpResponse::MethodNotAllowed().insert_header((ALLOW, allowed)).finish() })
}

/// For everybody but operators there is nothing at that address, whatever the method (security.md S-49).
fn operators(resource: Resource, allowed: &'static str) -> Resource {
    resource.default_service(web::to(move |_: operator::Operator| async move {
        HttpResponse::MethodNotAllowed().insert_header((ALLOW, allowed)).finish()
    }))
}

/// The answer after a form, and the only kind of redirect there is.
pub(crate) fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

pub(crate) fn add_cookie(answer: &mut HttpResponse, cookie: &Cookie<'_>) {
    let value = HeaderValue::from_str(&cookie.to_string()).expect("our cookies are plain text");
    answer.headers_mut().append(SET_COOKIE, value);
}

/// Bound sockets, not yet serving.
pub(crate) struct Servers {
    site: Server,
    management: Server,
    listening: SocketAddr,
    management_listening: SocketAddr,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Servers").field("listening", &self.listening).finish_non_exhaustive()
    }
}

impl Servers {
    pub(crate) const fn listening(&self) -> SocketAddr {
        self.listening
    }

    pub(crate) const fn management(&self) -> SocketAddr {
        self.management_listening
    }

    /// Starts serving; the future ends when both have stopped.
    pub(crate) fn run(self) -> ([ServerHandle; 2], impl Future<Output = std::io::Result<()>> + use<>) {
        let handles = [self.site.handle(), self.management.handle()];
        let running = async move {
            let (site, management) = tokio::join!(self.site, self.management);
            site.and(management)
        };
        (handles, running)
    }
}

/// Binds both listeners. Port 0 picks one.
pub(crate) fn bind(app: &Arc<App>) -> Result<Servers, StartError> {
    let refused = |setting, address| move |source| StartError::Listen { setting, address, source };
    let (listen, management_listen) = (app.config.listen, app.config.management_listen);

    let security = web::Data::new(headers::SecurityHeaders::new(app));
    let data = web::Data::from(Arc::clone(app));
    let site = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .app_data(security.clone())
            .app_data(web::QueryConfig::default().error_handler(|_, _| problem::Problem::INVALID.into()))
            .app_data(web::PathConfig::default().error_handler(|_, _| problem::Problem::NOT_FOUND.into()))
            .configure(site)
            .wrap(from_fn(answers::answer))
            .wrap(from_fn(headers::secure))
            .wrap(from_fn(panics::catch))
            .wrap(from_fn(crate::telemetry::request_line))
    })
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(15)
    .disable_signals()
    .bind(listen)
    .map_err(refused("LISTEN", listen))?;
    let listening = site.addrs()[0];

    let data = web::Data::from(Arc::clone(app));
    let management = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .route("/metrics", web::get().to(health::get_metrics))
            .route("/livez", web::get().to(health::get_livez))
            .route("/readyz", web::get().to(health::get_readyz))
    })
    .workers(1)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(1)
    .disable_signals()
    .bind(management_listen)
    .map_err(refused("MANAGEMENT_LISTEN", management_listen))?;
    let management_listening = management.addrs()[0];

    Ok(Servers { site: site.run(), management: management.run(), listening, management_listening })
}
