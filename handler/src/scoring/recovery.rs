//! Folds stored facts into a state, and proves that none is missing.
//!
//! A checkpoint moves only after success, so everything below a batch's first event is stored. Where something lacks,
//! the read was stale and is repeated; what still lacks after many retries is lost, and said to be.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use detector::Detector;
use wire::documents::{Header, ReadingRow};
use wire::position::Stream;
use wire::stored::placed_rows;

use super::ScoreError;
use super::counts::Counts;
use super::frames::{frames, memory_of};
use super::mutants::{self, Mutant};
use super::patience::Patience;
use super::state::{State, Undo};
use super::stored::{StoredFacts, Stretch};
use super::tail::{by_bucket, check_bucket, counted, left_out};

/// Sequence numbers whose documents are read at once.
const CHUNK: i64 = 16_384;
/// Newest sequence numbers that are proved to be stored; whoever continued from older ones has proved those.
const PROVED: i64 = 65_536;

/// Folds stored facts into states.
#[derive(Debug, Clone, Copy)]
pub struct Recovery<'a> {
    /// Storage.
    pub stored: &'a dyn StoredFacts,
    /// The rules; only those of applying matter here.
    pub detector: &'a Detector,
    /// What is read.
    pub stream: &'a Stream,
    /// How often something lacked.
    pub patience: &'a Patience,
    /// Documents whose newest event is older, in epoch milliseconds, may be deleted already: nothing is proved of
    /// what they speak for, nor of what lies before it.
    pub oldest_ms: i64,
}

/// Stretches, from first to last sequence number.
type Gaps = Vec<(i64, i64)>;

/// What a fold over stored facts found beside them.
#[derive(Debug, Default)]
pub struct Found {
    /// Stretches that are lost.
    pub gaps: Gaps,
    /// Highest term.
    pub term: u32,
}

/// What was known of devices before something was deleted by age: an old document that was written once more, late,
/// outlives what came after it. A device's first key frame settles it.
struct Doubts {
    /// First sequence number after all that may be deleted.
    kept: i64,
    /// Devices that are settled.
    settled: HashSet<usize>,
}

