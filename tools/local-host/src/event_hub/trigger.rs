//! The trigger: per partition one batch at a time goes to the function, with all its retries, and then the checkpoint moves, whether they succeeded or not.
//!
//! That a failed batch is passed over is what the real extension does (`EventHubListener.PartitionProcessor.cs` in Azure/azure-sdk-for-net); it is said loudly here.

use std::sync::Arc;

use tokio::sync::watch;

use super::checkpoint::Checkpoints;
use super::log::{Hub, HubError, Position};
use crate::config::{EventHubTrigger, Function, InitialOffset};
use crate::invoke::{Invoker, Series, SeriesEnd, Source, event_hub};

/// What the trigger of one function works with.
#[derive(Debug, Clone)]
pub struct EventHubListener {
    /// Carries out attempts.
    pub invoker: Arc<Invoker>,
    /// The function.
    pub function: Arc<Function>,
    /// Its trigger.
    pub trigger: EventHubTrigger,
    /// The hub.
    pub hub: Arc<Hub>,
    /// Progress of the consumer group.
    pub checkpoints: Checkpoints,
    /// Host name of the namespace, as the handler sees it.
    pub namespace: String,
    /// Events in one call at most.
    pub max_batch: usize,
    /// Checkpoint every so many batches.
    pub checkpoint_frequency: u32,
    /// Where to start without a checkpoint.
    pub initial_offset: InitialOffset,
    /// Turns true when the host stops.
    pub stop: watch::Receiver<bool>,
}

impl EventHubListener {
    /// Starts all partitions; each ends when the host stops or its files fail.
    pub fn start(self) -> Vec<tokio::task::JoinHandle<()>> {
        (0..self.hub.partition_count())
            .map(|partition| {
                let listener = self.clone();
                tokio::spawn(async move {
                    if let Err(error) = listener.run(partition).await {
                        tracing::error!(partition, error = %error, "a partition has ended");
                    }
                })
            })
            .collect()
    }

    async fn run(mut self, partition: usize) -> Result<(), HubError> {
        let mut end = self.hub.end(partition)?;
        let mut position = match self.checkpoints.load(partition)? {
            Some(position) => position,
            None => match self.initial_offset {
                InitialOffset::Start => Position::default(),
                InitialOffset::End => *end.borrow(),
            },
        };
        let mut batches: u32 = 0;
        while !*self.stop.borrow() {
            let (events, next) = self.read(partition, position).await?;
            if events.is_empty() {
                tokio::select! {
                    changed = end.wait_for(|end| end.next_offset > position.next_offset) => {
                        if changed.is_err() { return Ok(()); }
                    }
                    _ = self.stop.wait_for(|stop| *stop) => {}
                }
                continue;
            }
            let done = self.process(partition, &events).await;
            // A host that stops writes no checkpoint: the batch comes again.
            if done == SeriesEnd::Stopped || *self.stop.borrow() {
                return Ok(());
            }
            if done == SeriesEnd::Failed {
                tracing::error!(
                    function = self.function.name,
                    partition,
                    n_events = events.len(),
                    first = events.first().map(|event| event.sequence_number),
                    "a batch is lost: its last attempt failed and the checkpoint moves on"
                );
            }
            position = next;
            batches += 1;
            if batches.is_multiple_of(self.checkpoint_frequency) {
                self.checkpoints.save(partition, position)?;
            }
        }
        Ok(())
    }

    async fn read(
        &self,
        partition: usize,
        position: Position,
    ) -> Result<(Vec<super::Event>, Position), HubError> {
        let hub = Arc::clone(&self.hub);
        let max = match self.trigger.cardinality {
            crate::config::Cardinality::One => 1,
            crate::config::Cardinality::Many => self.max_batch,
        };
        let read = tokio::task::spawn_blocking(move || hub.read(partition, position, max)).await;
        read.unwrap_or_else(|_| Err(HubError::UnknownPartition(partition.to_string())))
    }

    async fn process(&self, partition: usize, events: &[super::Event]) -> SeriesEnd {
        let partition = partition.to_string();
        let source = Source {
            namespace: &self.namespace,
            partition: &partition,
            trigger: &self.trigger,
            binding: &self.function.trigger_name,
        };
        let series = Series {
            invoker: &self.invoker,
            function: &self.function,
            fresh_ids: false,
            stop: self.stop.clone(),
        };
        series.run(|attempt| event_hub(&source, events, attempt).map_err(|error| error.to_string())).await
    }
}
