//! A copy of the account that is some seconds behind: changes enter at once and are applied later, stale answers leave.

use std::sync::Arc;
use std::time::Duration;

use azure_core::http::Url;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::account::{AccountError, Exchange, Reply};
use super::emulator::Emulator;
use super::journal::Entry;

/// A copy that lags.
#[derive(Debug)]
pub(super) struct LaggingCopy {
    emulator: Arc<Emulator>,
    lag: Duration,
    changes: mpsc::UnboundedSender<(Instant, Entry)>,
    follower: JoinHandle<()>,
}

impl LaggingCopy {
    /// A copy that begins with the present state, made of all changes, and lags from its first change on.
    pub(super) async fn new(base: &Url, entries: &[Entry], lag: Duration) -> Result<Self, AccountError> {
        let emulator = Arc::new(Emulator::new(base.clone())?);
        for entry in entries {
            emulator.apply(entry).await?;
        }
        let (changes, inbox) = mpsc::unbounded_channel();
        let follower = tokio::spawn(apply_when_due(Arc::clone(&emulator), inbox));
        Ok(Self { emulator, lag, changes, follower })
    }

    /// Takes note of a change.
    pub(super) fn follow(&self, entry: Entry) {
        // Fails only when the copy is being dropped.
        let _ = self.changes.send((Instant::now() + self.lag, entry));
    }

    /// Answers a read.
    pub(super) async fn read(&self, exchange: Exchange) -> Result<Reply, AccountError> {
        self.emulator.dispatch(exchange).await
    }
}

impl Drop for LaggingCopy {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

async fn apply_when_due(emulator: Arc<Emulator>, mut inbox: mpsc::UnboundedReceiver<(Instant, Entry)>) {
    while let Some((due, entry)) = inbox.recv().await {
        sleep_until(due).await;
        if let Err(error) = emulator.apply(&entry).await {
            tracing::error!(error = %error, "the stale copy of the account has missed a change");
        }
    }
}
