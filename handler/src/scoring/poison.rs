//! Finds the event that makes the program fail: no event, whatever it does, may stop its partition for good.
//!
//! After a panic, or where an earlier process ended in the middle of deciding, events are decided one by one. One that
//! panics, or that ended three processes, becomes a reject.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wire::telemetry::Reject;

use super::batch::Batch;
use super::decide::{Decided, Outcome, Reconstruct, Rules, decide};
use super::journal::Journal;
use super::partition::Partition;
use super::state::Undo;
use super::tail::Tail;
use super::{ScoreError, Scorer, Slot};

/// Why an event is refused on which deciding panics.
const FAILS: &str = "it makes the program fail";

impl<M: Reconstruct> Scorer<M> {
    /// Decides on a batch's events from a place on.
    pub(super) fn decide(
        &self,
        partition: &mut Partition,
        slot: &mut Slot,
        batch: &Batch<'_>,
        from: usize,
        tail: &Tail,
        undo: &mut Undo,
    ) -> Result<Vec<Decided>, ScoreError> {
        let (first, last) = (batch.sequence(from), batch.last());
        if slot.journal.is_none() {
            slot.journal = self.open_journal(partition);
        }
        let is_suspect = slot.journal.as_ref().is_some_and(|journal| journal.suspects(first, last));
        let decided = if std::mem::replace(&mut slot.is_deciding, true) || is_suspect {
            tracing::warn!(
                first,
                last,
                "scoring failed in this batch before; its events are scored one by one"
            );
            self.decide_singly(partition, slot, batch, from, tail, undo)
        } else {
            note(&mut slot.journal, |journal| journal.begin(first, last));
            let events = from..batch.events().len();
            decide(self.rules(tail), &mut partition.state, batch, events, undo).map_err(ScoreError::Model)
        };
        note(&mut slot.journal, Journal::end);
        slot.is_deciding = false;
        decided
    }

    fn decide_singly(
        &self,
        partition: &mut Partition,
        slot: &mut Slot,
        batch: &Batch<'_>,
        from: usize,
        tail: &Tail,
        undo: &mut Undo,
    ) -> Result<Vec<Decided>, ScoreError> {
        let (first, last) = (batch.sequence(from), batch.last());
        let mut decided = Vec::new();
        for event in from..batch.events().len() {
            let sequence = batch.sequence(event);
            let is_condemned = slot.journal.as_ref().is_some_and(|journal| journal.condemns(sequence));
            if !is_condemned {
                note(&mut slot.journal, |journal| journal.name(first, last, sequence));
            }
            let refusal = is_condemned.then_some("it ended the process three times");
            // What is stored of an event that is refused stays, and is applied.
            let mut try_one = |refusal| {
                let mut own_undo = partition.state.begin();
                let rules = Rules { refusal, ..self.rules(tail) };
                let attempt = catch_unwind(AssertUnwindSafe(|| {
                    decide(rules, &mut partition.state, batch, event..event + 1, &mut own_undo)
                }));
                match &attempt {
                    Ok(Ok(_)) => undo.absorb(own_undo),
                    _ => partition.state.undo(own_undo),
                }
                attempt
            };
            let first_try = try_one(refusal);
            if (is_condemned || first_try.is_err()) && !tail.holds_all_of(sequence) {
                tracing::error!(sequence, is_condemned, "an event that makes the program fail is refused");
            }
            match first_try.or_else(|_| try_one(Some(FAILS))) {
                Ok(parts) => decided.extend(parts.map_err(ScoreError::Model)?),
                // Even what is stored of it fails.
                Err(_) => decided.push(refused(event)),
            }
        }
        Ok(decided)
    }

    fn open_journal(&self, partition: &Partition) -> Option<Journal> {
        let folder = self.storage.journals.as_ref()?;
        let path = folder.join(format!("{}journal", partition.stream.bucket_prefix()));
        match std::fs::create_dir_all(folder).and_then(|()| Journal::open(&path)) {
            Ok(journal) => Some(journal),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "no journal: an event that ends the process is not found");
                None
            }
        }
    }
}

fn refused(event: usize) -> Decided {
    Decided { event, index: 0, count: 1, outcome: Outcome::Reject(Reject::Poison(FAILS.to_owned())) }
}

/// Writes to the journal; one that cannot be written is closed, because what it says is no longer so.
fn note(journal: &mut Option<Journal>, write: impl FnOnce(&mut Journal) -> std::io::Result<()>) {
    if let Some(open) = journal
        && let Err(error) = write(open)
    {
        tracing::warn!(%error, "the journal cannot be written");
        *journal = None;
    }
}
