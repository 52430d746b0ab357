//! Problem documents (RFC 9457): what the API answers where the site has a page. `type` is the page
//! that explains it, and its words are that page's.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
};
use askama::Template;
use serde_json::json;

use crate::{
    domain::ids::RequestId,
    http::{problem::Problem, site::problem_types::ProblemType},
};

#[derive(Template)]
#[template(
    source = r#"{% import "problems/words.html" as words %}{% call words::title(problem) %}{% endcall %}"#,
    ext = "txt"
)]
struct Title {
    problem: ProblemType,
}

#[derive(Template)]
#[template(
    source = r#"{% import "problems/words.html" as words %}{% call words::happened(problem) %}{% endcall %}"#,
    ext = "txt"
)]
struct Detail {
    problem: ProblemType,
}

/// A status that has no type of its own is told as `about:blank`, by its name and no more.
pub(crate) fn respond(problem: &Problem, status: StatusCode, request_id: RequestId) -> HttpResponse {
    let mut document = json!({
        "type": "about:blank", "title": status.canonical_reason().unwrap_or("Refused"), "status": status.as_u16(),
        "request_id": request_id,
    });
    let told = match problem {
        // For programs it has no type of its own: they may not do this, and `detail` says why.
        Problem::Suspended => Some(ProblemType::Forbidden),
        problem => problem.problem_type(),
    };
    if let Some(problem) = told {
        document["type"] = problem.path().into();
        if let (Ok(title), Ok(detail)) = (Title { problem }.render(), Detail { problem }.render()) {
            document["title"] = title.trim().into();
            document["detail"] = detail.trim().into();
        }
    }
    match problem {
        Problem::Invalid(errors) => document["errors"] = json!(errors),
        Problem::NeedsReconnect { reason, reconnect_url } => {
            document["reason"] = reason.key().into();
            document["reconnect_url"] = reconnect_url.as_str().into();
        }
        Problem::Ambiguous(candidates) => document["candidates"] = json!(candidates),
        Problem::PlainHttp => document["detail"] = "The API is reached by https only.".into(),
        Problem::Suspended => document["detail"] = detail(ProblemType::TenantSuspended).into(),
        Problem::SignInFirst { .. }
        | Problem::SignInAgain { .. }
        | Problem::Explained { .. }
        | Problem::FormExpired
        | Problem::Status(_) => {}
    }
    HttpResponse::build(status).insert_header((CONTENT_TYPE, "application/problem+json")).body(document.to_string())
}

/// What happened, in the words of the problem's page.
pub(super) fn detail(problem: ProblemType) -> String {
    Detail { problem }.render().map(|detail| detail.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_words() {
        for problem in ProblemType::ALL {
            let (title, detail) =
                (Title { problem }.render().expect("a title"), Detail { problem }.render().expect("words"));
            assert!(!title.trim().is_empty() && detail.trim().ends_with('.'), "{problem:?} {title:?} {detail:?}");
            assert!(!format!("{title}{detail}").contains(['&', '<']), "{title} {detail}");
        }
    }
}
