//! Scores a batch of events of one hub partition: results to Cosmos DB, a live message to the page.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use wire::invocation::{Answer, EventBatchRequest, Outputs};
use wire::position::Stream;

use crate::app::App;
use crate::fleet::ListedDevice;
use crate::scoring::{ScoreError, Summary};

/// Share of the deadline that reading what earlier processes have listed may take.
const SHARE_OF_OPENING: u32 = 4;

/// Answers an invocation; a failure makes the host try the batch again.
pub async fn handle(app: Arc<App>, invocation_id: String, body: Bytes) -> Answer {
    let deadline = app.settings.deadline;
    let started = Instant::now();
    let until = started + deadline;
    let failure = match tokio::time::timeout(deadline, open_and_score(app, invocation_id, body, until)).await
    {
        Ok(Ok((answer, summary))) => {
            log(&summary, started);
            return answer;
        }
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => format!("scoring took longer than {} ms", deadline.as_millis()),
    };
    tracing::warn!(error = failure, "batch failed; the host tries it again");
    Answer::failure(&failure)
}

/// Scores, and opens the partition first if this process has not seen it.
async fn open_and_score(
    app: Arc<App>,
    invocation_id: String,
    body: Bytes,
    until: Instant,
) -> anyhow::Result<(Answer, Summary)> {
    match score_apart(&app, &invocation_id, &body, until).await? {
        Err(ScoreError::NotOpen(stream)) => {
            open(&app, stream).await;
            Ok(score_apart(&app, &invocation_id, &body, until).await??)
        }
        result => Ok(result?),
    }
}

/// Scoring is work for a processor, not for the threads that answer requests.
async fn score_apart(
    app: &Arc<App>,
    invocation_id: &str,
    body: &Bytes,
    until: Instant,
) -> anyhow::Result<Result<(Answer, Summary), ScoreError>> {
    let (app, invocation_id, body) = (Arc::clone(app), invocation_id.to_owned(), body.clone());
    let work = tokio::task::spawn_blocking(move || score(&app, &invocation_id, &body, until));
    work.await.context("scoring panicked")
}

async fn open(app: &App, stream: Stream) {
    let limit = app.settings.deadline / SHARE_OF_OPENING;
    let listed = match tokio::time::timeout(limit, app.fleet.listed_in(&stream)).await {
        Ok(Ok(listed)) => listed,
        Ok(Err(error)) => nobody(&stream, &error.to_string()),
        Err(_) => nobody(&stream, "the store took too long"),
    };
    app.scorer.open(stream, listed);
}

fn nobody(stream: &Stream, error: &str) -> Vec<ListedDevice> {
    tracing::warn!(
        partition = stream.partition,
        error,
        "what is listed already cannot be read; devices reappear with their next reading"
    );
    Vec::new()
}

/// From the request's body to the answer: all of it but logs and deadline.
///
/// # Errors
///
/// [`ScoreError`] when another try may cure it.
pub fn score(
    app: &App,
    invocation_id: &str,
    body: &[u8],
    until: Instant,
) -> Result<(Answer, Summary), ScoreError> {
    let request = EventBatchRequest::parse(body, "events")?;
    let retry_count = request.retry().count;
    app.live.begin(invocation_id, retry_count, Instant::now());
    let scored = app.scorer.score(&request, body, until)?;
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
