//! What is stored already of events that come again: from an answer that was cut short, or from another process.
//!
//! The documents speak for a stretch without holes from the first event on: first those of all groups together, as far
//! as they hold all facts of each event, then in each group its own. Up to there their facts are applied, and nothing is
//! decided or written.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use wire::documents::{Header, ReadingRow, RejectEntry, ResultsDocument, SkipEntry};
use wire::stored::{Precedence, placed_rows};

use super::ScoreError;
use super::device::Memory;
use super::frames::{frames, memory_of};
use super::state::State;
use super::stored::Stretch;

/// Facts that are stored at and after a position.
#[derive(Debug, Default)]
pub struct Tail {
    /// Last sequence number up to which all facts of all events are stored. An answer has no document in a group of which
    /// it has no reading, so that documents of that group alone would not show how far others have come.
    whole: Option<i64>,
    /// Last sequence number spoken for without a hole, by number of the group, where that is more.
    covered: HashMap<usize, i64>,
    rejects_covered: Option<i64>,
    /// Stored readings: group, device and row by sequence number and place in the event.
    readings: HashMap<(i64, u32), (String, ReadingRow)>,
    /// Stored states of devices, by the place of the reading that they follow.
    frames: HashMap<(i64, u32), String>,
    /// Stored rejects and skips by sequence number and place in the event.
    left_out: BTreeMap<(i64, u32), Entry<'static>>,
    /// How many facts each event left of which any is stored, and how many of them are.
    counts: HashMap<i64, Counts>,
    /// Highest term seen.
    pub term: u32,
}

/// Documents of readings by number of the group.
pub(super) type ByBucket<'a> = HashMap<usize, Vec<&'a ResultsDocument>>;

/// A stored reject or skip.
#[derive(Debug, Clone)]
pub enum Entry<'a> {
    /// A reject.
    Reject(Cow<'a, RejectEntry>),
    /// A skip.
    Skip(Cow<'a, SkipEntry>),
}

/// How many facts an event left.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    all: u32,
    stored: u32,
}

impl Tail {
    /// Reads what is stored of some events, the first ones that are not folded in, in order of their sequence numbers.
    ///
    /// # Errors
    ///
    /// [`ScoreError::Buckets`] when documents were written with another number of groups.
    pub fn of(stretch: &Stretch, sequences: &[i64], state: &State) -> Result<Self, ScoreError> {
        let Some(&first) = sequences.first() else { return Ok(Self::default()) };
        let by_bucket = by_bucket(stretch);
        let mut rows = Vec::new();
        for (bucket, documents) in &by_bucket {
            for (device_id, row) in placed_rows(documents) {
                check_bucket(state, device_id, *bucket)?;
                rows.push((*bucket, device_id, row));
            }
        }
        let left_out = left_out(stretch);
        let (whole, rest) = sequences.split_at(count_whole(sequences, &rows, &left_out));
        let mut tail = Self { whole: whole.last().copied(), ..Self::default() };
        let rest = rest.first().copied().unwrap_or(i64::MAX);
        tail.cover(&by_bucket, stretch, rest);
        tail.take_frames(&by_bucket, first);
        for (bucket, device_id, row) in rows {
            if row.sequence >= first && tail.speaks_for(bucket, row.sequence) {
                tail.count(row.sequence, row.count);
                tail.readings.insert((row.sequence, row.index), (device_id.to_owned(), row));
            }
        }
        let covered = tail.end_of(None).unwrap_or(first);
        for (sequence, index, entry) in left_out {
            if (first..covered).contains(&sequence) {
                tail.count(sequence, entry.count());
                tail.left_out.insert((sequence, index), entry.into_owned());
            }
        }
        Ok(tail)
    }

    /// Notes how far documents speak for each group and for rejects, from the first event on that is not whole.
    fn cover(&mut self, by_bucket: &ByBucket<'_>, stretch: &Stretch, rest: i64) {
        for (bucket, documents) in by_bucket {
            let headers: Vec<&Header> = documents.iter().map(|document| &document.header).collect();
            self.see(&headers);
            self.covered.extend(reach(&headers, rest).map(|covered| (*bucket, covered)));
        }
        let headers: Vec<&Header> = stretch.rejects.iter().map(|document| &document.header).collect();
        self.see(&headers);
        self.rejects_covered = reach(&headers, rest);
    }

