//! From a batch of events to documents: what is stored already, what is decided now, what must be written.
//!
//! The state of each hub partition is a fold over its facts in order of position ([`state`]); [`decide`] makes facts
//! of events, [`documents`] writes them down, [`partition`] knows which answers are stored, and [`recovery`] reads
//! back what another process, or this one before it was killed, has stored.
//! No clock and no randomness enter the fold: the same events give the same facts.

mod alerts;
pub mod batch;
mod counts;
pub mod decide;
pub mod device;
pub mod documents;
mod error;
mod frames;
mod heard;
pub mod journal;
pub mod listing;
mod mutants;
mod opening;
mod orphans;
pub mod partition;
pub mod patience;
mod poison;
pub mod recovery;
#[cfg(test)]
mod schedules;
pub mod snapshots;
pub mod state;
pub mod stored;
mod summary;
pub mod tail;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use detector::{Detector, Prior};
use wire::invocation::{EventBatchRequest, RawObject};
use wire::position::{Stream, short_hash};

use crate::model::Model;
use crate::settings::{Limits, Settings};
use alerts::{PlacedAlert, Steps};
use batch::Batch;
use decide::{Decided, Reconstruct};
use documents::{MANUAL_BUCKET, Source, Writer, WriterIdentity, Written};
pub use error::ScoreError;
use journal::Journal;
use mutants::Mutant;
use partition::{Attempt, Partition};
use patience::Patience;
pub use snapshots::NewSnapshot;
use state::{Retention, State, Undo};
use stored::{SnapshotStore, StoredFacts};
pub use summary::Summary;
use summary::summarize;
use tail::Tail;

/// How often a partition's state is kept.
const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(30);

/// Scores batches, one partition at a time each, partitions side by side.
#[derive(Debug)]
pub struct Scorer<M = Arc<Model>> {
    detector: Detector,
    model: M,
    identity: WriterIdentity,
    n_buckets: u32,
    limits: Arc<Limits>,
    storage: Storage,
    snapshot_interval: Duration,
    slots: Mutex<HashMap<Stream, Arc<tokio::sync::Mutex<Slot>>>>,
}

/// Where facts and states are read back.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Facts.
    pub facts: Arc<dyn StoredFacts>,
    /// Snapshots; `None` means that there are none.
    pub snapshots: Option<Arc<dyn SnapshotStore>>,
    /// Folder of journals; `None` means that an event which ends the process is not found.
    pub journals: Option<PathBuf>,
}

/// What this process keeps of a hub partition.
#[derive(Debug, Default)]
struct Slot {
    /// `None` before the first batch, and after a panic: then it is recovered.
    partition: Option<Partition>,
    /// Set while events are being decided; found set, it tells of a panic.
    is_deciding: bool,
    journal: Option<Journal>,
    patience: Patience,
    snapshot_at: Option<Instant>,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub struct Scored {
    /// For the output binding, in the order in which they must be written.
    pub documents: Vec<RawObject>,
    /// For logs and live messages.
    pub summary: Summary,
    /// To be kept, off the hot path.
    pub snapshot: Option<NewSnapshot>,
}

impl Scorer {
    /// Prepares to score with a model and settings.
    #[must_use]
    pub fn new(model: Arc<Model>, settings: &Settings, writer: String, storage: Storage) -> Self {
        let card = model.card();
        let prior = Prior { spread: card.normalization.prior_spread, error_quantile: card.error_quantile };
        let rules = [
            card.onnx_sha256.as_str(),
            &format!("{:?} {prior:?}", settings.policy),
            &settings.buckets_per_partition.to_string(),
            settings.limits.text(),
            env!("CARGO_PKG_VERSION"),
            &detector::RULES_VERSION.to_string(),
        ];
        Self {
            detector: Detector { policy: settings.policy, prior },
            identity: WriterIdentity { writer, rules: short_hash(&rules), ttl_s: settings.ttl_s },
            model,
            n_buckets: settings.buckets_per_partition,
            limits: Arc::clone(&settings.limits),
            storage,
            snapshot_interval: SNAPSHOT_INTERVAL,
            slots: Mutex::default(),
        }
    }
}

impl<M: Reconstruct> Scorer<M> {
    /// Scores one invocation's events.
    ///
    /// After `until` nothing is decided any more; what was recovered by then is kept for the next attempt.
    /// `body` is the request's, which names the documents of a call without a place in a stream.
    ///
    /// # Errors
    ///
    /// [`ScoreError`] when another try may cure it; what a device did wrong is a reject instead.
    pub async fn score(
        &self,
        request: &EventBatchRequest<'_>,
        body: &[u8],
        until: Instant,
    ) -> Result<Scored, ScoreError> {
        let events = request.events()?;
        if events.is_empty() {
            return Ok(Scored::default());
        }
        let Some(context) = request.partition() else {
            return self.score_alone(&Batch::without_positions(&events), body);
        };
        let stream = Stream {
            namespace: context.namespace.clone(),
            hub: context.hub.clone(),
            partition: context.partition.clone(),
            epoch: 0,
        };
        self.score_batch(stream, &Batch::new(&events)?, request.retry().count, until).await
    }

