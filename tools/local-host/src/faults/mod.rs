//! What can be made to go wrong while the local host runs: orders enter by HTTP, the parts that they concern ask here and misbehave.
//!
//! Each fault is a small piece of its own; this one only holds them together. It refuses to know what a fault does to the handler.

mod batches;
mod calls;
mod chance;
mod condition;
mod control;
mod door;
mod kills;
mod orders;
mod throttle;
mod upserts;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use batches::{BatchDeed, BatchFault, BatchFaults, BatchOdds};
pub use calls::{Abandonment, CallFault, CallFaults, CallOdds};
pub use chance::{Chance, Odds};
pub use condition::{Condition, Switch};
pub use control::router;
pub(crate) use door::serve;
pub use door::{Door, Passage};
pub use kills::Kills;
pub use orders::{Once, Standing, StandingCosmos, StandingService};
pub use throttle::Throttle;
pub use upserts::{UpsertFault, UpsertOutcome};
pub use waiting::Waiting;

use crate::event_hub::Ownership;

/// Everything that can be made to go wrong.
#[derive(Debug)]
pub struct Faults {
    /// Faults of Cosmos DB.
    pub cosmos: Arc<CosmosFaults>,
    /// Condition of SignalR.
    pub signalr: Arc<Switch>,
    /// Condition of blob storage.
    pub blob: Arc<Switch>,
    /// Calls that are cut short.
    pub calls: Arc<CallFaults>,
    /// Batches that come again or not.
    pub batches: Arc<BatchFaults>,
    /// Handlers that are killed.
    pub kills: Arc<Kills>,
    /// Partitions that move.
    pub ownership: Arc<Ownership>,
}

/// Faults of Cosmos DB.
#[derive(Debug, Default)]
pub struct CosmosFaults {
    /// Whether it can be reached.
    pub condition: Arc<Switch>,
    /// Which requests are answered 429.
    pub throttling: Chance<Throttle>,
    /// Single upserts that go wrong.
    pub upserts: Waiting<UpsertFault>,
    /// How old reads are.
    pub lag: watch::Sender<Option<Duration>>,
    /// Every order ends the documents with a time to live that are so old.
    pub expire: watch::Sender<Duration>,
}

impl Faults {
    /// No faults yet, with partitions to be moved.
    #[must_use]
    pub fn new(ownership: Ownership) -> Self {
        Self {
            cosmos: Arc::default(),
            signalr: Arc::default(),
            blob: Arc::default(),
            calls: Arc::default(),
            batches: Arc::default(),
            kills: Arc::default(),
            ownership: Arc::new(ownership),
        }
    }

    /// The lasting faults at present.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            cosmos: StandingCosmos {
                condition: self.cosmos.condition.get(),
                throttle: self.cosmos.throttling.get(),
                stale_by_ms: self.cosmos.lag.borrow().map(millis),
            },
            signalr: StandingService { condition: self.signalr.get() },
            blob: StandingService { condition: self.blob.get() },
            calls: self.calls.chance.get(),
            batches: self.batches.chance.get(),
            kill_every_ms: self.kills.every().map(millis),
        }
    }

    /// Replaces the lasting faults.
    pub fn stand(&self, standing: &Standing) {
        self.cosmos.throttling.set(standing.cosmos.throttle);
        let lag = standing.cosmos.stale_by_ms.map(Duration::from_millis);
        self.cosmos.lag.send_if_modified(|present| std::mem::replace(present, lag) != lag);
        self.cosmos.condition.set(standing.cosmos.condition);
        self.signalr.set(standing.signalr.condition);
        self.blob.set(standing.blob.condition);
        self.calls.chance.set(standing.calls);
        self.batches.chance.set(standing.batches);
        self.kills.set_every(standing.kill_every_ms.map(Duration::from_millis));
    }

    /// Waits until the ports of all services have followed their conditions.
    pub async fn settled(&self) {
        for switch in [&self.cosmos.condition, &self.signalr, &self.blob] {
            switch.settled().await;
        }
    }

    /// The faults that happen once and have not yet.
    #[must_use]
    pub fn waiting(&self) -> Vec<Once> {
        let calls = self.calls.waiting.list().into_iter().map(Once::Call);
        let upserts = self.cosmos.upserts.list().into_iter().map(Once::Upsert);
        let batches = self.batches.waiting.list().into_iter().map(Once::Batch);
        calls.chain(upserts).chain(batches).collect()
    }

    /// Lets something happen once: at once, or at its next occasion.
    ///
    /// # Errors
    ///
    /// What does not exist, or that too much waits already.
    pub async fn happen(&self, once: Once) -> Result<(), String> {
        match once {
            Once::Kill { instance } => self.kills.kill(instance).await,
            Once::Move { partition, to } => self.ownership.move_to(partition, to),
            Once::Call(fault) => self.calls.waiting.add(fault),
            Once::Upsert(fault) => self.cosmos.upserts.add(fault),
            Once::Batch(fault) => self.batches.waiting.add(fault),
            Once::Expire { older_than_ms } => {
                self.cosmos.expire.send_replace(Duration::from_millis(older_than_ms));
                Ok(())
            }
        }
    }

    /// Ends all faults, lasting and waiting; partitions stay where they are.
    pub fn end(&self) {
        self.stand(&Standing::default());
        self.calls.waiting.clear();
        self.cosmos.upserts.clear();
        self.batches.waiting.clear();
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
