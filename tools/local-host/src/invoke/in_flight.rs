//! How many calls are in flight: each is counted while its token lives; a stop waits here until there are none.

use std::time::Duration;

use tokio::sync::watch;

/// Counts calls.
#[derive(Debug, Default)]
pub struct InFlight {
    count: watch::Sender<usize>,
}

/// A call in flight; ends when dropped.
#[derive(Debug)]
pub struct Call {
    count: watch::Sender<usize>,
}

impl InFlight {
    /// Counts a call as in flight while the returned value lives.
    #[must_use]
    pub fn track(&self) -> Call {
        self.count.send_modify(|count| *count += 1);
        Call { count: self.count.clone() }
    }

    /// Waits until no call is in flight, at most `limit` long; says whether that was so.
    pub async fn drained(&self, limit: Duration) -> bool {
        let mut count = self.count.subscribe();
        let idle = count.wait_for(|count| *count == 0);
        matches!(tokio::time::timeout(limit, idle).await, Ok(Ok(_)))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.count.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// Seconds of the paused clock until it is known whether calls that last so long are over.
    async fn wait(call_seconds: &[u64]) -> (bool, u64) {
        let in_flight = InFlight::default();
        for seconds in call_seconds {
            let (call, seconds) = (in_flight.track(), *seconds);
            tokio::spawn(async move {
                sleep(Duration::from_secs(seconds)).await;
                drop(call);
            });
        }
        let start = Instant::now();
        let drained = in_flight.drained(LIMIT).await;
        (drained, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_the_last_call_and_no_longer_than_its_limit() {
        assert_eq!(wait(&[]).await, (true, 0));
        assert_eq!(wait(&[5, 9]).await, (true, 9));
        assert_eq!(wait(&[5, 11]).await, (false, 10));
    }
}