    /// Scores events of a stream.
    ///
    /// # Errors
    ///
    /// As [`Scorer::score`].
    async fn score_batch(
        &self,
        stream: Stream,
        batch: &Batch<'_>,
        retry_count: u32,
        until: Instant,
    ) -> Result<Scored, ScoreError> {
        let slot = self.slot(&stream);
        // Attempts that timed out wait here for their turn; they must not take it.
        let waited = tokio::time::timeout_at(until.into(), slot.lock()).await;
        let mut slot = waited.map_err(|_| ScoreError::Deadline)?;
        let scored = self.score_in(&mut slot, stream, batch, retry_count, until).await;
        slot.patience.note(&scored);
        scored
    }

    async fn score_in(
        &self,
        slot: &mut Slot,
        stream: Stream,
        batch: &Batch<'_>,
        retry_count: u32,
        until: Instant,
    ) -> Result<Scored, ScoreError> {
        self.open(&mut slot.partition, stream, batch).await?;
        // Taken out, so that a panic leaves nothing behind.
        let Some(mut partition) = slot.partition.take() else { return Err(ScoreError::Deadline) };
        let scored = self.score_next(&mut partition, slot, batch, retry_count, until).await;
        slot.partition = Some(partition);
        scored
    }

    /// Scores an admin call: it has no place in any stream, so nothing is remembered of it.
    fn score_alone(&self, batch: &Batch<'_>, body: &[u8]) -> Result<Scored, ScoreError> {
        let mut state = self.empty_state();
        let tail = Tail::default();
        let mut undo = state.begin();
        let rules = self.rules(&tail);
        let decided = decide::decide(rules, &mut state, batch, 0..batch.events().len(), &mut undo)
            .map_err(ScoreError::Model)?;
        let source =
            Source { batch, decided: &decided, tail: &tail, first: batch.first(), gaps: &[], alerts: &[] };
        let written = Writer::for_manual_call(&self.identity, body).write(&mut state, source)?;
        let summary = summarize(&state, batch, &decided, &undo, MANUAL_BUCKET);
        Ok(Scored { documents: written.facts, summary, snapshot: None })
    }

