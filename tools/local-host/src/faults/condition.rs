//! How a service behaves towards its callers: an order to be up, to refuse or to be silent enters, whoever depends on it sees the change.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;

/// How a service behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// It works.
    #[default]
    Up,
    /// Its port is closed; connections that were open are cut.
    Refuses,
    /// It accepts connections and neither reads nor answers on them; when it is up again, it goes on where it was.
    Silent,
}

/// The condition of one service, changed while it runs.
#[derive(Debug, Default)]
pub struct Switch {
    condition: watch::Sender<Condition>,
    /// The condition that the service's port is in; `None` where no port follows the switch.
    port: watch::Sender<Option<Condition>>,
}

/// Longest wait for a port to follow its switch; binding it again may fail for a while.
const FOLLOW_LIMIT: Duration = Duration::from_secs(5);

impl Switch {
    /// The present condition.
    #[must_use]
    pub fn get(&self) -> Condition {
        *self.condition.borrow()
    }

    /// Changes the condition.
    pub fn set(&self, condition: Condition) {
        self.condition.send_if_modified(|present| std::mem::replace(present, condition) != condition);
    }

    /// The condition with its changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    /// Says which condition the service's port is in by now.
    pub(super) fn follow(&self, condition: Condition) {
        self.port.send_replace(Some(condition));
    }

    /// Waits until the service's port has followed, so that whoever connects next meets the present condition.
    pub async fn settled(&self) {
        let mut port = self.port.subscribe();
        let followed = port.wait_for(|port| port.is_none_or(|condition| condition == self.get()));
        if timeout(FOLLOW_LIMIT, followed).await.is_err() {
            tracing::warn!(condition = ?self.get(), "the port of a service does not follow its condition");
        }
    }

    /// Waits until the service is up, at most `limit` long; says whether it is.
    pub async fn is_up_within(&self, limit: Duration) -> bool {
        let mut condition = self.condition.subscribe();
        let up = condition.wait_for(|condition| *condition == Condition::Up);
        matches!(timeout(limit, up).await, Ok(Ok(_)))
    }
}
