//! What is still to be done: the ends of the partitions and their checkpoints leave side by side.

use std::sync::Arc;

use serde::Serialize;

use super::checkpoint::Checkpoints;
use super::log::{Hub, HubError};

/// A hub and the progress of a consumer group.
#[derive(Debug, Clone)]
pub struct Backlog {
    /// The hub.
    pub hub: Arc<Hub>,
    /// The progress.
    pub checkpoints: Checkpoints,
}

/// State of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionState {
    /// Sequence number of the next event to arrive.
    pub next: i64,
    /// Sequence number of the first event after the checkpoint; 0 without one.
    pub checkpoint: i64,
}

impl Backlog {
    /// State of all partitions, by number.
    ///
    /// # Errors
    ///
    /// [`HubError`] when a checkpoint cannot be read.
    pub fn partitions(&self) -> Result<Vec<PartitionState>, HubError> {
        (0..self.hub.partition_count())
            .map(|partition| {
                let checkpoint = self.checkpoints.load(partition)?.unwrap_or_default();
                Ok(PartitionState {
                    next: self.hub.end(partition)?.borrow().next_sequence_number,
                    checkpoint: checkpoint.next_sequence_number,
                })
            })
            .collect()
    }
}
