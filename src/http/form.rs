//! A form as it was sent: from our own pages (security.md S-38), one body type, a small size, no
//! unknown fields (S-40). Every command of the site takes one, together with who sends it.

use std::{future::Future, pin::Pin, str::FromStr};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::StatusCode, web};
use serde::{Deserialize, de::DeserializeOwned};

use super::{csrf, problem::Problem, small_body};
use crate::app::App;

/// Who sends, and the fields of a urlencoded body. The form is read before anybody is looked up: what is no
/// form of ours gets the same answer for every sender and every address (security.md S-41).
#[derive(Debug)]
pub(crate) struct Posted<Sender, Fields>(pub(crate) Sender, pub(crate) Fields);

impl<Sender, Fields> FromRequest for Posted<Sender, Fields>
where
    Sender: FromRequest<Error = Problem> + 'static,
    Fields: DeserializeOwned + 'static,
{
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let fields = fields(&request, payload).await?;
            Ok(Self(Sender::from_request(&request, &mut Payload::None).await?, fields))
        })
    }
}

/// A form that says no more than that it is ours: its address says what is to be done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bare {
    #[serde(default)]
    pub(crate) csrf: String,
}

/// The fields of a form with boxes. Those that are ticked come one field each, all of one name, and are told in order;
/// anything else comes once, and nothing comes that we do not know (security.md S-40).
pub(crate) fn with_boxes<const N: usize, Ticked: FromStr + Ord>(
    fields: Vec<(String, String)>,
    known: [&str; N],
    boxes: &str,
) -> Result<([Option<String>; N], Vec<Ticked>), Problem> {
    let mut once = [const { None }; N];
    let mut ticked = Vec::new();
    for (field, value) in fields {
        if field == boxes {
            ticked.push(value.parse().map_err(|_| Problem::INVALID)?);
            continue;
        }
        let place = known.iter().position(|known| *known == field).ok_or(Problem::INVALID)?;
        if once[place].replace(value).is_some() {
            return Err(Problem::INVALID);
        }
    }
    ticked.sort_unstable();
    ticked.dedup();
    Ok((once, ticked))
}

pub(super) async fn fields<T: DeserializeOwned>(request: &HttpRequest, payload: Payload) -> Result<T, Problem> {
    let app = request.app_data::<web::Data<App>>().expect("the route table sets it");
    if !csrf::is_same_origin(app, request) {
        return Err(Problem::FormExpired);
    }
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let body = small_body::receive(request, payload).await?;
    let is_text = std::str::from_utf8(&body).is_ok_and(|text| !text.contains("%00") && !text.contains('\0'));
    if !is_text {
        return Err(Problem::INVALID);
    }
    serde_urlencoded::from_bytes(&body).map_err(|_| Problem::INVALID)
}
