//! Ends a mute before its time, or one that has not begun.

use std::time::Instant;

use wire::api::{MutedView, UnmuteRequest};
use wire::invocation::Answer;
use wire::people::{Act, Unmute};

use crate::app::App;
use crate::people::acts::{self, Asked, Done};
use crate::people::{Ended, Mutes};
use crate::reply::ApiError;

/// Answers an act at a time in epoch milliseconds.
pub async fn handle(app: &App, body: &[u8], now_ms: i64) -> Answer {
    acts::answer(app, unmute(app, body, now_ms)).await
}

async fn unmute(app: &App, body: &[u8], now_ms: i64) -> Result<Done, ApiError> {
    let asked = Asked::<UnmuteRequest>::read(app, body)?;
    let act = Act { by: asked.by(asked.body.by.as_deref())?, at: now_ms };
    let mutes = Mutes::read(&app.store, now_ms).await?;
    let known = mutes.find(&asked.body.mute_id).ok_or_else(|| {
        ApiError::not_found("no mute of that `muteId` holds or is planned; see /api/mutes".to_owned())
    })?;
    if known.ended.is_some() {
        return Done::nothing(&MutedView { mute: known.view(now_ms) });
    }
    let unmute = Unmute::new(&known.mute, act.clone());
    let view = Ended { mute: known.mute.clone(), ended: Some(act) }.view(now_ms);
    app.attention.expect_changes(Instant::now());
    Done::storing(&MutedView { mute: view }, &[unmute])
}
