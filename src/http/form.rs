//! A form as it was sent: from our own pages (security.md S-38), one body type, a small size, no
//! unknown fields, and not for ever (S-40, S-71). Every command of the site takes one.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::StatusCode,
    web::{self, Bytes, BytesMut},
};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::{csrf, problem::Problem};
use crate::app::App;

const MOST_BYTES: usize = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// The fields of a urlencoded body.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().expect("the route table sets it");
        let is_ours = csrf::is_same_origin(app, request);
        let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let announced = request
            .headers()
            .get(actix_web::http::header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let payload = payload.take();
        Box::pin(async move {
            if !is_ours {
                return Err(Problem::FormExpired);
            }
            if !is_form {
                return Err(Problem::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
            }
            if announced.is_some_and(|length| length > MOST_BYTES) {
                return Err(Problem::Status(StatusCode::PAYLOAD_TOO_LARGE));
            }
            let body = tokio::time::timeout(PATIENCE, read(payload))
                .await
                .map_err(|_| Problem::Status(StatusCode::REQUEST_TIMEOUT))??;
            let is_text = std::str::from_utf8(&body).is_ok_and(|text| !text.contains("%00") && !text.contains('\0'));
            if !is_text {
                return Err(Problem::INVALID);
            }
            serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| Problem::INVALID)
        })
    }
}

async fn read(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::Status(StatusCode::BAD_REQUEST))?;
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Problem::Status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
