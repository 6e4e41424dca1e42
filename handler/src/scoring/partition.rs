//! The life of one hub partition in this process: which answers are known to be stored, and what a batch that comes
//! next, again, or cut anew means for them.
//!
//! The host says nothing of what became of an answer's documents. So the last answer can be undone until its newest
//! document was read back; from then on what it changed is the base.

use std::ops::Range;

use detector::Detector;
use wire::documents::Header;
use wire::invocation::RawObject;
use wire::position::Stream;
use wire::stored::Precedence;

use super::ScoreError;
use super::batch::Batch;
use super::mutants::{self, Mutant};
use super::orphans::{WithOrphans, header_of};
use super::patience::Patience;
use super::recovery::{Found, Recovery};
use super::state::{State, Undo};
use super::stored::StoredFacts;
use super::tail::Tail;

/// How much newer than everything stored an event of an old number must be to belong to a rebuilt hub, in
/// milliseconds.
const REBUILT_AFTER_MS: i64 = 60_000;
/// Bytes of documents that are kept for another try.
const CARRIED_BYTES: usize = 16 * 1024 * 1024;

/// One hub partition.
#[derive(Debug)]
pub struct Partition {
    /// What it reads.
    pub stream: Stream,
    /// The fold, the last answers included.
    pub state: State,
    /// The succession of owners that documents belong to.
    pub term: u32,
    /// Losses that no stored document speaks of yet.
    pub gaps: Vec<(i64, i64)>,
    /// Answers whose documents are not stored although their batch will not come again: they go out with the next.
    carried: Option<Answered>,
    last: Option<Answered>,
    /// Documents of answers that were passed over and overruled: what they alone speak for is stored nowhere else.
    orphans: Vec<RawObject>,
    /// Whether it was just opened, and what is stored is not folded in yet.
    is_new: bool,
    /// Highest sequence number that a document was seen to speak for, when the partition was opened or in the bucket of
    /// the answer that was read back last: up to there the tail is read before anything is decided, or another owner's
    /// facts would be decided again.
    seen_to: Option<i64>,
}

/// An answer that was given, and may or may not be stored.
#[derive(Debug)]
struct Answered {
    stretch: Range<i64>,
    /// The facts in it, in the order in which they are stored.
    documents: Vec<RawObject>,
    marker: Marker,
    undo: Undo,
}

/// The last of an answer's documents that hold facts: when it is stored, so are all before it.
#[derive(Debug, Clone)]
pub struct Marker {
    /// The document's bucket.
    pub bucket: String,
    /// Its id.
    pub id: String,
}

/// What an attempt works with besides its partition.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Storage.
    pub stored: &'a dyn StoredFacts,
    /// The rules.
    pub detector: &'a Detector,
    /// Who writes.
    pub writer: &'a str,
    /// Attempts before this one.
    pub retry_count: u32,
    /// How often something lacked.
    pub patience: &'a Patience,
    /// Documents whose newest event is older may be deleted already, in epoch milliseconds.
    pub oldest_ms: i64,
}

/// What reading back an answer said.
enum ReadBack {
    Stored,
    Missing,
    Overruled,
}

impl Partition {
    /// A partition whose state is known to be stored.
    #[must_use]
    pub fn new(stream: Stream, state: State, term: u32) -> Self {
        Self {
            stream,
            state,
            term,
            gaps: Vec::new(),
            carried: None,
            last: None,
            orphans: Vec::new(),
            is_new: true,
            seen_to: None,
        }
    }

    /// Notes up to which sequence number something is stored.
    pub fn see(&mut self, stored_to: Option<i64>) {
        self.seen_to = self.seen_to.max(stored_to);
    }

