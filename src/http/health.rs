//! `/livez`, `/readyz` for load balancers, `/metrics` for Prometheus (the management port only).

use actix_web::{HttpResponse, web};

use crate::app::App;

/// The process answers; depends on nothing.
pub(crate) async fn get_livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("yes\n")
}

/// Requests can be served: the database answers and nobody asked us to stop. Zoho is not asked.
pub(crate) async fn get_readyz(app: web::Data<App>) -> HttpResponse {
    if app.readiness.is_ready() {
        HttpResponse::Ok().content_type("text/plain").body("yes\n")
    } else {
        HttpResponse::ServiceUnavailable().content_type("text/plain").body("no\n")
    }
}

pub(crate) async fn get_metrics(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(app.metrics.render())
}
