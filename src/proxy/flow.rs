//! A body on its way from the product to the back end.
//!
//! A task of its own reads it, because whoever reads our answer may be slow or gone: the place among
//! the calls under way is then free all the same, at the call's deadline at the latest (security.md
//! An end that was not announced is a failure, so that half an answer is never taken for a
//! whole one.

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::limits::Place;
use crate::zoho::{AnswerBody, Unanswered};

/// Pieces that wait for a slow reader, of a few KB each.
const AHEAD: usize = 8;

enum Piece {
    Bytes(Bytes),
    End,
}

/// What a back end reads.
#[derive(Debug)]
pub(crate) struct Flow(Receiver<Piece>);

/// The answer broke off; the connection to the back end must, too.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the product's answer breaks off")]
pub(crate) struct BrokenOff;

impl Flow {
    pub(super) fn of(body: AnswerBody, place: Place) -> Self {
        let (sender, receiver) = channel(AHEAD);
        tokio::spawn(async move {
            let deadline = body.deadline();
            let ended = tokio::time::timeout_at(deadline, pump(body, &sender)).await;
            drop(place);
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(unanswered)) => {
                    tracing::warn!(class = unanswered.class(), "a proxied answer breaks off");
                }
                Err(_elapsed) => tracing::warn!(class = Unanswered::TooSlow.class(), "a proxied answer breaks off"),
            }
        });
        Self(receiver)
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, BrokenOff> {
        match self.0.recv().await {
            Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Piece::End) => Ok(None),
            None => Err(BrokenOff),
        }
    }
}

async fn pump(mut body: AnswerBody, reader: &Sender<Piece>) -> Result<(), Unanswered> {
    loop {
        let next = tokio::select! {
            next = body.next() => next?,
            () = reader.closed() => return Ok(()),
        };
        let is_end = next.is_none();
        let gone = reader.send(next.map_or(Piece::End, Piece::Bytes)).await.is_err();
        if is_end || gone {
            return Ok(());
        }
    }
}
