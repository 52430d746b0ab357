//! A handler that panics is our bug and one caller's 500: everybody else is served on, and the caller
//! gets an answer with a request id instead of a connection that breaks (security.md S-69).

use std::panic::AssertUnwindSafe;

use actix_web::{
    Error, HttpMessage as _, HttpResponse, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web,
};
use askama::Template as _;
use futures_util::FutureExt as _;

use super::{
    api::{document, is_api},
    headers::SecurityHeaders,
    page::{Label, Place, Shell, Wellness},
    problem::Problem,
    site::problem_types::StatusPage,
};
use crate::{app::App, domain::ids::RequestId};

/// Middleware: outside of everything that may panic, so that it has to bring all of the answer along.
pub(crate) async fn catch<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    // Taken now: the request itself does not come back from a panic.
    let caught = Caught {
        request_id: request.extensions().get::<RequestId>().copied().unwrap_or_else(RequestId::new),
        is_api: is_api(request.request()),
        demo: request.app_data::<web::Data<App>>().is_some_and(|app| app.config.demo),
        security: request.app_data::<web::Data<SecurityHeaders>>().map(|headers| headers.as_ref().clone()),
    };
    match AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().await {
        Ok(answer) => answer,
        // What it said is in the log, by the panic hook.
        Err(_) => Err(caught.into()),
    }
}

/// Becomes the answer.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Caught {
    request_id: RequestId,
    is_api: bool,
    demo: bool,
    security: Option<SecurityHeaders>,
}

impl ResponseError for Caught {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = if self.is_api {
            document::respond(&Problem::Status(self.status_code()), self.status_code(), self.request_id)
        } else {
            self.page()
        };
        if let Some(security) = &self.security {
            let mut headers = HeaderMap::new();
            security.apply(&mut headers);
            for (name, value) in headers {
                answer.headers_mut().insert(name, value);
            }
        }
        answer
    }
}

impl Caught {
    fn page(&self) -> HttpResponse {
        let shell = Shell {
            site: Label::new("Login with Zoho"),
            person: None,
            csrf: String::new(),
            request_id: self.request_id.to_string(),
            here: Place::Elsewhere,
            console: None,
            tenants: Vec::new(),
            is_operator: false,
            wellness: Wellness::Well,
            demo: self.demo,
        };
        let page = StatusPage { shell, status: self.status_code().as_u16() };
        let (kind, body) = match page.render() {
            Ok(body) => (HeaderValue::from_static("text/html; charset=utf-8"), body),
            Err(_) => (HeaderValue::from_static("text/plain"), format!("Request {} failed.\n", self.request_id)),
        };
        HttpResponse::build(self.status_code()).insert_header((CONTENT_TYPE, kind)).body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{HttpRequest, middleware::from_fn, test};

    async fn fail(request: HttpRequest) -> HttpResponse {
        assert!(request.uri().query().is_none(), "1000.secret");
        HttpResponse::Ok().finish()
    }

    #[actix_web::test]
    async fn s69_a_panic_is_a_500_with_a_request_id_and_the_process_lives() {
        let app = test::init_service(
            actix_web::App::new()
                .route("/connections", web::get().to(fail))
                .route("/api/v1/connections", web::get().to(fail))
                .wrap(from_fn(catch))
                .wrap(from_fn(crate::telemetry::request_line)),
        )
        .await;
        for (path, kind) in [("/connections", "text/html"), ("/api/v1/connections", "application/problem+json")] {
            let panics = test::TestRequest::get().uri(&format!("{path}?x")).to_request();
            let error = test::try_call_service(&app, panics).await.expect_err("a panic");
            let answer = error.error_response();
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(answer.headers().get(CONTENT_TYPE).expect("a type").to_str().expect("text").starts_with(kind));
            let id = error.as_error::<Caught>().expect("ours").request_id.to_string();
            let body = actix_web::body::to_bytes(answer.into_body()).await.expect("a body");
            let body = std::str::from_utf8(&body).expect("text");
            assert!(body.contains(&id) && !body.contains("1000.secret"), "{body}");
            let works = test::TestRequest::get().uri(path).to_request();
            assert_eq!(test::call_service(&app, works).await.status(), StatusCode::OK);
        }
    }

    #[actix_web::test]
    async fn s69_over_a_socket_the_connection_of_a_panic_goes_on() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let server = actix_web::HttpServer::new(|| {
            actix_web::App::new().route("/api/v1/connections", web::get().to(fail)).wrap(from_fn(catch))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a port");
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let mut socket = tokio::net::TcpStream::connect(address).await.expect("a connection");
        let get = |query: &str, more: &str| format!("GET /api/v1/connections{query} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
        let both = get("?x", "") + &get("", "Connection: close\r\n");
        socket.write_all(both.as_bytes()).await.expect("two requests");
        let mut answers = String::new();
        socket.read_to_string(&mut answers).await.expect("two answers");
        handle.stop(false).await;
        let heads: Vec<_> = answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
        assert_eq!(heads, ["500", "200"], "{answers}");
        assert!(answers.contains("content-type: application/problem+json"), "{answers}");
    }
}
