//! Calls of the function with the Event Hubs trigger that are cut short: the handler is killed at a point of the exchange, or the host gives the call up.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::chance::{Chance, Odds};
use super::waiting::Waiting;

/// Bytes of a request or an answer within which chance picks a point.
const BYTES: usize = 16 * 1024;
/// Upserts of an answer within which chance picks one.
const UPSERTS: usize = 8;

/// Where a call is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum CallFault {
    /// The handler is killed when so many bytes of the request's body have been sent.
    KillAtRequestByte(usize),
    /// The handler is killed when so many bytes of its answer's body have been read; the rest is lost.
    KillAtAnswerByte(usize),
    /// The handler is killed when so many of its answer's documents have been written; the others are written all the same.
    KillAfterUpserts(usize),
    /// The host gives the call up as at `functionTimeout`.
    Abandon(Abandonment),
}

/// A call that the host gives up while its upserts go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Abandonment {
    /// So many documents have been written by then.
    pub after_upserts: usize,
    /// The others are written so much later, in milliseconds.
    pub later_ms: u64,
}

/// How often calls are cut short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallOdds {
    /// Share of calls, 0 to 1.
    pub share: f64,
    /// Seed of the choice.
    #[serde(default)]
    pub seed: u64,
    /// Abandoned upserts go on within this time, in milliseconds.
    #[serde(default = "default_later_ms")]
    pub later_ms: u64,
}

fn default_later_ms() -> u64 {
    5000
}

impl Odds for CallOdds {
    fn share(&self) -> f64 {
        self.share
    }

    fn seed(&self) -> u64 {
        self.seed
    }
}

/// Calls that are cut short.
#[derive(Debug, Default)]
pub struct CallFaults {
    /// Those that happen once.
    pub waiting: Waiting<CallFault>,
    /// Those that happen by chance.
    pub chance: Chance<CallOdds>,
}

impl CallFaults {
    /// What happens to the next call.
    pub fn next(&self) -> Option<CallFault> {
        self.waiting.take(|_| true).or_else(|| self.chance.hit(pick))
    }
}

impl Abandonment {
    /// How much later the abandoned upserts go on.
    #[must_use]
    pub fn later(&self) -> Duration {
        Duration::from_millis(self.later_ms)
    }
}

fn pick(odds: &CallOdds, random: &mut StdRng) -> CallFault {
    match random.random_range(0..4) {
        0 => CallFault::KillAtRequestByte(random.random_range(0..BYTES)),
        1 => CallFault::KillAtAnswerByte(random.random_range(0..BYTES)),
        2 => CallFault::KillAfterUpserts(random.random_range(0..UPSERTS)),
        _ => CallFault::Abandon(Abandonment {
            after_upserts: random.random_range(0..UPSERTS),
            later_ms: random.random_range(0..=odds.later_ms),
        }),
    }
}
