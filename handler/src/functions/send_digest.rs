//! Tells people once a day how the fleet did: the host's timer fires hourly, and the handler knows the hour and the zone.

use anyhow::Context;
use wire::invocation::{Answer, TimerRequest};

use crate::app::App;
use crate::notifications::digest;

/// Answers an invocation.
///
/// A failure is reported to the host; the next hour's call makes up for it.
pub async fn handle(app: &App, body: &[u8], now: i64) -> Answer {
    match tell(app, body, now).await {
        Ok(()) => Answer::empty(),
        Err(error) => {
            let error = format!("{error:#}");
            tracing::warn!(error, "the digest could not be sent; the next call makes up for it");
            Answer::failure(&error)
        }
    }
}

async fn tell(app: &App, body: &[u8], now: i64) -> anyhow::Result<()> {
    TimerRequest::parse(body, "timer")?;
    let settings = &app.settings.digest;
    let Some(period) = settings.at.and_then(|at| digest::due(at, &settings.zone, now)) else { return Ok(()) };
    let patience = app.settings.patience;
    let told = tokio::time::timeout(patience, app.notifier.tell_digest(&app.fleet, period, now)).await;
    let told = told.with_context(|| format!("took longer than {} s", patience.as_secs_f64()))?;
    told.map_err(|error| anyhow::anyhow!(error.with_causes()))
}
