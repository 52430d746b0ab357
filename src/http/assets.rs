//! The static files, compiled in and served under names that change with their content.
//!
//! A page asks for `url("app.css")` and gets `/static/app.<hash>.css`. Such an address never means anything else, so that
//! browsers may keep it for a year without asking again. Any other hash is not ours to answer: 404, never a newer file,
//! or a cache between two versions of this program would keep the wrong one for ever.

use std::{
    future::{Ready, ready},
    sync::LazyLock,
};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    web,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

struct Asset {
    name: &'static str,
    media_type: &'static str,
    body: &'static [u8],
    /// `/static/<stem>.<hash>.<extension>`
    url: String,
}

static ASSETS: LazyLock<[Asset; 9]> = LazyLock::new(|| {
    [
        Asset::new("app.css", "text/css; charset=utf-8", include_bytes!("../../static/app.css")),
        Asset::new("console.css", "text/css; charset=utf-8", include_bytes!("../../static/console.css")),
        Asset::new("console.js", "text/javascript; charset=utf-8", include_bytes!("../../static/console.js")),
        Asset::new("docs.css", "text/css; charset=utf-8", include_bytes!("../../static/docs.css")),
        Asset::new("app.js", "text/javascript; charset=utf-8", include_bytes!("../../static/app.js")),
        Asset::new("icons.svg", "image/svg+xml", include_bytes!("../../static/icons.svg")),
        Asset::new("favicon-attention.svg", "image/svg+xml", include_bytes!("../../static/favicon-attention.svg")),
        Asset::new("favicon-broken.svg", "image/svg+xml", include_bytes!("../../static/favicon-broken.svg")),
        Asset::new("favicon.svg", "image/svg+xml", include_bytes!("../../static/favicon.svg")),
    ]
});

impl Asset {
    fn new(name: &'static str, media_type: &'static str, body: &'static [u8]) -> Self {
        let digest = Sha256::digest(body);
        // 72 bits tell versions of one file apart; nobody gains by a collision in files that we wrote ourselves.
        let hash = URL_SAFE_NO_PAD.encode(&digest[..9]);
        let (stem, extension) = name.split_once('.').expect("our files have an extension");
        Self { name, media_type, body, url: format!("/static/{stem}.{hash}.{extension}") }
    }
}

/// The address of one of our own files, for templates. A name that is not compiled in is a mistake in a template,
/// which the rendering tests find; a page without it is better than none.
pub(crate) fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| asset.url.as_str())
}

/// `GET /static/{file}`: needs no cookie and sets none (security.md S-34).
pub(crate) fn get_asset(path: web::Path<String>) -> Ready<HttpResponse> {
    let wanted = path.into_inner();
    let found = ASSETS.iter().find(|asset| asset.url.strip_prefix("/static/") == Some(wanted.as_str()));
    ready(match found {
        Some(asset) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, asset.media_type))
            .insert_header((CACHE_CONTROL, FOR_EVER))
            .body(asset.body),
        None => HttpResponse::NotFound().finish(),
    })
}

#[cfg(test)]
mod tests {
    use actix_web::{App, http::StatusCode, test};

    use super::*;

    #[actix_web::test]
    async fn a_file_is_found_under_its_hash_and_nothing_else() {
        let app = test::init_service(App::new().route("/static/{file}", web::get().to(get_asset))).await;
        let get = |uri: &str| test::TestRequest::get().uri(uri).to_request();

        for name in ["app.css", "console.css", "console.js", "docs.css", "app.js", "icons.svg", "favicon.svg"] {
            let answer = test::call_service(&app, get(url(name))).await;
            assert_eq!(answer.status(), StatusCode::OK, "{name}");
            assert_eq!(answer.headers().get(CACHE_CONTROL), Some(&FOR_EVER));
            assert!(!test::read_body(answer).await.is_empty());
        }
        for stranger in ["/static/app.css", "/static/app.AAAAAAAAAAAA.css", "/static/.."] {
            let answer = test::call_service(&app, get(stranger)).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{stranger}");
            assert!(!answer.headers().contains_key(CACHE_CONTROL));
        }
    }

    #[::core::prelude::v1::test]
    fn a_name_that_is_not_compiled_in_has_no_address() {
        assert_eq!(url("app.scss"), "");
    }
}