    /// Tells whether all of the state is known to be stored.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.last.is_none() && self.carried.is_none() && self.gaps.is_empty()
    }

    /// Tells whether documents that came after the state may be deleted already.
    #[must_use]
    pub fn is_outdated(&self, oldest_ms: i64) -> bool {
        !self.is_new && (1..oldest_ms).contains(&self.state.enqueued_to)
    }

    /// Tells whether it holds nothing that matters, when facts are stored up to a sequence number.
    ///
    /// Where another process went on after it, that one has proved that its answers were stored, or has said that they
    /// are lost.
    #[must_use]
    pub fn is_superseded(&self, stored_to: Option<i64>) -> bool {
        if !self.orphans.is_empty() {
            return false;
        }
        let is_bare = self.last.is_none() && self.carried.is_none();
        is_bare || stored_to.is_some_and(|stored_to| self.next().is_none_or(|next| stored_to >= next))
    }

    /// Sequence number up to which all is known to be stored.
    #[cfg(test)]
    pub(super) fn base(&self) -> Option<i64> {
        let oldest = self.carried.as_ref().or(self.last.as_ref());
        oldest.map_or(self.state.position, |answered| answered.undo.position())
    }

    /// Tells whether a batch follows what was answered last, or is that again.
    #[must_use]
    pub fn expects(&self, batch: &Batch<'_>) -> bool {
        let is_again = self.last.as_ref().is_some_and(|last| last.stretch.start == batch.first());
        is_again || self.next() == Some(batch.first())
    }

    /// Tells whether a batch is of a hub that was rebuilt, and numbers its events anew.
    #[must_use]
    pub fn is_rebuilt(&self, batch: &Batch<'_>) -> bool {
        self.state.position.is_some_and(|position| is_rebuilt(batch, position, self.state.enqueued_to))
    }

    /// Brings the state to where a batch begins, and returns what is stored of the batch already.
    ///
    /// # Errors
    ///
    /// [`ScoreError`] when storage is away or lacks something; the state is then one that was before.
    pub async fn prepare(&mut self, batch: &Batch<'_>, attempt: Attempt<'_>) -> Result<Tail, ScoreError> {
        let first = batch.first();
        let is_same_start = self.last.as_ref().is_some_and(|last| last.stretch.start == first);
        if let Some(last) = &self.last
            && self.next() <= Some(first)
        {
            let (read_back, stored_to) = self.read_back(last, attempt).await?;
            self.see(stored_to);
            match read_back {
                ReadBack::Stored => self.settle(),
                ReadBack::Missing => self.carry(),
                ReadBack::Overruled => self.orphan(),
            }
            // What is carried may be older than what others have stored behind it.
            if self.next() == Some(first) && (self.seen_to < Some(first) || self.carried.is_some()) {
                return Ok(Tail::default());
            }
        }
        self.take_back();
        if self.carried.as_ref().is_some_and(|carried| first < carried.stretch.end) {
            self.take_all_back();
        }
        self.catch_up(first, attempt).await?;
        self.is_new = false;
        let from = self.next().map_or(first, |next| next.max(first));
        if from > batch.last() {
            return Ok(Tail::default());
        }
        let stretch =
            attempt.stored.stretch(&self.stream, self.state.n_buckets(), from, batch.last()).await?;
        let tail = Tail::of(&stretch, batch.sequences_from(from), &self.state)?;
        if !(is_same_start && attempt.retry_count > 0) {
            self.term = self.term.max(tail.term).saturating_add(1);
        }
        Ok(tail)
    }

    /// Folds in what is stored between the state and a batch's first event.
    async fn catch_up(&mut self, first: i64, attempt: Attempt<'_>) -> Result<(), ScoreError> {
        let Some(from) = self.next().filter(|next| *next < first) else {
            // All that came after the state comes again, and with it what orphans alone spoke for.
            self.orphans.clear();
            return Ok(());
        };
        if self.is_outdated(attempt.oldest_ms) && self.is_superseded(None) {
            return Err(ScoreError::Outdated);
        }
        let with_orphans = WithOrphans { stored: attempt.stored, orphans: &self.orphans };
        let recovery = Recovery {
            stored: &with_orphans,
            detector: attempt.detector,
            stream: &self.stream,
            patience: attempt.patience,
            oldest_ms: attempt.oldest_ms,
        };
        let may_be_undone = self.carried.is_some() || !self.orphans.is_empty();
        let mut undo = self.state.begin();
        let undo_of_all = may_be_undone.then_some(&mut undo);
        let mut found = Found::default();
        let caught_up = recovery.catch_up(&mut self.state, from, first - 1, undo_of_all, &mut found).await;
        self.term = self.term.max(found.term);
        if let Some(carried) = &mut self.carried {
            // What is carried may have to be taken back, and then all that came after it.
            carried.undo.absorb(undo);
        } else if !self.orphans.is_empty() {
            self.adopt(from..first, undo, caught_up.is_ok());
            if caught_up.is_err() {
                // All is taken back, and will be found again.
                found.gaps.clear();
            }
        }
        self.gaps.extend(found.gaps);
        caught_up
    }

    /// Notes an answer; returns what must be stored in front of it.
    pub fn answer(
        &mut self,
        stretch: Range<i64>,
        documents: &[RawObject],
        marker: Marker,
        undo: Undo,
    ) -> Vec<RawObject> {
        self.last = Some(Answered { stretch, documents: documents.to_vec(), marker, undo });
        self.carried()
    }

    /// Notes that a batch needed no answer of its own; returns what must be stored all the same.
    pub fn keep(&mut self, undo: Undo) -> Vec<RawObject> {
        if let Some(carried) = &mut self.carried {
            carried.undo.absorb(undo);
        }
        self.carried()
    }

    /// Documents that must be stored although nothing is to be answered.
    #[must_use]
    pub fn carried(&self) -> Vec<RawObject> {
        self.carried.as_ref().map(|carried| carried.documents.clone()).unwrap_or_default()
    }

    /// Sequence number of the event that the state expects next.
    #[must_use]
    pub fn next(&self) -> Option<i64> {
        self.state.position.map(|position| position.saturating_add(1))
    }

    /// What became of the last answer, and up to which sequence number anything is stored in its newest bucket.
    async fn read_back(
        &self,
        last: &Answered,
        attempt: Attempt<'_>,
    ) -> Result<(ReadBack, Option<i64>), ScoreError> {
        if mutants::is(Mutant::NoReadBack) {
            return Ok((ReadBack::Stored, None));
        }
        let from = self.carried.as_ref().map_or(last.stretch.start, |carried| carried.stretch.start);
        let headers = attempt.stored.headers(&last.marker.bucket, from).await?;
        let is_mine = |header: &Header| header.id == last.marker.id && header.writer == attempt.writer;
        let stored_to = headers.iter().map(|header| header.last_sequence).max();
        let stretch = from..last.stretch.end;
        let read_back = if Precedence::outranks(&headers, &stretch, (self.term, attempt.writer)) {
            ReadBack::Overruled
        } else if headers.iter().any(is_mine) {
            ReadBack::Stored
        } else {
            ReadBack::Missing
        };
        Ok((read_back, stored_to))
    }

    /// The state is stored: nothing needs to be undone any more.
    fn settle(&mut self) {
        self.carried = None;
        if let Some(last) = self.last.take() {
            self.state.recycle(last.undo);
        }
        self.gaps.clear();
        if self.state.has_many_gone() {
            self.state.drop_gone();
        }
    }

    /// Keeps the last answer's documents for the next one: its batch was passed over, though it is not stored.
    fn carry(&mut self) {
        let Some(last) = self.last.take() else { return };
        tracing::error!(
            hub = self.stream.hub,
            partition = self.stream.partition,
            first = last.stretch.start,
            last = last.stretch.end - 1,
            "the checkpoint passed a batch whose documents are not stored; they go out with the next batch"
        );
        let carried = match self.carried.take() {
            None => last,
            Some(mut carried) => {
                carried.stretch.end = last.stretch.end;
                carried.documents.extend(last.documents);
                carried.marker = last.marker;
                carried.undo.absorb(last.undo);
                carried
            }
        };
        let n_bytes = bytes_of(&carried.documents);
        if n_bytes > CARRIED_BYTES {
            tracing::error!(n_bytes, "too much is not stored; it is given up and will be reported as lost");
            self.state.undo(carried.undo);
        } else {
            self.carried = Some(carried);
        }
    }

    /// Takes back what another owner overruled, and keeps its documents: what the other one does not speak for would be
    /// lost with them, because its batch was passed over.
    fn orphan(&mut self) {
        let documents = |answered: &Option<Answered>| {
            answered.iter().flat_map(|answered| answered.documents.clone()).collect::<Vec<_>>()
        };
        self.orphans.extend(documents(&self.carried));
        self.orphans.extend(documents(&self.last));
        self.take_all_back();
        if bytes_of(&self.orphans) > CARRIED_BYTES {
            tracing::error!("too much was overruled; what nobody else has stored will be reported as lost");
            self.orphans.clear();
        }
    }

    /// Carries the orphans once they were folded in as if they were stored; otherwise the fold is taken back.
    fn adopt(&mut self, stretch: Range<i64>, undo: Undo, is_folded: bool) {
        let Some(marker) = marker_of(&self.orphans).filter(|_| is_folded) else {
            self.state.undo(undo);
            return;
        };
        let documents = std::mem::take(&mut self.orphans);
        self.carried = Some(Answered { stretch, documents, marker, undo });
    }

    /// Undoes the last answer.
    fn take_back(&mut self) {
        let Some(last) = self.last.take() else { return };
        if mutants::is(Mutant::NoUndo) {
            return;
        }
        self.state.undo(last.undo);
    }

    /// Undoes everything that is not known to be stored.
    fn take_all_back(&mut self) {
        self.take_back();
        if let Some(carried) = self.carried.take() {
            self.state.undo(carried.undo);
        }
    }
}

