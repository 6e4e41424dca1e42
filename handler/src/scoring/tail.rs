//! What is stored already of events that come again: from an answer that was cut short, or from another process.
//!
//! In each group of devices the documents speak for a stretch without holes from the first event on: up to there
//! their facts are applied, and nothing is decided or written.

use std::collections::{BTreeMap, HashMap};

use wire::documents::{Header, ReadingRow, RejectEntry, SkipEntry};
use wire::stored::{Precedence, placed_rows};

use super::ScoreError;
use super::device::Memory;
use super::frames::{frames, memory_of};
use super::state::State;
use super::stored::Stretch;

/// Facts that are stored at and after a position.
#[derive(Debug, Default)]
pub struct Tail {
    /// Last sequence number spoken for without a hole, by number of the group; nothing is spoken for in others.
    covered: HashMap<usize, i64>,
    rejects_covered: Option<i64>,
    /// Stored readings: group, device and row by sequence number and place in the event.
    readings: HashMap<(i64, u32), (String, ReadingRow)>,
    /// Stored states of devices, by the place of the reading that they follow.
    frames: HashMap<(i64, u32), String>,
    /// Stored rejects and skips by sequence number and place in the event.
    left_out: BTreeMap<(i64, u32), LeftOut>,
    /// How many facts each event left of which any is stored, and how many of them are.
    counts: HashMap<i64, Counts>,
    /// Highest term seen.
    pub term: u32,
}

/// A stored reject or skip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry<'a> {
    /// A reject.
    Reject(&'a RejectEntry),
    /// A skip.
    Skip(&'a SkipEntry),
}

/// What is kept of a stored reject or skip.
#[derive(Debug)]
enum LeftOut {
    Reject(RejectEntry),
    Skip(SkipEntry),
}

/// How many facts an event left.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    all: u32,
    stored: u32,
}

impl Tail {
    /// Reads the tail from `first` on.
    ///
    /// # Errors
    ///
    /// [`ScoreError::Buckets`] when documents were written with another number of groups.
    pub fn of(stretch: &Stretch, first: i64, state: &State) -> Result<Self, ScoreError> {
        let mut tail = Self::default();
        for (bucket, documents) in by_bucket(stretch) {
            let headers: Vec<&Header> = documents.iter().map(|document| &document.header).collect();
            tail.see(&headers);
            let Some(covered) = reach(&headers, first) else { continue };
            tail.covered.insert(bucket, covered);
            for (device_id, row) in placed_rows(&documents) {
                check_bucket(state, device_id, bucket)?;
                if (first..=covered).contains(&row.sequence) {
                    tail.count(row.sequence, row.count);
                    tail.readings.insert((row.sequence, row.index), (device_id.to_owned(), row));
                }
            }
            let frames = frames(&documents).into_iter();
            let covering = frames.filter(|((_, sequence, _), _)| (first..=covered).contains(sequence));
            tail.frames.extend(covering.map(|((_, at, index), frame)| ((at, index), frame.to_owned())));
        }
        let headers: Vec<&Header> = stretch.rejects.iter().map(|document| &document.header).collect();
        tail.see(&headers);
        tail.rejects_covered = reach(&headers, first);
        let covered = tail.rejects_covered.unwrap_or(i64::MIN);
        for (sequence, index, entry) in left_out(stretch) {
            if (first..=covered).contains(&sequence) {
                tail.count(sequence, entry.count());
                tail.left_out.insert((sequence, index), LeftOut::of(entry));
            }
        }
        Ok(tail)
    }

    fn count(&mut self, sequence: i64, all: u32) {
        let counts = self.counts.entry(sequence).or_default();
        (counts.all, counts.stored) = (all, counts.stored + 1);
    }

    /// How many facts an event left, when any of them is stored.
    #[must_use]
    pub fn count_of(&self, sequence: i64) -> Option<u32> {
        self.counts.get(&sequence).map(|counts| counts.all)
    }

    /// Whether all facts of an event are stored.
    #[must_use]
    pub fn holds_all_of(&self, sequence: i64) -> bool {
        self.counts.get(&sequence).is_some_and(|counts| counts.stored >= counts.all)
    }

