//! The trigger: for every partition one listener at its owner; where a partition moves or its listener fails, the next one is started here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire::bindings::InitialOffsetKind;

use super::checkpoint::Checkpoints;
use super::log::{Hub, HubError};
use super::ownership::Ownership;
use super::partition::PartitionListener;
use crate::config::{EventHubTrigger, Function};
use crate::faults::BatchFaults;
use crate::invoke::Invoker;

/// Pause before the first new start of a listener that failed; it doubles with every further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the trigger of one function works with.
#[derive(Debug)]
pub struct EventHubListener {
    /// One host instance each carries out attempts.
    pub invokers: Vec<Arc<Invoker>>,
    /// Who owns which partition.
    pub ownership: Arc<Ownership>,
    /// What may happen to batches.
    pub faults: Arc<BatchFaults>,
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
    pub initial_offset: InitialOffsetKind,
    /// Turns true when the host stops.
    pub stop: watch::Receiver<bool>,
}

impl EventHubListener {
    /// Starts all partitions; they end when the host stops.
    pub fn start(self) -> Vec<JoinHandle<()>> {
        let trigger = Arc::new(self);
        (0..trigger.hub.partition_count())
            .map(|partition| tokio::spawn(Arc::clone(&trigger).keep_listening(partition)))
            .collect()
    }

    /// Keeps one listener going at the owner of the partition.
    async fn keep_listening(self: Arc<Self>, partition: usize) {
        let Some(mut owner) = self.ownership.of(partition) else {
            tracing::error!(partition, "a partition has no owner and is not listened to");
            return;
        };
        let mut stop = self.stop.clone();
        let mut pause = FIRST_PAUSE;
        loop {
            let instance = *owner.borrow_and_update();
            let dismissed = watch::Sender::new(false);
            let mut listener = self.listener(partition, instance, dismissed.subscribe());
            let ended = tokio::select! {
                ended = &mut listener => ended.unwrap_or_else(|error| Err(HubError::Ended(error.to_string()))),
                Ok(()) = owner.changed() => {
                    tracing::warn!(partition, from = instance, to = *owner.borrow(), "a partition moves");
                    // The former owner finishes its call without a checkpoint, while the new one begins.
                    dismissed.send_replace(true);
                    pause = FIRST_PAUSE;
                    continue;
                }
                _ = stop.wait_for(|stop| *stop) => {
                    dismissed.send_replace(true);
                    return;
                }
            };
            let Err(error) = ended else { return };
            tracing::error!(
                partition,
                error = %error,
                again_in_s = pause.as_secs(),
                "a partition's listener has failed and is started again"
            );
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn listener(
        self: &Arc<Self>,
        partition: usize,
        instance: usize,
        dismissed: watch::Receiver<bool>,
    ) -> JoinHandle<Result<(), HubError>> {
        let trigger = Arc::clone(self);
        tokio::spawn(async move {
            let Some(invoker) = trigger.invokers.get(instance) else {
                return Err(HubError::Ended(format!("there is no instance {instance}")));
            };
            let listener = PartitionListener { trigger: &trigger, invoker, partition, dismissed };
            listener.run().await
        })
    }
}