fn bytes_of(documents: &[RawObject]) -> usize {
    documents.iter().map(|document| document.json().len()).sum()
}

/// The last of some documents that holds facts.
fn marker_of(documents: &[RawObject]) -> Option<Marker> {
    let header = documents.iter().rev().find_map(header_of)?;
    Some(Marker { bucket: header.bucket, id: header.id })
}

/// Tells whether events of numbers that are stored already are new ones, of a rebuilt hub.
#[must_use]
pub fn is_rebuilt(batch: &Batch<'_>, stored_to: i64, stored_to_ms: i64) -> bool {
    let enqueued = batch.enqueued_until(stored_to);
    stored_to_ms > 0 && enqueued.is_some_and(|ms| ms > stored_to_ms.saturating_add(REBUILT_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::state::Retention;

    fn partition() -> Partition {
        let stream =
            Stream { namespace: "ns".to_owned(), hub: "h".to_owned(), partition: "0".to_owned(), epoch: 0 };
        let mut state = State::new(1, Retention::of_ttl(86_400), std::sync::Arc::default());
        state.position = Some(9);
        Partition::new(stream, state, 1)
    }

    #[test]
    fn an_unread_answer_matters_until_another_process_went_on_after_it() {
        let mut partition = partition();
        assert!(partition.is_superseded(None));
        let marker = Marker { bucket: "b".to_owned(), id: "results-5-9-r".to_owned() };
        partition.answer(5..10, &[], marker, Undo::default());
        assert!(!partition.is_superseded(None));
        assert!(!partition.is_superseded(Some(9)));
        assert!(partition.is_superseded(Some(10)));
    }

    #[test]
    fn documents_that_nobody_else_has_always_matter() {
        let mut partition = partition();
        partition.orphans.push(RawObject::of(&serde_json::json!({"id": "results-5-9-r"})).unwrap());
        assert!(!partition.is_superseded(None));
        assert!(!partition.is_superseded(Some(10)));
    }
}
