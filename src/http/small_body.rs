//! The body of a request that changes something: small, and not for ever (security.md S-71).

use std::time::Duration;

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::{StatusCode, header::CONTENT_LENGTH},
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt as _;

use super::problem::Problem;

const MOST_BYTES: usize = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses what announces too much before it is read.
pub(super) async fn receive(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MOST_BYTES) {
        return Err(Problem::Status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    tokio::time::timeout(PATIENCE, read(payload)).await.map_err(|_| Problem::Status(StatusCode::REQUEST_TIMEOUT))?
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
