//! Lists mutes: those that hold, those that are planned, those that are over.

use std::cmp::Reverse;

use axum::response::Response;
use wire::api::{MuteState, MuteView, MutesView};

use crate::app::App;
use crate::parameters::Parameters;
use crate::people::{Ended, Mutes};
use crate::reply::{self, ApiError};

const KNOWN: [&str; 3] = ["state", "from", "limit"];
/// How far back mutes that are over are listed when nobody says.
const SHOWN_MS: i64 = 30 * 24 * 3600 * 1000;

/// Answers with mutes as they are at a time in epoch milliseconds.
///
/// # Errors
///
/// Names the parameter that is wrong, or the store that is away.
pub async fn handle(app: &App, query: &str, now_ms: i64) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query, &KNOWN)?;
    let state = match parameters.word("state", &["active", "planned", "past", "all"])? {
        Some("active") => Some(MuteState::Active),
        Some("planned") => Some(MuteState::Planned),
        Some("past") => Some(MuteState::Past),
        _ => None,
    };
    let from = parameters.time_ms("from")?.unwrap_or(now_ms - SHOWN_MS);
    let limit = parameters.number("limit", 1, 1000, 100)?;
    let mutes = Mutes::read(&app.store, from).await?;
    let views = mutes.iter().filter(|mute| mute.end() >= from).map(|mute: &Ended| mute.view(now_ms));
    let mut mutes: Vec<MuteView> =
        views.filter(|view| state.is_none_or(|state| view.state == state)).collect();
    mutes.sort_by_key(|view| (view.state, nearness(view), view.mute_id.clone()));
    let truncated = mutes.len() > limit;
    mutes.truncate(limit);
    Ok(reply::json(&MutesView { mutes, truncated }))
}

/// Of those that hold the newest first, of those that are planned the next one, of those that are over the last one.
fn nearness(view: &MuteView) -> Reverse<i64> {
    match view.state {
        MuteState::Active => Reverse(view.at),
        MuteState::Planned => Reverse(-view.from),
        MuteState::Past => Reverse(view.ended.as_ref().map_or(view.until, |ended| ended.at)),
    }
}
