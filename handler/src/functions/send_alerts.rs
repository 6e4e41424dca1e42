//! Tells people what happened to alerts since the last call: every minute, by the host's timer.

use std::time::Instant;

use anyhow::Context;
use wire::invocation::{Answer, TimerRequest};

use crate::app::App;
use crate::notifications::Clocks;

/// Answers an invocation.
///
/// A failure is reported to the host and not tried again by it: the next minute's call goes on where this one ended. A
/// call that is past due is like any other, because nothing depends on when the last one was.
pub async fn handle(app: &App, body: &[u8], now: i64) -> Answer {
    let started = Instant::now();
    match tell(app, body, now).await {
        Ok(()) => {
            tracing::debug!(duration_ms = started.elapsed().as_millis(), "looked for news of alerts");
            Answer::empty()
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::warn!(error, "news of alerts could not be told; the next call goes on");
            Answer::failure(&error)
        }
    }
}

async fn tell(app: &App, body: &[u8], now: i64) -> anyhow::Result<()> {
    let request = TimerRequest::parse(body, "timer")?;
    if request.is_past_due {
        tracing::info!("news of alerts are looked for later than planned");
    }
    let patience = app.settings.patience;
    let clocks = Clocks { now, steady: Instant::now() };
    let told = tokio::time::timeout(patience, app.notifier.tell(&app.fleet, clocks)).await;
    let told = told.with_context(|| format!("took longer than {} s", patience.as_secs_f64()))?;
    told.map_err(|error| anyhow::anyhow!(error.with_causes()))?;
    Ok(())
}
