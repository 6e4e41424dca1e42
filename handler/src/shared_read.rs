//! One read for all who ask at the same time, and for those who ask shortly after it succeeded.
//!
//! When the service is away, a hundred who wait cost one read and get one outcome together, instead of a turn each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// What a read came to; everybody gets the same.
type Outcome<T, E> = Result<Arc<T>, Arc<E>>;

/// Shares reads of one thing.
#[derive(Debug)]
pub(crate) struct SharedRead<T, E> {
    fresh_for: Duration,
    state: Mutex<State<T, E>>,
}

#[derive(Debug)]
struct State<T, E> {
    last: Option<(Instant, Arc<T>)>,
    /// The outcome to come; a read that was given up has closed it without one.
    running: Option<watch::Receiver<Option<Outcome<T, E>>>>,
}

/// What somebody who asks does next.
enum Turn<T, E> {
    Fresh(Arc<T>),
    Wait(watch::Receiver<Option<Outcome<T, E>>>),
    Read(watch::Sender<Option<Outcome<T, E>>>),
}

impl<T, E> SharedRead<T, E> {
    /// Gives what was read again for so long.
    pub(crate) fn new(fresh_for: Duration) -> Self {
        Self { fresh_for, state: Mutex::new(State { last: None, running: None }) }
    }

    /// What was read a moment ago, else what is being read, else what `read` gives.
    ///
    /// Who reads reads for the others as well: when that one gives up, the next of them begins anew.
    pub(crate) async fn read<F>(&self, read: impl FnOnce() -> F) -> Outcome<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.read_within(self.fresh_for, read).await
    }

    /// As [`SharedRead::read`], with what was read so long ago at most.
    pub(crate) async fn read_within<F>(&self, fresh_for: Duration, read: impl FnOnce() -> F) -> Outcome<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        loop {
            match self.turn(fresh_for) {
                Turn::Fresh(value) => return Ok(value),
                Turn::Read(outcome) => return self.finish(&outcome, read().await),
                Turn::Wait(mut running) => {
                    if let Ok(outcome) = running.wait_for(Option::is_some).await
                        && let Some(outcome) = &*outcome
                    {
                        return outcome.clone();
                    }
                }
            }
        }
    }

    fn turn(&self, fresh_for: Duration) -> Turn<T, E> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, value)) = &state.last
            && at.elapsed() < fresh_for
        {
            return Turn::Fresh(Arc::clone(value));
        }
        match &state.running {
            // One that has ended, or was given up, has dropped its end.
            Some(running) if running.has_changed().is_ok() => Turn::Wait(running.clone()),
            _ => {
                let (sender, receiver) = watch::channel(None);
                state.running = Some(receiver);
                Turn::Read(sender)
            }
        }
    }

    fn finish(&self, outcome: &watch::Sender<Option<Outcome<T, E>>>, result: Result<T, E>) -> Outcome<T, E> {
        let result = result.map(Arc::new).map_err(Arc::new);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(value) = &result {
            state.last = Some((Instant::now(), Arc::clone(value)));
        }
        state.running = None;
        drop(state);
        outcome.send_replace(Some(result.clone()));
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use tokio::sync::Notify;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn all_who_wait_share_one_failure() {
        let shared: SharedRead<(), &str> = SharedRead::new(LONG);
        let (n_reads, go_on) = (AtomicUsize::new(0), Notify::new());
        let ask = || async {
            let read = || async {
                n_reads.fetch_add(1, Ordering::Relaxed);
                go_on.notified().await;
                Err("away")
            };
            shared.read(read).await
        };
        let hundred = join_all((0..100).map(|_| ask()));
        let (outcomes, ()) = futures::join!(hundred, async { go_on.notify_one() });
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_err_and(|error| **error == "away")));
        assert_eq!(n_reads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_a_success_is() {
        let shared = SharedRead::new(LONG);
        assert_eq!(shared.read(|| async { Err("away") }).await, Err(Arc::new("away")));
        assert_eq!(shared.read(|| async { Ok(1) }).await, Ok(Arc::new(1)));
        assert_eq!(shared.read(|| async { Ok(2) }).await, Ok(Arc::new(1)));
    }

    #[tokio::test]
    async fn what_is_old_is_read_anew() {
        let shared: SharedRead<i32, ()> = SharedRead::new(Duration::ZERO);
        assert_eq!(shared.read(|| async { Ok(1) }).await, Ok(Arc::new(1)));
        assert_eq!(shared.read(|| async { Ok(2) }).await, Ok(Arc::new(2)));
    }

    #[tokio::test]
    async fn when_the_one_who_reads_gives_up_another_one_reads() {
        let shared: SharedRead<i32, ()> = SharedRead::new(LONG);
        let mut first = Box::pin(shared.read(std::future::pending));
        let mut second = Box::pin(shared.read(|| async { Ok(2) }));
        assert!(futures::poll!(&mut first).is_pending());
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await, Ok(Arc::new(2)));
    }
}