    async fn score_next(
        &self,
        partition: &mut Partition,
        slot: &mut Slot,
        batch: &Batch<'_>,
        retry_count: u32,
        until: Instant,
    ) -> Result<Scored, ScoreError> {
        let attempt = Attempt {
            stored: &*self.storage.facts,
            detector: &self.detector,
            writer: &self.identity.writer,
            retry_count,
            patience: &slot.patience,
            oldest_ms: self.oldest_ms(batch),
        };
        let tail = partition.prepare(batch, attempt).await?;
        let snapshot = self.due_snapshot(partition, slot)?;
        let from = partition.state.position.map_or(0, |position| batch.place_after(position));
        if from == batch.events().len() {
            return Ok(Scored { documents: partition.carried(), snapshot, ..Scored::default() });
        }
        if Instant::now() > until {
            return Err(ScoreError::Deadline);
        }
        let mut undo = partition.state.begin();
        let decided = self.decide(partition, slot, batch, from, &tail, &mut undo);
        partition.state.list_changes(&undo);
        let bucket_prefix = partition.stream.bucket_prefix();
        let written = decided.and_then(|decided| {
            let (detector, state, bucket_prefix) = (&self.detector, &partition.state, bucket_prefix.as_str());
            let steps =
                Steps { detector, state, undo: &undo, batch, tail: &tail, decided: &decided, bucket_prefix };
            let alerts = steps.documents();
            let written = self.write(partition, batch, from, &decided, &alerts, &tail)?;
            Ok((written, decided, alerts))
        });
        let (written, decided, alerts) = match written {
            Ok(written) => written,
            Err(error) => {
                partition.state.undo(undo);
                return Err(error);
            }
        };
        let mut summary = summarize(&partition.state, batch, &decided, &undo, &bucket_prefix);
        summary.alerts = alerts.into_iter().map(|alert| alert.document).collect();
        let documents = end(partition, batch, from, written, undo);
        let snapshot = match mutants::is(Mutant::SnapshotOfAnswered) {
            true => snapshots::snapshot_of(partition, self.n_buckets)?,
            false => snapshot,
        };
        Ok(Scored { documents, summary, snapshot })
    }

    fn write(
        &self,
        partition: &mut Partition,
        batch: &Batch<'_>,
        from: usize,
        decided: &[Decided],
        alerts: &[PlacedAlert],
        tail: &Tail,
    ) -> Result<Written, ScoreError> {
        let mut gaps = partition.gaps.clone();
        gaps.extend(batch.jumps(from));
        let source = Source { batch, decided, tail, first: batch.sequence(from), gaps: &gaps, alerts };
        Writer::for_stream(&self.identity, &partition.stream, partition.term)
            .write(&mut partition.state, source)
    }

    /// The state to be kept now, if it is time and all of it is stored.
    fn due_snapshot(
        &self,
        partition: &Partition,
        slot: &mut Slot,
    ) -> Result<Option<NewSnapshot>, ScoreError> {
        let is_due = slot.snapshot_at.is_none_or(|at| at.elapsed() >= self.snapshot_interval);
        if self.storage.snapshots.is_none() || !is_due || !partition.is_settled() {
            return Ok(None);
        }
        slot.snapshot_at = Some(Instant::now());
        snapshots::snapshot_of(partition, self.n_buckets)
    }

    fn rules<'a>(&'a self, tail: &'a Tail) -> decide::Rules<'a, M> {
        decide::Rules { detector: &self.detector, model: &self.model, tail, refusal: None }
    }

    fn empty_state(&self) -> State {
        State::new(self.n_buckets, Retention::of_ttl(self.identity.ttl_s), Arc::clone(&self.limits))
    }

    fn slot(&self, stream: &Stream) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(stream.clone()).or_default())
    }

    /// Where snapshots are kept.
    #[must_use]
    pub fn snapshots(&self) -> Option<&Arc<dyn SnapshotStore>> {
        self.storage.snapshots.as_ref()
    }
}

/// Moves the state's position, remembers the answer, and puts its documents in order.
fn end(
    partition: &mut Partition,
    batch: &Batch<'_>,
    from: usize,
    written: Written,
    undo: Undo,
) -> Vec<RawObject> {
    let stretch = batch.sequence(from)..batch.last().saturating_add(1);
    partition.state.position = Some(batch.last());
    partition.state.enqueued_to = partition.state.enqueued_to.max(batch.enqueued_to());
    let Some(marker) = written.marker else {
        // Everything was stored already: the state is the base as it is.
        return partition.keep(undo);
    };
    let mut documents = partition.answer(stretch, &written.facts, marker, undo);
    documents.extend(written.facts);
    documents.extend(written.tables);
    documents
}
