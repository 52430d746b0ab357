//! Where browsers see https, the API is reached over nothing else (security.md S-32): a key that
//! traveled in the clear is not even looked at.

use actix_web::{
    Error, HttpRequest, ResponseError as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};

use crate::{
    app::App,
    http::{caller::is_trusted_proxy, problem::Problem},
};

/// Middleware of the API.
pub(super) async fn refuse_plain_http<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let app = request.app_data::<web::Data<App>>().expect("the route table sets it").clone();
    if app.config.public_url.is_https() && !came_by_https(&app, request.request()) {
        let (request, _) = request.into_parts();
        return Ok(ServiceResponse::new(request, Problem::PlainHttp.error_response()));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

/// This program has no TLS of its own: a proxy in front of it does, and says so. Of several words the
/// last is that of the proxy we know.
fn came_by_https(app: &App, request: &HttpRequest) -> bool {
    let Some(peer) = request.peer_addr() else { return false };
    let last = request.headers().get_all("x-forwarded-proto").last().and_then(|value| value.to_str().ok());
    let last = last.and_then(|value| value.rsplit(',').next()).unwrap_or_default();
    is_trusted_proxy(app, peer.ip()) && last.trim().eq_ignore_ascii_case("https")
}
