//! Tells every open page that somebody acted: whoever did calls it afterwards, and nothing depends on it.
//!
//! It stands apart from the acts because a SignalR service that is away fails every invocation that carries a message.

use std::time::Instant;

use wire::api::{AnnounceRequest, AnnounceView};
use wire::invocation::Answer;

use crate::app::App;
use crate::people::acts::{self, Asked, Done};
use crate::reply::ApiError;

/// Answers a call at a time in epoch milliseconds.
pub async fn handle(app: &App, body: &[u8], now_ms: i64) -> Answer {
    acts::answer(app, async { announce(app, body, now_ms) }).await
}

fn announce(app: &App, body: &[u8], now_ms: i64) -> Result<Done, ApiError> {
    Asked::<AnnounceRequest>::read(app, body)?;
    let live = app.live.tell(now_ms, Instant::now());
    Done::telling(&AnnounceView { announced: live.is_some() }, live)
}
