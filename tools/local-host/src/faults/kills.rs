//! Handlers that are killed: at once, or every so many seconds.
//!
//! The pauses vary by half: kills that came in step with the host's retries would hit the same call for ever.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::handler_process::Handler;

/// Kills the handlers of all instances.
#[derive(Debug, Default)]
pub struct Kills {
    handlers: Mutex<Vec<Handler>>,
    every: watch::Sender<Option<Duration>>,
}

impl Kills {
    /// Names the handler of the next instance.
    pub fn register(&self, handler: Handler) {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner).push(handler);
    }

    /// Number of instances.
    #[must_use]
    pub fn instance_count(&self) -> usize {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Kills the handler of one instance, which is started again.
    ///
    /// # Errors
    ///
    /// That there is no such instance.
    pub async fn kill(&self, instance: usize) -> Result<(), String> {
        let handler = self.handlers.lock().unwrap_or_else(PoisonError::into_inner).get(instance).cloned();
        let Some(handler) = handler else { return Err(format!("there is no instance {instance}")) };
        tracing::warn!(instance, "the handler is killed, as ordered");
        handler.kill().await;
        Ok(())
    }

    /// How often the handlers are killed.
    #[must_use]
    pub fn every(&self) -> Option<Duration> {
        *self.every.borrow()
    }

    /// Kills the handlers in turn, one every so often on average, or no more.
    pub fn set_every(&self, every: Option<Duration>) {
        self.every.send_if_modified(|present| std::mem::replace(present, every) != every);
    }

    /// Does what [`Kills::set_every`] orders, until it is dropped.
    pub(crate) async fn run(&self) {
        let mut orders = self.every.subscribe();
        for turn in 0.. {
            let every = *orders.borrow_and_update();
            let pause = async {
                match every {
                    Some(every) => tokio::time::sleep(every.mul_f64(rand::random_range(0.5..1.5))).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = orders.changed() => {}
                () = pause => {
                    // Fails only when there is no instance at all.
                    let _ = self.kill(turn % self.instance_count().max(1)).await;
                }
            }
        }
    }
}
