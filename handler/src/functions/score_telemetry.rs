//! Scores a batch of events of one hub partition: results to Cosmos DB, a live message to the page.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use tokio::runtime::Handle;
use wire::invocation::{Answer, EventBatchRequest, Outputs};

use crate::app::App;
use crate::scoring::stored::SnapshotStore;
use crate::scoring::{NewSnapshot, Summary};

/// Answers an invocation; a failure makes the host try the batch again.
pub async fn handle(app: Arc<App>, invocation_id: String, body: Bytes) -> Answer {
    let deadline = app.settings.deadline;
    let started = Instant::now();
    let until = started + deadline;
    let failure = match tokio::time::timeout(deadline, score_apart(app, invocation_id, body, until)).await {
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

/// Scoring is work for a processor, not for the threads that answer requests.
///
/// It goes on when the invocation's time is over: what is recovered by then serves the next attempt.
async fn score_apart(
    app: Arc<App>,
    invocation_id: String,
    body: Bytes,
    until: Instant,
) -> anyhow::Result<(Answer, Summary)> {
    let runtime = Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let scoring = score(&app, &invocation_id, &body, until);
        let (answer, summary, snapshot) = runtime.block_on(scoring)?;
        if let (Some(snapshot), Some(store)) = (snapshot, app.scorer.snapshots().cloned()) {
            runtime.spawn(keep(snapshot, store));
        }
        anyhow::Ok((answer, summary))
    });
    work.await.context("scoring panicked")?
}

async fn keep(snapshot: NewSnapshot, store: Arc<dyn SnapshotStore>) {
    let n_bytes = snapshot.n_bytes();
    match snapshot.keep(&store).await {
        Ok(()) => tracing::debug!(n_bytes, "snapshot kept"),
        Err(error) => {
            tracing::warn!(n_bytes, error = format!("{error:#}"), "snapshot not kept; recovery takes longer");
        }
    }
}

/// From the request's body to the answer: all of it but logs and deadline.
///
/// # Errors
///
/// A [`ScoreError`](crate::scoring::ScoreError), with the partition it happened in, when another try may cure it.
pub async fn score(
    app: &App,
    invocation_id: &str,
    body: &[u8],
    until: Instant,
) -> anyhow::Result<(Answer, Summary, Option<NewSnapshot>)> {
    let request = EventBatchRequest::parse(body, "events")?;
    let retry_count = request.retry().count;
    app.live.begin(invocation_id, retry_count, Instant::now());
    let scored = app.scorer.score(&request, body, until).await.with_context(|| place_of(&request))?;
    let live = app.live.add(&scored.summary, retry_count, Instant::now());
    let outputs =
        Outputs { documents: scored.documents, live: live.into_iter().collect(), ..Outputs::default() };
    Ok((outputs.into_answer()?, scored.summary, scored.snapshot))
}

fn place_of(request: &EventBatchRequest<'_>) -> String {
    match request.partition() {
        Some(place) => format!("partition {} of hub `{}`", place.partition, place.hub),
        None => "a call without a partition".to_owned(),
    }
}

fn log(summary: &Summary, started: Instant) {
    tracing::info!(
        n_readings = summary.n_readings,
        n_anomalies = summary.n_anomalies,
        n_rejects = summary.n_rejects,
        n_skips = summary.n_skips,
        n_stored = summary.n_stored,
        enqueued_to_ms = summary.enqueued_to,
        duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "batch scored"
    );
}
