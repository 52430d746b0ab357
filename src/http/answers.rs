//! The last word on every answer: problems become pages.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{ALLOW, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::Next,
    web,
};

use super::{
    api::{document, is_api},
    caller::{request_id, shell_of},
    page,
    problem::Problem,
    site::{
        callback,
        problem_types::{ProblemPage, StatusPage},
        sign_in_again::SignInAgainPage,
    },
};
use crate::app::App;

/// What a problem's answer keeps when its page is made.
const KEPT: [HeaderName; 4] = [ALLOW, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE];

/// Middleware of the site.
pub(crate) async fn answer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let app = request.app_data::<web::Data<App>>().expect("the route table sets it").clone();
    let answered = next.call(request).await?.map_into_boxed_body();
    Ok(explain(&app, answered))
}

/// Puts the page into an answer that has none yet.
fn explain(app: &App, answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = answer.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    if answer.response().extensions().get::<Page>().is_some() {
        return answer;
    }
    let problem = answer.response().extensions().get::<Problem>().cloned();
    let problem = problem.unwrap_or(match status {
        StatusCode::NOT_FOUND => Problem::NOT_FOUND,
        status => Problem::Status(status),
    });
    let mut page = if is_api(answer.request()) {
        document::respond(&problem, status, request_id(answer.request()))
    } else {
        render(app, answer.request(), &problem, status)
    };
    for name in KEPT {
        for value in answer.headers().get_all(&name) {
            page.headers_mut().append(name.clone(), value.clone());
        }
    }
    for cookie in answer.headers().get_all(actix_web::http::header::SET_COOKIE) {
        page.headers_mut().append(actix_web::http::header::SET_COOKIE, cookie.clone());
    }
    answer.into_response(page)
}

/// Marks an error answer that has a page of its handler's.
#[derive(Debug, Clone, Copy)]
struct Page;

/// For a form that is shown again with what was wrong.
pub(crate) fn with_page(mut answer: HttpResponse) -> HttpResponse {
    answer.extensions_mut().insert(Page);
    answer
}

fn render(app: &App, request: &actix_web::HttpRequest, problem: &Problem, status: StatusCode) -> HttpResponse {
    let shell = shell_of(app, request);
    let rendered = match (problem, problem.problem_type()) {
        (Problem::SignInAgain { return_to }, _) => {
            page::respond(status, &SignInAgainPage { shell, return_to: return_to.as_str().to_owned() })
        }
        (_, Some(problem)) if status.is_client_error() => {
            let clear_address = callback::is_callback(request);
            page::respond(status, &ProblemPage { shell, problem, clear_address, technical: None, invitation: None })
        }
        _ => page::respond(status, &StatusPage { shell, status: status.as_u16() }),
    };
    rendered.unwrap_or_else(|error| {
        tracing::error!(error = %error, "the page of a problem could not be rendered");
        HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
    })
}
