//! Writing an answer, well or badly: slowly, cut off, without end, reset.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, MessageBody as _, SizedStream};
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream::{self, StreamExt as _};
use socket2::Socket;

use super::Act;
use crate::emulator::answer::Answer;

/// The connection breaks here, as ordered.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut off by a fault of the control port")
    }
}

impl std::error::Error for Cut {}

/// Turns an answer into a response; `act` says how its bytes travel, `socket` is the connection it travels on.
pub(in crate::emulator) async fn write(answer: Answer, act: &Act, socket: Option<&Socket>) -> HttpResponse {
    if act.hang {
        std::future::pending::<Infallible>().await;
    }
    let mut response = HttpResponseBuilder::new(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    for (name, value) in &answer.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    if act.reset {
        // With SO_LINGER 0 closing sends RST. The body fails before its first byte, so not even the head is flushed.
        if let Some(socket) = socket {
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
        return response.body(BodyStream::new(stream::once(async { Err::<Bytes, Cut>(Cut) })));
    }
    if act.endless {
        return response.body(endless(answer.body, act.drip));
    }
    if let Some(length) = act.truncate {
        return response.body(truncated(&answer.body, length));
    }
    match act.drip {
        Some(rate) => response.body(dripping(answer.body, rate)),
        None => response.body(answer.body),
    }
}

fn dripping(body: Bytes, rate: u32) -> BoxBody {
    let length = body.len() as u64;
    let pause = Duration::from_secs(1) / rate.max(1);
    let drops = stream::iter(0..body.len()).then(move |index| {
        let drop = body.slice(index..=index);
        async move {
            tokio::time::sleep(pause).await;
            Ok::<_, Infallible>(drop)
        }
    });
    SizedStream::new(length, drops.boxed_local()).boxed()
}

fn truncated(body: &Bytes, length: usize) -> BoxBody {
    let sent = body.slice(..length.min(body.len()));
    let promised = (body.len().max(length) + 1) as u64;
    let cut = stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err::<Bytes, Cut>(Cut)
    });
    SizedStream::new(promised, stream::iter([Ok(sent)]).chain(cut).boxed_local()).boxed()
}

/// Blanks for ever after the real body: valid JSON as far as anybody can tell.
fn endless(body: Bytes, rate: Option<u32>) -> BoxBody {
    let blanks = Bytes::from(vec![b' '; rate.map_or(16 * 1024, |rate| rate.max(1) as usize)]);
    let pause = if rate.is_some() { Duration::from_secs(1) } else { Duration::from_millis(1) };
    let rest = stream::repeat(blanks).then(move |blanks| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(blanks)
    });
    BodyStream::new(stream::iter([Ok(body)]).chain(rest).boxed_local()).boxed()
}
