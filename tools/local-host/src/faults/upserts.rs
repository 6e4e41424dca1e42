//! Single upserts of the Cosmos DB binding that go wrong.

use serde::{Deserialize, Serialize};

use super::waiting::Waiting;

/// An upsert that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpsertFault {
    /// Which one, counted from now; 1 is the next.
    pub nth: u64,
    /// What becomes of it.
    pub outcome: UpsertOutcome,
}

/// What becomes of an upsert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum UpsertOutcome {
    /// It is refused with this status, and nothing is stored.
    Fail(u16),
    /// It is stored, and its client is told that it failed.
    LoseReply,
    /// It is carried out after so many milliseconds.
    DelayMs(u64),
}

impl Waiting<UpsertFault> {
    /// Counts an upsert and says what becomes of it, if anything is to.
    pub fn next(&self) -> Option<UpsertOutcome> {
        let mut due = None;
        // Every fault counts every upsert.
        let _ = self.take(|fault| {
            fault.nth = fault.nth.saturating_sub(1);
            due = due.or((fault.nth == 0).then_some(fault.outcome));
            false
        });
        self.take(|fault| fault.nth == 0);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_count_the_same_upserts() {
        let waiting = Waiting::default();
        for (nth, status) in [(3, 503), (1, 500)] {
            waiting.add(UpsertFault { nth, outcome: UpsertOutcome::Fail(status) }).unwrap();
        }
        let outcomes: Vec<_> = (0..4).map(|_| waiting.next()).collect();
        let fail = |status| Some(UpsertOutcome::Fail(status));
        assert_eq!(outcomes, [fail(500), None, fail(503), None]);
        assert!(waiting.list().is_empty());
    }
}