    /// The stored rejects and skips of an event, in their order.
    pub fn left_out_of(&self, sequence: i64) -> impl Iterator<Item = Entry<'_>> {
        let of_event = self.left_out.range((sequence, 0)..=(sequence, u32::MAX));
        of_event.map(|(_, left_out)| match left_out {
            LeftOut::Reject(entry) => Entry::Reject(entry),
            LeftOut::Skip(entry) => Entry::Skip(entry),
        })
    }

    fn see(&mut self, headers: &[&Header]) {
        self.term = headers.iter().map(|header| header.term).fold(self.term, u32::max);
    }

    /// Whether the group's documents speak for an event.
    #[must_use]
    pub fn speaks_for(&self, bucket: usize, sequence: i64) -> bool {
        self.covered.get(&bucket).is_some_and(|covered| sequence <= *covered)
    }

    /// The first sequence number that a group's documents do not speak for, when that is not `first`.
    #[must_use]
    pub fn end_of(&self, bucket: Option<usize>) -> Option<i64> {
        let covered = match bucket {
            Some(bucket) => self.covered.get(&bucket).copied(),
            None => self.rejects_covered,
        };
        covered.map(|covered| covered.saturating_add(1))
    }

    /// A stored reading at a place in the stream.
    #[must_use]
    pub fn reading(&self, sequence: i64, index: u32) -> Option<(&str, &ReadingRow)> {
        self.readings.get(&(sequence, index)).map(|(device_id, row)| (device_id.as_str(), row))
    }

    /// A device's memory as it is stored beside a reading at a place in the stream.
    #[must_use]
    pub fn memory(&self, device_id: &str, sequence: i64, index: u32) -> Option<Memory> {
        memory_of(device_id, self.frames.get(&(sequence, index))?)
    }

    /// Whether a reject or skip is stored at a place in the stream.
    #[must_use]
    pub fn has_left_out(&self, sequence: i64, index: u32) -> bool {
        self.left_out.contains_key(&(sequence, index))
    }
}

impl LeftOut {
    fn of(entry: Entry<'_>) -> Self {
        match entry {
            Entry::Reject(entry) => Self::Reject(entry.clone()),
            Entry::Skip(entry) => Self::Skip(entry.clone()),
        }
    }
}

impl Entry<'_> {
    /// How many facts its event left.
    #[must_use]
    pub fn count(self) -> u32 {
        match self {
            Self::Reject(entry) => entry.count,
            Self::Skip(entry) => entry.count,
        }
    }
}

/// A stretch's results by number of the group.
pub(super) fn by_bucket(stretch: &Stretch) -> HashMap<usize, Vec<&wire::documents::ResultsDocument>> {
    let mut by_bucket: HashMap<usize, Vec<_>> = HashMap::new();
    for document in &stretch.results {
        if let Some(bucket) = document.header.group() {
            by_bucket.entry(bucket).or_default().push(document);
        }
    }
    by_bucket
}

/// Rejects and skips that count, with sequence number and place in the event.
pub(super) fn left_out(stretch: &Stretch) -> Vec<(i64, u32, Entry<'_>)> {
    let headers: Vec<&Header> = stretch.rejects.iter().map(|document| &document.header).collect();
    let precedence = Precedence::of(&headers);
    let mut entries = Vec::new();
    for (n, document) in stretch.rejects.iter().enumerate() {
        let rejects =
            document.rejects.iter().map(|entry| (entry.sequence, entry.index, Entry::Reject(entry)));
        let skips = document.skips.iter().map(|entry| (entry.sequence, entry.index, Entry::Skip(entry)));
        entries.extend(rejects.chain(skips).filter(|entry| precedence.counts(n, entry.0)));
    }
    entries
}

/// Refuses documents that were written with another number of groups.
pub(super) fn check_bucket(state: &State, device_id: &str, bucket: usize) -> Result<(), ScoreError> {
    if state.bucket_number(device_id) == bucket {
        return Ok(());
    }
    Err(ScoreError::Buckets { device_id: device_id.to_owned(), bucket })
}

/// The last sequence number up to which documents speak for everything from `first` on.
fn reach(headers: &[&Header], first: i64) -> Option<i64> {
    let mut stretches: Vec<(i64, i64)> =
        headers.iter().map(|header| (header.first_sequence, header.last_sequence)).collect();
    stretches.sort_unstable();
    let mut next = first;
    for (from, to) in stretches {
        if from > next {
            break;
        }
        next = next.max(to.saturating_add(1));
    }
    (next > first).then_some(next - 1)
}
