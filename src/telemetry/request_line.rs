//! One line and two measurements per request, and the request's id.
//!
//! 1. Before anything else the request gets a [`RequestId`] in its extensions, so that pages and
//!    problems can quote it; events inside the request carry it too.
//! 2. Whatever then happens to the request — an answer, a panic, a client that leaves — one line
//!    is written. It has the route's pattern, never the path: paths hold tokens, queries hold
//!    codes (security.md S-68).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};
use tracing::Instrument as _;

use super::metrics;
use crate::domain::ids::RequestId;

/// What kind of caller a request turned out to have; never who.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody known.
    Anonymous,
    /// Somebody with a browser session.
    Person,
    /// A program with an API key.
    Backend,
}

impl Caller {
    const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Person => "person",
            Self::Backend => "backend",
        }
    }
}

/// Shared with the line that is being written: extensions are gone when a client leaves.
struct Noted {
    caller: Cell<Caller>,
    route: RefCell<Option<String>>,
}

/// As an extension of the request.
struct NotedHere(Rc<Noted>);

/// Tells the request's line who calls; for the extractors that find out.
pub(crate) fn note_caller(request: &HttpRequest, caller: Caller) {
    if let Some(noted) = request.extensions().get::<NotedHere>() {
        noted.0.caller.set(caller);
    }
}

/// Tells the request's line its route, for the case that the client leaves; for extractors that may
/// wait. Known only once the routing is done, and cheap from then on: to ask before is to route twice.
pub(crate) fn note_route(request: &HttpRequest) {
    let pattern = request.match_pattern();
    if let Some(noted) = request.extensions().get::<NotedHere>() {
        noted.0.route.replace(pattern);
    }
}

/// What stands for a path that is no route of ours.
const NO_ROUTE: &str = "(none)";
/// What nginx writes for a client that left before the answer was ready.
const CLIENT_LEFT: u16 = 499;

/// The middleware; outermost, so that it sees what the others refuse.
pub(crate) async fn request_line<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = RequestId::new();
    let noted = Rc::new(Noted { caller: Cell::new(Caller::Anonymous), route: RefCell::default() });
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(NotedHere(Rc::clone(&noted)));
    let mut line = Line {
        id,
        method: method_name(request.method()),
        started: Instant::now(),
        noted: Rc::clone(&noted),
        status: None,
    };
    let span = tracing::info_span!("request", request_id = %id);
    let answer = next.call(request).instrument(span).await;
    line.status = Some(match &answer {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    });
    if let Ok(response) = &answer
        && noted.route.borrow().is_none()
    {
        noted.route.replace(response.request().match_pattern());
    }
    answer
}

/// Methods are free text; the line and the metrics know those that exist.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "(other)",
    }
}

/// Written when it is dropped, which nothing can prevent.
struct Line {
    id: RequestId,
    method: &'static str,
    started: Instant,
    noted: Rc<Noted>,
    status: Option<u16>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let status = match self.status {
            Some(status) => status,
            None if std::thread::panicking() => 500,
            None => CLIENT_LEFT,
        };
        let duration = self.started.elapsed();
        let route = self.noted.route.take().unwrap_or_else(|| NO_ROUTE.to_owned());
        tracing::info!(
            parent: None,
            method = self.method,
            route,
            status,
            duration_ms = milliseconds(duration),
            caller = self.noted.caller.get().name(),
            request_id = %self.id,
            "request"
        );
        metrics::count_request(self.method, route, status, duration);
    }
}

/// With three digits after the point.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::tests::capture;
    use actix_web::{App, HttpResponse, http::StatusCode, middleware::from_fn, test, web};

    async fn person(request: HttpRequest) -> HttpResponse {
        note_caller(&request, Caller::Person);
        let id = *request.extensions().get::<RequestId>().expect("an id before the handler");
        tracing::info!("inside");
        HttpResponse::Created().body(id.to_string())
    }

    async fn refuse() -> Result<HttpResponse, Error> {
        Err(actix_web::error::ErrorImATeapot("secret-in-error"))
    }

    fn parse(lines: &[String]) -> Vec<serde_json::Value> {
        lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[actix_web::test]
    async fn s68_a_request_is_one_line_with_its_pattern_and_never_its_path() {
        let (captured, _guard) = capture();
        let app = test::init_service(
            App::new()
                .wrap(from_fn(request_line))
                .route("/onboarding/{token}", web::get().to(person))
                .route("/refused", web::get().to(refuse)),
        )
        .await;
        let call = async |request: test::TestRequest| test::call_service(&app, request.to_request()).await;
        let answer = call(test::TestRequest::get().uri("/onboarding/sesame?code=1000.abc")).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let quoted = test::read_body(answer).await;
        call(test::TestRequest::get().uri("/sesame?state=abc").insert_header(("x-secret", "sesame"))).await;
        call(test::TestRequest::get().uri("/refused?sesame")).await;
        call(
            test::TestRequest::default().method(Method::from_bytes(b"SESAME").expect("a method")).uri("/onboarding/x"),
        )
        .await;
        let lines = captured.lines();
        let events = parse(&lines);
        assert_eq!(events.len(), 5, "{lines:#?}");
        assert_eq!(events[0]["message"], "inside");
        assert_eq!(events[0]["span"]["request_id"], events[1]["request_id"]);
        assert_eq!(events[1]["request_id"], std::str::from_utf8(&quoted).expect("text"));
        let told: Vec<_> = events[1..]
            .iter()
            .map(|event| format!("{} {} {} {}", event["method"], event["route"], event["status"], event["caller"]))
            .collect();
        assert_eq!(
            told,
            [
                r#""GET" "/onboarding/{token}" 201 "person""#,
                r#""GET" "(none)" 404 "anonymous""#,
                r#""GET" "/refused" 418 "anonymous""#,
                r#""(other)" "/onboarding/{token}" 404 "anonymous""#,
            ]
        );
        assert!(events[1]["duration_ms"].is_f64());
        for forbidden in ["sesame", "SESAME", "1000.abc", "secret", "127.0.0.1"] {
            assert!(!lines.concat().contains(forbidden), "{forbidden} in {lines:#?}");
        }
    }

    #[actix_web::test]
    async fn s12_a_client_that_leaves_has_a_line_too() {
        let (captured, _guard) = capture();
        let waiting = |request: HttpRequest| async move {
            note_caller(&request, Caller::Person);
            std::future::pending::<HttpResponse>().await
        };
        let app =
            test::init_service(App::new().wrap(from_fn(request_line)).route("/slow", web::get().to(waiting))).await;
        {
            let call = test::call_service(&app, test::TestRequest::get().uri("/slow").to_request());
            assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
        }
        let events = parse(&captured.lines());
        assert_eq!(events.len(), 1);
        assert_eq!((&events[0]["status"], &events[0]["caller"]), (&499.into(), &"person".into()));
    }
}
