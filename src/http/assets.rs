//! The static files, compiled in and served under names that change with their content.
//!
//! A page asks for `url("app.css")` and gets `/static/app.<hash>.css`. Such an address never means anything else, so that
//! browsers may keep it for a year without asking again. Any other hash is not ours to answer: 404, never a newer file,
//! or a cache between two versions of this program would keep the wrong one for ever.
//!
//! They hold nothing secret and are the same for everybody, so that they are the only answers that are compressed
//! (adr/0012): once, when the first one is asked for.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io::Write as _,
    sync::LazyLock,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{
        AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, Encoding, Header as _, HeaderValue, VARY,
    },
    web,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

struct Asset {
    name: &'static str,
    media_type: &'static str,
    body: &'static [u8],
    zipped: Bytes,
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
        Self { name, media_type, body, zipped: zip(body), url: format!("/static/{stem}.{hash}.{extension}") }
    }
}

fn zip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes what is written").into()
}

/// The address of one of our own files, for templates. A name that is not compiled in is a mistake in a template,
/// which the rendering tests find; a page without it is better than none.
pub(crate) fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| asset.url.as_str())
}

/// `GET /static/{file}`: needs no cookie and sets none (security.md S-34).
pub(crate) fn get_asset(file: web::Path<String>, TakesGzip(takes_gzip): TakesGzip) -> Ready<HttpResponse> {
    let wanted = file.into_inner();
    let found = ASSETS.iter().find(|asset| asset.url.strip_prefix("/static/") == Some(wanted.as_str()));
    ready(match found {
        Some(asset) => {
            let mut answer = HttpResponse::Ok();
            answer.insert_header((CONTENT_TYPE, asset.media_type)).insert_header((CACHE_CONTROL, FOR_EVER));
            answer.insert_header((VARY, "accept-encoding"));
            if takes_gzip {
                answer.insert_header((CONTENT_ENCODING, "gzip")).body(asset.zipped.clone())
            } else {
                answer.body(asset.body)
            }
        }
        None => HttpResponse::NotFound().finish(),
    })
}

/// Whether the browser takes files compressed. Who says nothing gets them as they are.
pub(crate) struct TakesGzip(bool);

impl FromRequest for TakesGzip {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ours = [Encoding::gzip(), Encoding::identity()];
        let takes = request.headers().contains_key(AcceptEncoding::name())
            && AcceptEncoding::parse(request)
                .is_ok_and(|accepted| accepted.negotiate(ours.iter()) == Some(Encoding::gzip()));
        ready(Ok(Self(takes)))
    }
}

/// What a page's file weighs on its way to a browser.
#[cfg(test)]
pub(crate) fn weight(url: &str) -> usize {
    ASSETS
        .iter()
        .find(|asset| asset.url == url)
        .map_or_else(|| panic!("{url} is none of ours"), |asset| asset.zipped.len())
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

    #[actix_web::test]
    async fn who_takes_it_compressed_gets_it_so() {
        let app = test::init_service(App::new().route("/static/{file}", web::get().to(get_asset))).await;
        for (accepted, zipped) in [
            (Some("gzip, deflate, br"), true),
            (Some("br;q=1.0, gzip;q=0.5"), true),
            (Some("gzip;q=0"), false),
            (Some("identity"), false),
            (Some("nonsense of the peer;;"), false),
            (None, false),
        ] {
            let request = test::TestRequest::get().uri(url("app.css"));
            let request = match accepted {
                Some(accepted) => request.insert_header(("accept-encoding", accepted)),
                None => request,
            };
            let answer = test::call_service(&app, request.to_request()).await;
            assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), zipped, "{accepted:?}");
            assert_eq!(answer.headers().get(VARY), Some(&HeaderValue::from_static("accept-encoding")));
            let body = test::read_body(answer).await;
            let mut text = Vec::new();
            if zipped {
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*body), &mut text).expect("gzip");
            } else {
                text.extend_from_slice(&body);
            }
            assert_eq!(text, include_bytes!("../../static/app.css"), "{accepted:?}");
        }
    }

    #[::core::prelude::v1::test]
    fn a_name_that_is_not_compiled_in_has_no_address() {
        assert_eq!(url("app.scss"), "");
    }
}
