//! Requests of Cosmos DB that are too many.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::chance::{Chance, Odds};

/// Which requests are throttled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttle {
    /// Share of requests, 0 to 1.
    pub share: f64,
    /// What the service tells its clients to wait, in milliseconds.
    #[serde(default = "default_retry_after_ms")]
    pub retry_after_ms: u64,
    /// Seed of the choice.
    #[serde(default)]
    pub seed: u64,
}

fn default_retry_after_ms() -> u64 {
    20
}

impl Odds for Throttle {
    fn share(&self) -> f64 {
        self.share
    }

    fn seed(&self) -> u64 {
        self.seed
    }
}

impl Chance<Throttle> {
    /// How long the sender of this request is told to wait, if it is one too many.
    pub fn retry_after(&self) -> Option<Duration> {
        self.hit(|throttle, _| Duration::from_millis(throttle.retry_after_ms))
    }
}
