//! Bodies that are cut by a kill: bytes enter, the handler dies at the chosen one, what came before leaves.

use std::convert::Infallible;

use axum::http::Response;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame, Incoming};

use crate::faults::CallFault;
use crate::handler_process::Handler;

/// The handler, and the byte of the exchange at which it is killed.
#[derive(Debug)]
pub(super) struct KillPoint {
    handler: Handler,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Request(usize),
    Answer(usize),
}

impl KillPoint {
    /// The kill that a fault asks for, if it lies within the exchange.
    pub(super) fn of(fault: Option<CallFault>, handler: &Handler) -> Option<Self> {
        let place = match fault? {
            CallFault::KillAtRequestByte(byte) => Place::Request(byte),
            CallFault::KillAtAnswerByte(byte) => Place::Answer(byte),
            CallFault::KillAfterUpserts(_) | CallFault::Abandon(_) => return None,
        };
        Some(Self { handler: handler.clone(), place })
    }
}

/// The body of a request, during which the handler may be killed.
pub(super) fn request_body(
    mut bytes: Bytes,
    kill: Option<&KillPoint>,
) -> Option<UnsyncBoxBody<Bytes, Infallible>> {
    let Some(KillPoint { handler, place: Place::Request(byte) }) = kill else { return None };
    let handler = handler.clone();
    let rest = bytes.split_off((*byte).min(bytes.len()));
    let dying = async move {
        handler.kill().await;
        rest
    };
    let parts = futures::stream::iter([bytes]).chain(futures::stream::once(dying));
    Some(StreamBody::new(parts.map(|part| Ok(Frame::data(part)))).boxed_unsync())
}

/// Reads an answer of at most `limit` bytes, during which the handler may be killed; a kill before its end loses it.
///
/// # Errors
///
/// Why the answer is not whole.
pub(super) async fn read_answer(
    response: Response<Incoming>,
    limit: usize,
    kill: Option<KillPoint>,
) -> Result<Response<Bytes>, String> {
    let mut point = kill.and_then(|kill| match kill.place {
        Place::Answer(byte) => Some((byte, kill.handler)),
        Place::Request(_) => None,
    });
    let (parts, mut body) = response.into_parts();
    let mut whole = BytesMut::new();
    loop {
        if let Some((byte, handler)) = point.take_if(|(byte, _)| *byte <= whole.len()) {
            handler.kill().await;
            if byte < whole.len() || !body.is_end_stream() {
                return Err(format!("the handler was killed at byte {byte} of its answer, as ordered"));
            }
        }
        match body.frame().await {
            Some(Ok(frame)) => whole.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Some(Err(error)) => return Err(error.to_string()),
            None => break,
        }
        if whole.len() > limit {
            return Err(format!("the answer is larger than {limit} bytes"));
        }
    }
    // An answer shorter than the chosen byte is whole, and the handler dies after it.
    if let Some((_, handler)) = point {
        handler.kill().await;
    }
    Ok(Response::from_parts(parts, whole.freeze()))
}
