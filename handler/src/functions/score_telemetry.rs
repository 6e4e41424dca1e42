//! Scores a batch of events of one hub partition: results to Cosmos DB, a live message to the page.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use wire::invocation::{Answer, EventBatchRequest, Outputs};

use crate::app::App;
use crate::scoring::{ScoreError, Summary};

/// Answers an invocation; a failure makes the host try the batch again.
pub async fn handle(app: Arc<App>, invocation_id: String, body: Bytes) -> Answer {
    let deadline = app.settings.deadline;
    let started = Instant::now();
    // Scoring is work for a processor, not for the threads that answer requests.
    let work = tokio::task::spawn_blocking(move || score(&app, &invocation_id, &body));
    let failure = match tokio::time::timeout(deadline, work).await {
        Ok(Ok(Ok((answer, summary)))) => {
            log(&summary, started);
            return answer;
        }
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(panic)) => format!("scoring panicked: {panic}"),
        Err(_) => format!("scoring took longer than {} ms", deadline.as_millis()),
    };
    tracing::error!(error = failure, "batch failed; the host tries it again");
    Answer::failure(&failure)
}

/// From the request's body to the answer: all of it but logs and deadline.
///
/// # Errors
///
/// [`ScoreError`] when another try may cure it.
pub fn score(app: &App, invocation_id: &str, body: &[u8]) -> Result<(Answer, Summary), ScoreError> {
    let request = EventBatchRequest::parse(body, "events")?;
    let retry_count = request.retry().count;
    app.live.begin(invocation_id, retry_count, Instant::now());
    let scored = app.scorer.score(&request, body)?;
    let live = app.live.add(&scored.summary, retry_count, Instant::now());
    let outputs =
        Outputs { documents: scored.documents, live: live.into_iter().collect(), ..Outputs::default() };
    Ok((outputs.into_answer()?, scored.summary))
}

fn log(summary: &Summary, started: Instant) {
    tracing::info!(
        n_readings = summary.n_readings,
        n_anomalies = summary.n_anomalies,
        n_rejects = summary.n_rejects,
        n_skips = summary.n_skips,
        enqueued_to_ms = summary.enqueued_to,
        duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "batch scored"
    );
}
