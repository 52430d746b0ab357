//! `/api/docs`: the OpenAPI document for people, made on the server from the same document; needs no script,
//! no key and no other host. A page for each tag's calls and one for each type, so that none is heavy (ui.md).

mod example;
mod operations;
mod types;

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use self::{
    operations::{Group, Refusal, groups, take_common},
    types::{Described, Named, described},
};
use crate::{
    app::App,
    http::{
        api::openapi::document,
        caller::Visitor,
        page::{self, Place, Shell},
        problem::Problem,
    },
};

/// `/api/docs`
#[derive(Template)]
#[template(path = "api_docs.html")]
pub(crate) struct ApiDocsPage {
    shell: Shell,
    contents: &'static Contents,
}

/// `/api/docs/{tag}`
#[derive(Template)]
#[template(path = "api_docs_calls.html")]
pub(crate) struct ApiCallsPage {
    shell: Shell,
    contents: &'static Contents,
    group: &'static Group,
    /// Where this installation is reached: the examples can be copied as they stand.
    origin: String,
}

/// `/api/docs/types/{name}`
#[derive(Template)]
#[template(path = "api_docs_type.html")]
pub(crate) struct ApiTypePage {
    shell: Shell,
    contents: &'static Contents,
    described: &'static Described,
}

/// What the pages say is the same for everybody.
struct Contents {
    about: Prose,
    /// The path of the API below the origin.
    root: String,
    groups: Vec<Group>,
    /// Refusals of every call with a key.
    common: Vec<Refusal>,
    types: Vec<Described>,
}

static CONTENTS: LazyLock<Contents> = LazyLock::new(|| {
    let document = document();
    let root = document.servers.iter().flatten().next().map(|server| server.url.clone()).unwrap_or_default();
    let about = Prose::new(document.info.description.as_deref().unwrap_or_default());
    let mut groups = groups(document);
    let common = take_common(&mut groups);
    Contents { about, root, groups, common, types: described(document) }
});

/// The document's words: paragraphs of text and `code`.
pub(crate) struct Prose(Vec<Vec<Piece>>);

pub(crate) struct Piece {
    words: String,
    is_code: bool,
}

impl Prose {
    fn new(text: &str) -> Self {
        let piece = |(index, words): (usize, &str)| Piece { words: words.to_owned(), is_code: index % 2 == 1 };
        let paragraph = |text: &str| text.split('`').enumerate().map(piece).collect();
        Self(text.split("\n\n").filter(|text| !text.trim().is_empty()).map(paragraph).collect())
    }

    fn paragraphs(&self) -> &[Vec<Piece>] {
        &self.0
    }
}

/// `GET /api/docs`
pub(crate) async fn get_api_docs(app: web::Data<App>, visitor: Visitor) -> Result<HttpResponse, Problem> {
    let page = ApiDocsPage { shell: visitor.shell(&app, Place::Elsewhere), contents: &CONTENTS };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `GET /api/docs/{tag}`
pub(crate) async fn get_api_calls(
    app: web::Data<App>,
    visitor: Visitor,
    tag: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let group = CONTENTS.groups.iter().find(|group| group.name == *tag).ok_or(Problem::NOT_FOUND)?;
    let origin = app.config.public_url.origin().to_owned();
    let page = ApiCallsPage { shell: visitor.shell(&app, Place::Elsewhere), contents: &CONTENTS, group, origin };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `GET /api/docs/types/{name}`
pub(crate) async fn get_api_type(
    app: web::Data<App>,
    visitor: Visitor,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let described = CONTENTS.types.iter().find(|described| described.name == *name).ok_or(Problem::NOT_FOUND)?;
    let page = ApiTypePage { shell: visitor.shell(&app, Place::Elsewhere), contents: &CONTENTS, described };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[cfg(test)]
impl ApiDocsPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let page = |shell| Self { shell, contents: &CONTENTS };
        vec![("typical", page(Shell::anonymous())), ("worst", page(Shell::worst(Place::Elsewhere)))]
    }
}

#[cfg(test)]
impl ApiCallsPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let page = |shell, group, origin: &str| Self { shell, contents: &CONTENTS, group, origin: origin.to_owned() };
        let long = "https://a-rather-long-name-of-a-host.of.an.installation.example.com:8443";
        let typical =
            |group: &'static Group| (group.name.as_str(), page(Shell::anonymous(), group, "https://login.example.com"));
        let mut samples: Vec<_> = CONTENTS.groups.iter().map(typical).collect();
        samples
            .extend(CONTENTS.groups.first().map(|group| ("worst", page(Shell::worst(Place::Elsewhere), group, long))));
        samples
    }
}

#[cfg(test)]
impl ApiTypePage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let page = |described: &'static Described| {
            (described.name.as_str(), Self { shell: Shell::anonymous(), contents: &CONTENTS, described })
        };
        CONTENTS.types.iter().map(page).collect()
    }
}
