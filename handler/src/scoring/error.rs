//! Why a batch fails.

use thiserror::Error;
use wire::invocation::{Damage, InvocationError};

use crate::store::StoreError;

/// Why a batch fails, so that the host tries it again.
#[derive(Debug, Error)]
pub enum ScoreError {
    /// The host's request cannot be read.
    #[error(transparent)]
    Invocation(#[from] InvocationError),
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
    /// What is stored cannot be read.
    #[error("what is stored of the partition cannot be read: {}", .0.with_causes())]
    Store(#[from] StoreError),
    /// What must be stored was not found.
    #[error(
        "events {first} to {last} are below the checkpoint, but facts of them are not found in storage; reading again"
    )]
    Hole {
        /// First sequence number.
        first: i64,
        /// Last sequence number.
        last: i64,
    },
    /// What came after the state may be deleted already.
    #[error(
        "what this process remembers of the partition is older than half of RETENTION_DAYS; the next attempt reads it anew"
    )]
    Outdated,
    /// `BUCKETS_PER_PARTITION` was changed.
    #[error(
        "documents list device `{device_id}` in group {bucket}: BUCKETS_PER_PARTITION is not what they were written with; set it back"
    )]
    Buckets {
        /// A device.
        device_id: String,
        /// Its group in the documents.
        bucket: usize,
    },
    /// `BUCKETS_PER_PARTITION` was changed.
    #[error("a snapshot was written with BUCKETS_PER_PARTITION={stored}; set it back")]
    SnapshotBuckets {
        /// The number that it was.
        stored: u32,
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
