//! One partition at one owner: one batch at a time goes to the function, with all its retries, and then the checkpoint moves, whether they succeeded or not.
//!
//! That a failed batch is passed over is what the real extension does (`EventHubListener.PartitionProcessor.cs` in Azure/azure-sdk-for-net); it is said loudly here.

use std::sync::Arc;

use tokio::sync::watch;
use wire::bindings::{Cardinality, InitialOffsetKind};

use super::event::Event;
use super::log::{HubError, Position};
use super::rewind::Rewind;
use super::trigger::EventHubListener;
use crate::faults::BatchDeed;
use crate::invoke::{Invoker, Series, SeriesEnd, Source, event_hub};

/// What one owner does with a partition.
#[derive(Debug)]
pub(super) struct PartitionListener<'a> {
    /// What it belongs to.
    pub(super) trigger: &'a EventHubListener,
    /// The owner.
    pub(super) invoker: &'a Invoker,
    /// The partition.
    pub(super) partition: usize,
    /// Turns true when the host stops or the partition has another owner.
    pub(super) dismissed: watch::Receiver<bool>,
}

/// Where a listener is.
struct Progress {
    position: Position,
    batches: u32,
    /// Events in the next batch at most, if it is cut otherwise than usual.
    cut_at: Option<usize>,
    rewind: Rewind,
}

impl PartitionListener<'_> {
    /// Listens until it is dismissed.
    pub(super) async fn run(mut self) -> Result<(), HubError> {
        let mut end = self.trigger.hub.end(self.partition)?;
        let mut progress = self.begin()?;
        while !*self.dismissed.borrow() {
            let from = progress.position;
            let (events, next) = self.read(from, progress.cut_at).await?;
            if events.is_empty() {
                tokio::select! {
                    changed = end.wait_for(|end| end.next_offset > from.next_offset) => {
                        if changed.is_err() { return Ok(()); }
                    }
                    // An error means that nobody could dismiss it any more.
                    _ = self.dismissed.wait_for(|dismissed| *dismissed) => return Ok(()),
                }
                continue;
            }
            let deed = self.deed(events.len());
            let done = self.process(&events, deed).await;
            // A host that stops or has lost the partition writes no checkpoint: the batch comes again.
            if done == SeriesEnd::Stopped || *self.dismissed.borrow() {
                return Ok(());
            }
            if done == SeriesEnd::Failed {
                self.complain(&events);
            }
            progress.rewind.remember(from);
            progress.cut_at = None;
            match deed.filter(|_| done == SeriesEnd::Succeeded) {
                Some(BatchDeed::LoseAnswer) => progress = self.begin()?,
                Some(deed) => self.move_on(&mut progress, from, next, deed).await?,
                None => self.advance(&mut progress, next)?,
            }
        }
        Ok(())
    }

    /// What is to happen to a batch.
    fn deed(&self, n_events: usize) -> Option<BatchDeed> {
        let deed = self.trigger.faults.next(self.partition, n_events)?;
        tracing::warn!(
            partition = self.partition,
            n_events,
            ?deed,
            "something happens to a batch, as ordered"
        );
        Some(deed)
    }

    fn complain(&self, lost: &[Event]) {
        tracing::error!(
            function = self.trigger.function.name,
            partition = self.partition,
            n_events = lost.len(),
            first = lost.first().map(|event| event.sequence_number),
            "a batch is lost: its last attempt failed and the checkpoint moves on"
        );
    }

    /// Starts at the checkpoint.
    fn begin(&self) -> Result<Progress, HubError> {
        let position = match self.trigger.checkpoints.load(self.partition)? {
            Some(position) => position,
            None => match self.trigger.initial_offset {
                InitialOffsetKind::FromStart | InitialOffsetKind::FromEnqueuedTime => Position::default(),
                InitialOffsetKind::FromEnd => *self.trigger.hub.end(self.partition)?.borrow(),
            },
        };
        Ok(Progress { position, batches: 0, cut_at: None, rewind: Rewind::default() })
    }

    /// Goes on after a batch, with a checkpoint where it is due.
    fn advance(&self, progress: &mut Progress, next: Position) -> Result<(), HubError> {
        progress.position = next;
        progress.batches += 1;
        if progress.batches.is_multiple_of(self.trigger.checkpoint_frequency) {
            self.trigger.checkpoints.save(self.partition, next)?;
        }
        Ok(())
    }

    /// Goes on where the fault of a batch `from`..`next` says, with a checkpoint there.
    async fn move_on(
        &self,
        progress: &mut Progress,
        from: Position,
        next: Position,
        deed: BatchDeed,
    ) -> Result<(), HubError> {
        let (first, end) = (from.next_sequence_number, next.next_sequence_number);
        let (goal, cut_at) = match deed {
            BatchDeed::Repeat => (first, usize::try_from(end - first).ok()),
            BatchDeed::Recut { skip, size } => (first.saturating_add_unsigned(skip), Some(size.max(1))),
            BatchDeed::GoBack(events) => (end.saturating_sub_unsigned(events), None),
            BatchDeed::LoseAnswer | BatchDeed::PassOver | BatchDeed::Twice => (end, None),
        };
        if goal >= end {
            return self.advance(progress, next);
        }
        let start = progress.rewind.before(goal);
        let hub = Arc::clone(&self.trigger.hub);
        let partition = self.partition;
        let found = tokio::task::spawn_blocking(move || hub.position_of(partition, goal, start)).await;
        progress.position = found.unwrap_or_else(|error| Err(HubError::Ended(error.to_string())))?;
        progress.cut_at = cut_at;
        self.trigger.checkpoints.save(self.partition, progress.position)
    }

    async fn read(
        &self,
        position: Position,
        cut_at: Option<usize>,
    ) -> Result<(Vec<Event>, Position), HubError> {
        let (hub, partition) = (Arc::clone(&self.trigger.hub), self.partition);
        let max = match self.trigger.trigger.cardinality {
            Cardinality::One => 1,
            Cardinality::Many => cut_at.unwrap_or(usize::MAX).min(self.trigger.max_batch),
        };
        let read = tokio::task::spawn_blocking(move || hub.read(partition, position, max)).await;
        read.unwrap_or_else(|error| Err(HubError::Ended(error.to_string())))
    }

    async fn process(&self, events: &[Event], deed: Option<BatchDeed>) -> SeriesEnd {
        let gives_up = deed == Some(BatchDeed::PassOver);
        if deed != Some(BatchDeed::Twice) {
            return self.series(events, gives_up).await;
        }
        let (one, other) = futures::join!(self.series(events, false), self.series(events, false));
        if one == SeriesEnd::Succeeded { other } else { one }
    }

    async fn series(&self, events: &[Event], gives_up: bool) -> SeriesEnd {
        let partition = self.partition.to_string();
        let source = Source {
            namespace: &self.trigger.namespace,
            partition: &partition,
            trigger: &self.trigger.trigger,
            binding: &self.trigger.function.trigger_name,
        };
        let series = Series {
            invoker: self.invoker,
            function: &self.trigger.function,
            fresh_ids: false,
            gives_up,
            stop: self.dismissed.clone(),
        };
        series.run(|attempt| event_hub(&source, events, attempt).map_err(|error| error.to_string())).await
    }
}
