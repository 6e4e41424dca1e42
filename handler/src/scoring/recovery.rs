//! Folds stored facts into a state, and proves that none is missing.
//!
//! A checkpoint moves only after success, so everything below a batch's first event is stored. Where something lacks,
//! the read was stale and is repeated; what still lacks after many retries is lost, and said to be.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use detector::Detector;
use wire::documents::{Header, ResultsDocument};
use wire::position::Stream;
use wire::stored::{Precedence, placed_rows};

use super::ScoreError;
use super::mutants::{self, Mutant};
use super::state::{Memory, State};
use super::stored::{StoredFacts, Stretch};
use super::tail::{by_bucket, check_bucket, left_out};

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
    /// What is known to be lost, after many attempts.
    pub lost: Option<(i64, i64)>,
    /// Documents whose newest event is older, in epoch milliseconds, may be deleted already: nothing is proved of
    /// what they speak for, nor of what lies before it.
    pub oldest_ms: i64,
}

/// What a fold over stored facts found beside them.
#[derive(Debug, Default)]
pub struct Found {
    /// Stretches that are lost.
    pub gaps: Vec<(i64, i64)>,
    /// Highest term.
    pub term: u32,
}

impl Recovery<'_> {
    /// Folds in everything from `first` up to and including `last`, proving all but the oldest.
    ///
    /// The state's position moves only over what is proved.
    ///
    /// # Errors
    ///
    /// [`ScoreError`] when storage is away, or something lacks.
    pub async fn catch_up(&self, state: &mut State, first: i64, last: i64) -> Result<Found, ScoreError> {
        let mut found = Found::default();
        let mut from = first;
        while from <= last {
            let to = last.min(from.saturating_add(CHUNK - 1));
            let stretch = self.stored.stretch(self.stream, state.n_buckets(), from, to).await?;
            let proved = from.max(last.saturating_sub(PROVED)).max(self.first_kept(&stretch));
            let missing = missing(&stretch, proved, to);
            if let (Some(&(first, _)), Some(&(_, last))) = (missing.first(), missing.last())
                && self.lost != Some((first, last))
            {
                return Err(ScoreError::Hole { first, last });
            }
            for (first, last) in &missing {
                tracing::error!(
                    hub = self.stream.hub,
                    partition = self.stream.partition,
                    first,
                    last,
                    "events are lost: they are below the checkpoint, and no facts of them are stored"
                );
            }
            found.gaps.extend(missing);
            found.term = found.term.max(self.apply(state, &stretch, from, to)?);
            state.position = Some(to);
            from = to.saturating_add(1);
        }
        Ok(found)
    }

    /// The first sequence number of which facts must be there: after all that is as old as deleted documents, and
    /// after what may have been deleted between that and the next document.
    fn first_kept(&self, stretch: &Stretch) -> i64 {
        let results = stretch.results.iter().map(|document| &document.header);
        let headers = results.chain(stretch.rejects.iter().map(|document| &document.header));
        let (old, new): (Vec<&Header>, Vec<&Header>) =
            headers.partition(|header| header.enqueued_to < self.oldest_ms);
        let Some(old_to) = old.iter().map(|header| header.last_sequence).max() else { return i64::MIN };
        let later = new.iter().filter(|header| header.last_sequence > old_to);
        let next = later.map(|header| header.first_sequence).min().unwrap_or(i64::MIN);
        next.max(old_to.saturating_add(1))
    }

    /// Applies a stretch's readings between two sequence numbers; returns the highest term.
    fn apply(&self, state: &mut State, stretch: &Stretch, from: i64, to: i64) -> Result<u32, ScoreError> {
        let rejects = stretch.rejects.iter().map(|document| &document.header);
        let results = stretch.results.iter().map(|document| &document.header);
        let mut term = 0;
        for header in rejects.chain(results) {
            term = term.max(header.term);
            state.enqueued_to = state.enqueued_to.max(header.enqueued_to);
        }
        for (bucket, documents) in by_bucket(stretch) {
            let frames = frames(&documents);
            // What was decided before the stretch is never taken back.
            let mut undo = state.begin();
            for (device_id, row) in placed_rows(&documents) {
                check_bucket(state, device_id, bucket)?;
                if !(from..=to).contains(&row.sequence) {
                    continue;
                }
                let slot = state.slot(device_id);
                let is_known = state.apply(self.detector, slot, &row, &mut undo);
                let Some(frame) = frames.get(&(device_id, row.sequence, row.index)) else { continue };
                if !is_known {
                    match read_frame(frame) {
                        Ok(memory) => state.restore(device_id, memory),
                        Err(error) => {
                            tracing::error!(
                                device_id,
                                error,
                                "a stored state cannot be read: the device starts anew"
                            );
                        }
                    }
                }
                state.framed(slot);
            }
        }
        Ok(term)
    }
}

type Frames<'a> = HashMap<(&'a str, i64, u32), &'a str>;

/// Key frames by device and by the position of the reading that they follow.
fn frames<'a>(documents: &[&'a ResultsDocument]) -> Frames<'a> {
    let headers: Vec<&Header> = documents.iter().map(|document| &document.header).collect();
    let precedence = Precedence::of(&headers);
    let mut frames = Frames::new();
    for (n, document) in documents.iter().enumerate() {
        for (device_id, frame) in &document.states {
            let Some(row) = document.readings.get(device_id).and_then(|rows| rows.last()) else { continue };
            let sequence = document.header.first_sequence.saturating_add(row.sequence);
            if precedence.counts(n, sequence) {
                frames.insert((device_id, sequence, row.index), frame);
            }
        }
    }
    frames
}

/// What a key frame holds; one of an earlier version of the program cannot be read.
fn read_frame(frame: &str) -> Result<Memory, String> {
    let bytes = STANDARD_NO_PAD.decode(frame).map_err(|error| error.to_string())?;
    let (memory, _) = Memory::decode(&bytes).map_err(|error| error.to_string())?;
    Ok(memory)
}

/// A device's memory as it stands beside its newest reading.
#[must_use]
pub fn frame_of(memory: &Memory) -> String {
    let mut bytes = Vec::with_capacity(512);
    memory.encode(&mut bytes);
    STANDARD_NO_PAD.encode(bytes)
}

/// The stretches between two sequence numbers of which facts lack: each event says how many facts it left.
fn missing(stretch: &Stretch, from: i64, to: i64) -> Vec<(i64, i64)> {
    let length = usize::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(0);
    let mut n_lacking: Vec<Option<u32>> = vec![None; length];
    let mut count = |sequence: i64, count: u32| {
        let place = usize::try_from(sequence.saturating_sub(from)).ok();
        if let Some(lacking) = place.and_then(|place| n_lacking.get_mut(place)) {
            *lacking = Some(lacking.unwrap_or(count).saturating_sub(1));
        }
    };
    for documents in by_bucket(stretch).values() {
        for (_, row) in placed_rows(documents) {
            count(row.sequence, row.count);
        }
    }
    for (sequence, _, n_facts) in left_out(stretch) {
        count(sequence, n_facts);
    }
    let is_known_gap =
        |sequence| stretch.gaps.iter().any(|(first, last)| (*first..=*last).contains(&sequence));
    let mut missing: Vec<(i64, i64)> = Vec::new();
    for (sequence, lacking) in (from..=to).zip(n_lacking) {
        let is_proved = lacking == Some(0) || (lacking.is_some() && mutants::is(Mutant::NoCount));
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
