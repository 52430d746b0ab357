//! Writing an answer, well or badly: slowly, cut off, without end, reset.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, MessageBody as _, SizedStream};
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream::{self, StreamExt as _};
use socket2::Socket;

use super::act::{Act, Part};
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
    let mut response = HttpResponseBuilder::new(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    for (name, value) in &answer.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    if act.hang {
        until_gone(socket).await;
        return closed(response);
    }
    if act.reset {
        // With SO_LINGER 0 closing sends RST.
        if let Some(socket) = socket {
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
        return closed(response);
    }
    if let Some(raw) = &act.raw {
        send(socket, raw.as_bytes(), act.drip).await;
        return closed(response);
    }
    match act.endless {
        Some(Part::Head) => {
            send(socket, b"HTTP/1.1 200 OK\r\n", None).await;
            while send(socket, b"x-filler: and so on\r\n", act.drip).await {}
            return closed(response);
        }
        Some(Part::Body) => return response.body(endless(answer.body, act.drip)),
        None => {}
    }
    if let Some(length) = act.truncate {
        return response.body(truncated(&answer.body, length));
    }
    match act.drip {
        Some(rate) => response.body(dripping(answer.body, rate)),
        None => response.body(answer.body),
    }
}

/// The body fails before its first byte, so not even the head is flushed, and the connection closes.
fn closed(mut response: HttpResponseBuilder) -> HttpResponse {
    response.body(BodyStream::new(stream::once(async { Err::<Bytes, Cut>(Cut) })))
}

/// The server does not drop a handler when its client hangs up, so a silence that lasted for ever would keep the connection.
async fn until_gone(socket: Option<&Socket>) {
    let mut byte = [MaybeUninit::uninit()];
    while let Some(socket) = socket {
        match socket.peek(&mut byte) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Writes past the server onto the connection; false once the other side is gone.
async fn send(socket: Option<&Socket>, bytes: &[u8], drip: Option<u32>) -> bool {
    let Some(socket) = socket else { return false };
    let pause = drip.map_or(Duration::from_millis(1), |rate| Duration::from_secs(1) / rate.max(1));
    let mut rest = bytes;
    while !rest.is_empty() {
        let piece = if drip.is_some() { &rest[..1] } else { rest };
        match socket.send_with_flags(piece, libc::MSG_NOSIGNAL) {
            Ok(sent) => rest = &rest[sent..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        tokio::time::sleep(pause).await;
    }
    true
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
