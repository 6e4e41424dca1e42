//! What can be made to go wrong while the local host runs: orders enter by HTTP, the parts that they concern ask here and misbehave.
//!
//! Each fault is a small piece of its own; this one only holds them together. It refuses to know what a fault does to the handler.

mod condition;
mod control;
mod door;
mod throttle;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use condition::{Condition, Switch};
pub use control::router;
pub(crate) use door::serve;
pub use door::{Door, Passage};
pub use throttle::{Throttle, Throttling};

/// Faults that last until they are changed; by default all is well.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Standing {
    /// Cosmos DB.
    pub cosmos: StandingCosmos,
    /// SignalR.
    #[serde(rename = "signalR")]
    pub signalr: StandingSignalR,
}

/// Lasting faults of Cosmos DB.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StandingCosmos {
    /// Whether it can be reached.
    pub condition: Condition,
    /// Which requests are answered 429.
    pub throttle: Option<Throttle>,
}

/// Lasting faults of SignalR.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StandingSignalR {
    /// Whether it can be reached.
    pub condition: Condition,
}

impl std::str::FromStr for Standing {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

/// Everything that can be made to go wrong.
#[derive(Debug, Default)]
pub struct Faults {
    /// Faults of Cosmos DB.
    pub cosmos: Arc<CosmosFaults>,
    /// Condition of SignalR.
    pub signalr: Arc<Switch>,
}

/// Faults of Cosmos DB.
#[derive(Debug, Default)]
pub struct CosmosFaults {
    /// Whether it can be reached.
    pub condition: Arc<Switch>,
    /// Which requests are answered 429.
    pub throttling: Throttling,
}

impl Faults {
    /// The lasting faults at present.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            cosmos: StandingCosmos {
                condition: self.cosmos.condition.get(),
                throttle: self.cosmos.throttling.get(),
            },
            signalr: StandingSignalR { condition: self.signalr.get() },
        }
    }

    /// Replaces the lasting faults.
    pub fn stand(&self, standing: &Standing) {
        self.cosmos.throttling.set(standing.cosmos.throttle);
        self.cosmos.condition.set(standing.cosmos.condition);
        self.signalr.set(standing.signalr.condition);
    }
}