    fn take_frames(&mut self, by_bucket: &ByBucket<'_>, first: i64) {
        for (bucket, documents) in by_bucket {
            let covered = self.end_of(Some(*bucket)).unwrap_or(first);
            let frames = frames(documents).into_iter();
            let covering = frames.filter(|((_, sequence, _), _)| (first..covered).contains(sequence));
            self.frames.extend(covering.map(|((_, at, index), frame)| ((at, index), frame.to_owned())));
        }
    }

    fn count(&mut self, sequence: i64, all: u32) {
        self.counts.entry(sequence).or_default().add(all);
    }

    /// How many facts an event left, when any of them is stored.
    #[must_use]
    pub fn count_of(&self, sequence: i64) -> Option<u32> {
        self.counts.get(&sequence).map(|counts| counts.all)
    }

    /// Whether all facts of an event are stored.
    #[must_use]
    pub fn holds_all_of(&self, sequence: i64) -> bool {
        self.counts.get(&sequence).is_some_and(|counts| counts.are_whole())
    }

    /// The stored rejects and skips of an event, in their order.
    pub fn left_out_of(&self, sequence: i64) -> impl Iterator<Item = &Entry<'static>> {
        self.left_out.range((sequence, 0)..=(sequence, u32::MAX)).map(|(_, left_out)| left_out)
    }

    fn see(&mut self, headers: &[&Header]) {
        self.term = headers.iter().map(|header| header.term).fold(self.term, u32::max);
    }

    /// Whether documents speak for a group's readings of an event.
    #[must_use]
    pub fn speaks_for(&self, bucket: usize, sequence: i64) -> bool {
        self.end_of(Some(bucket)).is_some_and(|end| sequence < end)
    }

    /// The first sequence number that documents do not speak for in a group, or among rejects, when that is not the
    /// first of all.
    #[must_use]
    pub fn end_of(&self, bucket: Option<usize>) -> Option<i64> {
        let covered = match bucket {
            Some(bucket) => self.covered.get(&bucket).copied(),
            None => self.rejects_covered,
        };
        covered.or(self.whole).map(|covered| covered.saturating_add(1))
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

impl Counts {
    fn add(&mut self, all: u32) {
        (self.all, self.stored) = (all, self.stored + 1);
    }

    fn are_whole(self) -> bool {
        self.stored >= self.all
    }
}

impl Entry<'_> {
    /// How many facts its event left.
    #[must_use]
    pub fn count(&self) -> u32 {
        match self {
            Self::Reject(entry) => entry.count,
            Self::Skip(entry) => entry.count,
        }
    }

    fn into_owned(self) -> Entry<'static> {
        match self {
            Self::Reject(entry) => Entry::Reject(Cow::Owned(entry.into_owned())),
            Self::Skip(entry) => Entry::Skip(Cow::Owned(entry.into_owned())),
        }
    }
}

/// A stretch's results by number of the group.
pub(super) fn by_bucket(stretch: &Stretch) -> ByBucket<'_> {
    let mut by_bucket = ByBucket::new();
    for document in &stretch.results {
        if let Some(bucket) = document.header.group() {
            by_bucket.entry(bucket).or_default().push(document);
        }
    }
    by_bucket
}

/// Rejects and skips that count, with sequence number and place in the event.
pub(super) fn left_out<'a>(stretch: &'a Stretch) -> Vec<(i64, u32, Entry<'a>)> {
    let headers: Vec<&Header> = stretch.rejects.iter().map(|document| &document.header).collect();
    let precedence = Precedence::of(&headers);
    let mut entries = Vec::new();
    for (n, document) in stretch.rejects.iter().enumerate() {
        let reject =
            |entry: &'a RejectEntry| (entry.sequence, entry.index, Entry::Reject(Cow::Borrowed(entry)));
        let skip = |entry: &'a SkipEntry| (entry.sequence, entry.index, Entry::Skip(Cow::Borrowed(entry)));
        let (rejects, skips) = (document.rejects.iter().map(reject), document.skips.iter().map(skip));
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

/// How many of some events, from the first one on, are stored with all their facts.
fn count_whole(
    sequences: &[i64],
    rows: &[(usize, &str, ReadingRow)],
    left_out: &[(i64, u32, Entry<'_>)],
) -> usize {
    let mut counts: HashMap<i64, Counts> = HashMap::new();
    let of_rows = rows.iter().map(|(.., row)| (row.sequence, row.count));
    let of_others = left_out.iter().map(|(sequence, _, entry)| (*sequence, entry.count()));
    for (sequence, all) in of_rows.chain(of_others) {
        counts.entry(sequence).or_default().add(all);
    }
    sequences
        .iter()
        .take_while(|sequence| counts.get(sequence).is_some_and(|counts| counts.are_whole()))
        .count()
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
