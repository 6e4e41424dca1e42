//! From a batch of events to documents: decode, observe, reconstruct, decide, write.
//!
//! The state of each hub partition is a fold over its events in order of position; [`partition`] holds it,
//! [`documents`] writes down what was decided.
//! No clock and no randomness enter: the same events give the same facts.

pub mod batch;
pub mod documents;
pub mod partition;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use detector::{Detector, Prior};
use thiserror::Error;
use wire::api::DeviceView;
use wire::invocation::{Damage, EventBatchRequest, InvocationError, RawObject};
use wire::position::{Stream, short_hash};

use crate::fleet::ListedDevice;
use crate::model::Model;
use crate::settings::Settings;
use batch::Batch;
use documents::{Writer, WriterIdentity};
use partition::Partition;

/// Scores batches, one partition at a time each, partitions side by side.
#[derive(Debug)]
pub struct Scorer {
    detector: Detector,
    model: Arc<Model>,
    identity: WriterIdentity,
    n_buckets: u32,
    partitions: Mutex<HashMap<Stream, Arc<Mutex<Partition>>>>,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub struct Scored {
    /// For the output binding, in the order in which they must be written.
    pub documents: Vec<RawObject>,
    /// For logs and live messages.
    pub summary: Summary,
}

/// A batch in figures.
#[derive(Debug, Default)]
pub struct Summary {
    /// Readings stored, late ones included.
    pub n_readings: usize,
    /// Anomalies among them.
    pub n_anomalies: usize,
    /// Events, or parts of events, that were no readings.
    pub n_rejects: usize,
    /// Duplicates, and events that are no telemetry.
    pub n_skips: usize,
    /// Newest enqueued time, in epoch milliseconds; 0 when the host did not say.
    pub enqueued_to: i64,
    /// Devices of the batch as they stand after it.
    pub devices: Vec<DeviceView>,
}

/// Why a batch fails, so that the host tries it again.
#[derive(Debug, Error)]
pub enum ScoreError {
    /// The host's request cannot be read.
    #[error(transparent)]
    Invocation(#[from] InvocationError),
    /// A partition that this process has not seen: open it first.
    #[error("partition {} of hub {} is not open", .0.partition, .0.hub)]
    NotOpen(Stream),
    /// The time of the invocation is over; nothing was decided.
    #[error("the deadline passed before the batch was scored")]
    Deadline,
    /// An event's place in the stream is unknown.
    #[error("event {index} of the batch has no sequence number, so its place in the partition is unknown")]
    NoSequence {
        /// Place in the batch.
        index: usize,
    },
    /// The host's order is not the hub's.
    #[error("sequence number {next} follows {previous} in one batch")]
    Disorder {
        /// The earlier one.
        previous: i64,
        /// The one that follows it.
        next: i64,
    },
    /// The model failed.
    #[error("the batch cannot be scored: {0:#}")]
    Model(anyhow::Error),
    /// A document would not survive the host; a fault of this program.
    #[error("a document would be damaged on its way to storage: {0}")]
    Damage(#[from] Damage),
    /// A document cannot be written as JSON; a fault of this program.
    #[error("a document cannot be serialized: {0}")]
    Serialize(#[from] serde_json::Error),
}

impl Scorer {
    /// Prepares to score with a model and settings.
    #[must_use]
    pub fn new(model: Arc<Model>, settings: &Settings, writer: String) -> Self {
        let card = model.card();
        let prior = Prior { spread: card.normalization.prior_spread, error_quantile: card.error_quantile };
        let rules = [
            card.onnx_sha256.as_str(),
            &format!("{:?} {prior:?}", settings.policy),
            &settings.buckets_per_partition.to_string(),
            env!("CARGO_PKG_VERSION"),
        ];
        Self {
            detector: Detector { policy: settings.policy, prior },
            identity: WriterIdentity { writer, rules: short_hash(&rules), ttl_s: settings.ttl_s },
            model,
            n_buckets: settings.buckets_per_partition,
            partitions: Mutex::default(),
        }
    }

    /// Scores one invocation's events.
    ///
    /// After `until` nothing is decided any more.
    /// `body` is the request's, which names the documents of a call without a place in a stream.
    ///
    /// # Errors
    ///
    /// [`ScoreError`] when another try may cure it; what a device did wrong is a reject instead.
    pub fn score(
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
            // An admin call: no place in any stream, so nothing is remembered of it.
            let mut alone = Partition::new(self.n_buckets);
            let batch = Batch::without_positions(&events);
            let writer = Writer::for_manual_call(&self.identity, body);
            return self.score_in(&mut alone, &batch, &writer);
        };
        let stream = Stream {
            namespace: context.namespace.clone(),
            hub: context.hub.clone(),
            partition: context.partition.clone(),
            epoch: 0,
        };
        let batch = Batch::new(&events)?;
        let partition = self.partition(&stream).ok_or_else(|| ScoreError::NotOpen(stream.clone()))?;
        let Ok(mut partition) = partition.lock() else {
            // A panic left half a batch in the state: forget it rather than score with it.
            tracing::error!(partition = stream.partition, "state dropped after a panic; devices learn again");
            self.close(&stream);
            return Err(ScoreError::NotOpen(stream));
        };
        // Attempts that timed out wait here for their turn; they must not take it.
        if Instant::now() > until {
            return Err(ScoreError::Deadline);
        }
        let is_retry = request.retry().count > 0;
        partition.begin(batch.first(), is_retry);
        let writer = Writer::for_stream(&self.identity, &stream, partition.term());
        self.score_in(&mut partition, &batch, &writer)
    }

    fn score_in(
        &self,
        partition: &mut Partition,
        batch: &Batch<'_>,
        writer: &Writer<'_>,
    ) -> Result<Scored, ScoreError> {
        let decided = partition.decide(batch, &self.detector, &self.model).map_err(ScoreError::Model)?;
        let documents = match writer.write(partition, batch, &decided) {
            Ok(documents) => documents,
            Err(error) => {
                partition.take_back();
                return Err(error);
            }
        };
        partition.end(batch.first(), batch.last());
        let summary = partition.summarize(batch, &decided);
        Ok(Scored { documents, summary })
    }

    /// Begins to score a partition, with the devices that earlier processes have listed; one that is open stays as it
    /// is.
    pub fn open(&self, stream: Stream, listed: Vec<ListedDevice>) {
        let mut partition = Partition::new(self.n_buckets);
        partition.restore(listed);
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        partitions.entry(stream).or_insert_with(|| Arc::new(Mutex::new(partition)));
    }

    fn close(&self, stream: &Stream) {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }

    fn partition(&self, stream: &Stream) -> Option<Arc<Mutex<Partition>>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).get(stream).cloned()
    }
}
