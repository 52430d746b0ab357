//! A form as it was sent: from our own pages (security.md S-38), one body type, a small size, no
//! unknown fields (S-40). Every command of the site takes one.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::StatusCode, web};
use serde::de::DeserializeOwned;

use super::{csrf, problem::Problem, small_body};
use crate::app::App;

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
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if !is_ours {
                return Err(Problem::FormExpired);
            }
            if !is_form {
                return Err(Problem::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
            }
            let body = small_body::receive(&request, payload).await?;
            let is_text = std::str::from_utf8(&body).is_ok_and(|text| !text.contains("%00") && !text.contains('\0'));
            if !is_text {
                return Err(Problem::INVALID);
            }
            serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| Problem::INVALID)
        })
    }
}
