//! Requests that are too many: a share and a seed enter, for each request leaves whether it is throttled.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

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

/// Throttles requests of one service.
#[derive(Debug, Default)]
pub struct Throttling {
    state: Mutex<Option<(Throttle, StdRng)>>,
}

impl Throttling {
    /// Throttles from now on, or no more.
    pub fn set(&self, throttle: Option<Throttle>) {
        *self.lock() = throttle.map(|throttle| (throttle, StdRng::seed_from_u64(throttle.seed)));
    }

    /// What is throttled at present.
    #[must_use]
    pub fn get(&self) -> Option<Throttle> {
        self.lock().as_ref().map(|(throttle, _)| *throttle)
    }

    /// Whether this request is throttled, and how long its sender is told to wait.
    pub fn hit(&self) -> Option<Duration> {
        let mut state = self.lock();
        let (throttle, random) = state.as_mut()?;
        let hit = random.random_range(0.0..1.0) < throttle.share;
        hit.then(|| Duration::from_millis(throttle.retry_after_ms))
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Throttle, StdRng)>> {
        // The state is whole between any two statements: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(throttling: &Throttling) -> Vec<bool> {
        (0..1000).map(|_| throttling.hit().is_some()).collect()
    }

    #[test]
    fn a_seed_chooses_the_same_share_again() {
        let throttling = Throttling::default();
        assert_eq!(throttling.hit(), None);
        let throttle = Throttle { share: 0.1, retry_after_ms: 5, seed: 7 };
        throttling.set(Some(throttle));
        let first = hits(&throttling);
        let n_hits = first.iter().filter(|hit| **hit).count();
        assert!((60..140).contains(&n_hits), "{n_hits}");
        throttling.set(Some(throttle));
        assert_eq!(hits(&throttling), first);
        throttling.set(Some(Throttle { share: 1.0, ..throttle }));
        assert_eq!(throttling.hit(), Some(Duration::from_millis(5)));
    }
}