impl Recovery<'_> {
    /// Folds in everything from `first` up to and including `last`, proving all but the oldest.
    ///
    /// The state's position moves only over what is proved. `undo` takes what is needed to go back, if that may happen:
    /// for a new state it would be as large as the state.
    ///
    /// # Errors
    ///
    /// [`ScoreError`] when storage is away, or something lacks; `found` is then what was found up to the position.
    pub async fn catch_up(
        &self,
        state: &mut State,
        first: i64,
        last: i64,
        mut undo: Option<&mut Undo>,
        found: &mut Found,
    ) -> Result<(), ScoreError> {
        let proved = first.max(last.saturating_sub(PROVED));
        let mut doubts = Doubts { kept: i64::MIN, settled: HashSet::new() };
        let mut from = first;
        while from <= last {
            let to = last.min(from.saturating_add(CHUNK - 1));
            let stretch = self.stored.stretch(self.stream, state.n_buckets(), from, to).await?;
            // Where more is read after this stretch, somebody has gone on.
            let gone_on = (to < last).then(|| to.saturating_add(1));
            let kept = self.first_kept(&stretch, state, gone_on);
            if !missing(&stretch, from, to.min(kept.saturating_sub(1))).is_empty() {
                doubts.kept = doubts.kept.max(kept);
            }
            found.gaps.extend(self.lost(&stretch, from.max(proved), to, kept)?);
            found.term =
                found.term.max(self.apply(state, &stretch, from..=to, &mut doubts, undo.as_deref_mut())?);
            state.position = Some(to);
            from = to.saturating_add(1);
        }
        Ok(())
    }

    /// What is lost of a stretch's facts; what lacks before `kept` counts as deleted by age.
    ///
    /// # Errors
    ///
    /// [`ScoreError::Hole`] as long as a read that lags may be the cause.
    fn lost(&self, stretch: &Stretch, from: i64, to: i64, kept: i64) -> Result<Gaps, ScoreError> {
        let missing = missing(stretch, from, to);
        if let (Some(&(first, _)), Some(&(_, last))) = (missing.first(), missing.last())
            && !self.patience.is_over(first, last)
        {
            return Err(ScoreError::Hole { first, last });
        }
        let lost = missing.into_iter().filter(|(_, last)| *last >= kept);
        let lost: Gaps = lost.map(|(first, last)| (first.max(kept), last)).collect();
        for (first, last) in &lost {
            tracing::error!(
                hub = self.stream.hub,
                partition = self.stream.partition,
                first,
                last,
                "events are lost: they are below the checkpoint, and no facts of them are stored"
            );
        }
        Ok(lost)
    }

    /// The first sequence number of which facts must be there: after all documents that are as old as deleted ones, or
    /// an old state's position, and after what may have been deleted between that and the next document, or `gone_on`
    /// where the stretch has none. Of what has no time nobody knows that it is old.
    fn first_kept(&self, stretch: &Stretch, state: &State, gone_on: Option<i64>) -> i64 {
        let is_old = |enqueued_to| (1..self.oldest_ms).contains(&enqueued_to);
        let results = stretch.results.iter().map(|document| &document.header);
        let headers = results.chain(stretch.rejects.iter().map(|document| &document.header));
        let (old, new): (Vec<&Header>, Vec<&Header>) = headers.partition(|header| is_old(header.enqueued_to));
        let old_state = state.position.filter(|_| is_old(state.enqueued_to));
        let Some(old_to) = old.iter().map(|header| header.last_sequence).chain(old_state).max() else {
            return i64::MIN;
        };
        let later = new.iter().filter(|header| header.last_sequence > old_to);
        let next = later.map(|header| header.first_sequence).min().or(gone_on).unwrap_or(i64::MIN);
        next.max(old_to.saturating_add(1))
    }

    /// Applies a stretch's readings between two sequence numbers; returns the highest term.
    fn apply(
        &self,
        state: &mut State,
        stretch: &Stretch,
        wanted: RangeInclusive<i64>,
        doubts: &mut Doubts,
        mut undo: Option<&mut Undo>,
    ) -> Result<u32, ScoreError> {
        let rejects = stretch.rejects.iter().map(|document| &document.header);
        let results = stretch.results.iter().map(|document| &document.header);
        let mut term = 0;
        for header in rejects.chain(results) {
            term = term.max(header.term);
            state.enqueued_to = state.enqueued_to.max(header.enqueued_to);
        }
        for (bucket, documents) in by_bucket(stretch) {
            let frames = frames(&documents);
            let mut unused = if undo.is_none() { state.begin() } else { Undo::default() };
            let undo = undo.as_deref_mut().unwrap_or(&mut unused);
            for (device_id, row) in placed_rows(&documents) {
                check_bucket(state, device_id, bucket)?;
                if !wanted.contains(&row.sequence) {
                    continue;
                }
                let slot = state.slot(device_id);
                let is_known = state.apply(self.detector, slot, &row, undo);
                let Some(frame) = frames.get(&(device_id, row.sequence, row.index)) else { continue };
                if (doubts.are_settled_by(slot, row.sequence) || !is_known)
                    && let Some(memory) = memory_of(device_id, frame)
                {
                    state.restore(slot, memory, undo);
                }
                state.framed(slot);
            }
            for document in documents {
                for device_id in document.readings.keys() {
                    state.hear_of(device_id, document.header.enqueued_to);
                }
            }
        }
        Ok(term)
    }
}

impl Doubts {
    /// Whether what is known of a device may be too little, and its frame knows better: each one as long as something
    /// may be deleted, and the first one after that.
    fn are_settled_by(&mut self, slot: usize, sequence: i64) -> bool {
        self.kept > i64::MIN && (sequence < self.kept || self.settled.insert(slot))
    }
}

/// The stretches between two sequence numbers of which facts lack: each event says how many facts it left.
fn missing(stretch: &Stretch, from: i64, to: i64) -> Gaps {
    let by_bucket = by_bucket(stretch);
    let rows: Vec<ReadingRow> =
        by_bucket.values().flat_map(|documents| placed_rows(documents)).map(|(_, row)| row).collect();
    let counts = Counts::of(counted(rows.iter(), &left_out(stretch)));
    let is_known_gap =
        |sequence| stretch.gaps.iter().any(|(first, last)| (*first..=*last).contains(&sequence));
    let mut missing = Gaps::new();
    for sequence in from..=to {
        let is_proved = counts.holds_all_of(sequence)
            || (counts.count_of(sequence).is_some() && mutants::is(Mutant::NoCount));
        if is_proved || is_known_gap(sequence) {
            continue;
        }
        match missing.last_mut() {
            Some((_, last)) if *last + 1 == sequence => *last = sequence,
            _ => missing.push((sequence, sequence)),
        }
    }
    missing
}
