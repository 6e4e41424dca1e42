//! The retry loop: failed attempts enter, delays and further attempts leave, until success, the last attempt or a stop.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;
use wire::bindings::RetryPolicy;

use super::call::{CallEnd, Invoker};
use super::request::{Attempt, Failure, RetryState};
use crate::config::Function;
use crate::json_net::Json;

/// The attempts of one stimulus.
#[derive(Debug)]
pub struct Series<'a> {
    /// Carries out attempts.
    pub invoker: &'a Invoker,
    /// The function.
    pub function: &'a Arc<Function>,
    /// Whether each attempt gets a new invocation id, as admin calls do.
    pub fresh_ids: bool,
    /// Whether the first failure is taken for the last.
    pub gives_up: bool,
    /// Turns true when the host stops.
    pub stop: watch::Receiver<bool>,
}

/// How a series ended.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesEnd {
    /// An attempt succeeded.
    Succeeded,
    /// All attempts failed.
    Failed,
    /// The host stops; nothing is known.
    Stopped,
}

impl Series<'_> {
    /// Makes attempts until one succeeds or no more are allowed; `request` makes the envelope of each.
    pub async fn run(mut self, request: impl Fn(&Attempt) -> Result<Json, String>) -> SeriesEnd {
        let mut invocation_id = Uuid::new_v4();
        let mut failure = None;
        let mut count = 0;
        loop {
            let attempt = Attempt {
                function: self.function.name.clone(),
                now: Timestamp::now(),
                rand_guid: Uuid::new_v4(),
                retry: self.function.retry.map(|retry| RetryState {
                    count,
                    max_count: i64::from(retry.max_retry_count()),
                    failure: failure.take(),
                }),
            };
            let end = match request(&attempt) {
                Ok(envelope) => self.invoker.attempt(self.function, invocation_id, envelope.to_text()).await,
                Err(reason) => {
                    tracing::error!(
                        function = self.function.name,
                        reason,
                        "the handler is not called: the stimulus cannot be bound"
                    );
                    CallEnd::Failed(reason)
                }
            };
            let CallEnd::Failed(message) = end else { return SeriesEnd::Succeeded };
            failure = Some(Failure { invocation_id, message });
            count += 1;
            let retry = self.function.retry.filter(|_| !self.gives_up);
            let Some(delay) = retry.and_then(|retry| delay_before_retry(&retry, count, spread())) else {
                return SeriesEnd::Failed;
            };
            if self.fresh_ids {
                invocation_id = Uuid::new_v4();
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = self.stop.wait_for(|stop| *stop) => return SeriesEnd::Stopped,
            }
        }
    }
}

/// The delay before retry number `count` (from 1), or `None` if no more are allowed.
///
/// `spread`, 0.8 to 1.2, varies exponential delays as the host does: the minimum first, then minimum + spread x minimum x 2^(n-1).
#[must_use]
pub fn delay_before_retry(retry: &RetryPolicy, count: u32, spread: f64) -> Option<Duration> {
    // Below 0 is without end.
    if u32::try_from(retry.max_retry_count()).is_ok_and(|most| count > most) {
        return None;
    }
    match *retry {
        RetryPolicy::FixedDelay { delay_interval, .. } => Some(delay_interval.0),
        RetryPolicy::ExponentialBackoff { minimum_interval, .. } if count <= 1 => Some(minimum_interval.0),
        RetryPolicy::ExponentialBackoff { minimum_interval, maximum_interval, .. } => {
            let (minimum, maximum) = (minimum_interval.0, maximum_interval.0);
            let doublings = i32::try_from(count.saturating_sub(2)).unwrap_or(30).min(30);
            let growth = spread * 2_f64.powi(doublings);
            let delay = minimum.as_secs_f64() * (1.0 + growth);
            Some(Duration::try_from_secs_f64(delay).unwrap_or(maximum).min(maximum))
        }
    }
}

fn spread() -> f64 {
    rand::random_range(0.8..1.2)
}

#[cfg(test)]
mod tests {
    use wire::bindings::TimeSpan;

    use super::*;

    #[test]
    fn exponential_delays_grow_as_recorded() {
        let retry = RetryPolicy::ExponentialBackoff {
            max_retry_count: -1,
            minimum_interval: TimeSpan(Duration::from_secs(1)),
            maximum_interval: TimeSpan(Duration::from_secs(5)),
        };
        let delays: Vec<f64> =
            (1..=5).map(|count| delay_before_retry(&retry, count, 1.0).unwrap().as_secs_f64()).collect();
        assert_eq!(delays, [1.0, 2.0, 3.0, 5.0, 5.0]);
        assert_eq!(delay_before_retry(&retry, 1_000_000, 1.2), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_limit_counts_retries_not_attempts() {
        let delay_interval = TimeSpan(Duration::from_secs(1));
        let retry = RetryPolicy::FixedDelay { max_retry_count: 2, delay_interval };
        let allowed: Vec<bool> =
            (1..=3).map(|count| delay_before_retry(&retry, count, 1.0).is_some()).collect();
        assert_eq!(allowed, [true, true, false]);
    }
}
