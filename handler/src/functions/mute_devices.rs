//! Mutes devices for a time: their alerts are stored and listed, and nobody is notified of them.

use std::time::Instant;

use wire::api::{MuteRequest, MutedView};
use wire::invocation::Answer;
use wire::people::Act;

use crate::app::App;
use crate::people::acts::{self, Asked, Done};
use crate::people::{Ended, Mutes, Order};
use crate::reply::ApiError;

/// Mutes that may hold or be planned at the same time.
const MOST_MUTES: usize = 1000;

/// Answers an act at a time in epoch milliseconds.
pub async fn handle(app: &App, body: &[u8], now_ms: i64) -> Answer {
    acts::answer(app, mute(app, body, now_ms)).await
}

async fn mute(app: &App, body: &[u8], now_ms: i64) -> Result<Done, ApiError> {
    let asked = Asked::<MuteRequest>::read(app, body)?;
    let request = &asked.body;
    let act = Act { by: asked.by(request.by.as_deref())?, at: now_ms };
    let order = Order::read(request, &acts::text("reason", &request.reason)?, act)?;
    let mutes = Mutes::read(&app.store, now_ms).await?;
    if let Some(earlier) = order.earlier(&mutes) {
        return Done::nothing(&MutedView { mute: earlier.view(now_ms) });
    }
    if mutes.iter().filter(|known| known.end() > now_ms).count() >= MOST_MUTES {
        return Err(ApiError::conflict(format!("{MOST_MUTES} mutes are there already: end some first")));
    }
    let mute = order.into_mute();
    let view = Ended { mute: mute.clone(), ended: None }.view(now_ms);
    app.attention.expect_changes(Instant::now());
    Done::storing(&MutedView { mute: view }, &[mute])
}
