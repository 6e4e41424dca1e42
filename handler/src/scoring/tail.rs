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
use super::counts::{Counted, Counts};
use super::device::Memory;
use super::frames::{frames, memory_of};
use super::state::State;
use super::stored::Stretch;

/// Facts that are stored at and after a position.
#[derive(Debug, Default)]
pub struct Tail {
    /// What comes after the events of which all facts are stored. An answer has no document in a group of which it has no
    /// reading, so that documents of that group alone would not show how far others have come.
    whole_end: Option<i64>,
    /// The first sequence number not spoken for, by number of the group; `None` stands for rejects.
    ends: HashMap<Option<usize>, i64>,
    /// Stored readings: device and row by sequence number and place in the event.
    readings: HashMap<(i64, u32), (String, ReadingRow)>,
    /// Stored states of devices, by the place of the reading that they follow.
    frames: HashMap<(i64, u32), String>,
    /// Stored rejects and skips by sequence number and place in the event.
    left_out: BTreeMap<(i64, u32), Entry<'static>>,
    counts: Counts,
    /// Highest term seen.
    pub term: u32,
}

/// Documents of readings by number of the group.
pub(super) type ByBucket<'a> = HashMap<usize, Vec<&'a ResultsDocument>>;

/// A stored reading: number of the group, device, row.
type Row<'a> = (usize, &'a str, ReadingRow);

/// A stored reject or skip, with sequence number and place in the event.
type LeftOut<'a> = (i64, u32, Entry<'a>);

/// A stored reject or skip.
#[derive(Debug, Clone)]
pub enum Entry<'a> {
    /// A reject.
    Reject(Cow<'a, RejectEntry>),
    /// A skip.
    Skip(Cow<'a, SkipEntry>),
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
        let mut rows = rows_from(first, &by_bucket, state)?;
        let mut left_out = left_out(stretch);
        let counts = Counts::of(counted(rows.iter().map(|(.., row)| row), &left_out));
        let n_whole = sequences.iter().take_while(|sequence| counts.holds_all_of(**sequence)).count();
        let (whole, rest) = sequences.split_at(n_whole);
        let whole_end = whole.last().map_or(first, |last| last.saturating_add(1));
        let mut tail =
            Self::up_to(whole_end, rest.first().copied().unwrap_or(whole_end), &by_bucket, stretch);
        rows.retain(|(bucket, _, row)| tail.speaks_for(Some(*bucket), row.sequence));
        left_out.retain(|(sequence, ..)| *sequence >= first && tail.speaks_for(None, *sequence));
        tail.counts = Counts::of(counted(rows.iter().map(|(.., row)| row), &left_out));
        tail.take_frames(&by_bucket, first);
        let readings = rows.into_iter().map(|(_, id, row)| ((row.sequence, row.index), (id.to_owned(), row)));
        tail.readings = readings.collect();
        let left_out =
            left_out.into_iter().map(|(sequence, index, entry)| ((sequence, index), entry.into_owned()));
        tail.left_out = left_out.collect();
        Ok(tail)
    }

    /// Notes how far documents speak for each group and for rejects, and the highest term.
    fn up_to(whole_end: i64, rest: i64, by_bucket: &ByBucket<'_>, stretch: &Stretch) -> Self {
        let mut tail = Self { whole_end: Some(whole_end), ..Self::default() };
        for (bucket, documents) in by_bucket {
            tail.see(Some(*bucket), documents.iter().map(|document| &document.header), rest);
        }
        tail.see(None, stretch.rejects.iter().map(|document| &document.header), rest);
        tail
    }

    fn see<'a>(&mut self, bucket: Option<usize>, headers: impl Iterator<Item = &'a Header>, rest: i64) {
        let mut stretches = Vec::new();
        for header in headers {
            self.term = self.term.max(header.term);
            stretches.push((header.first_sequence, header.last_sequence));
        }
        stretches.sort_unstable();
        self.ends.extend(self.whole_end.map(|whole_end| (bucket, end_of(&stretches, whole_end, rest))));
    }

    fn take_frames(&mut self, by_bucket: &ByBucket<'_>, first: i64) {
        for (bucket, documents) in by_bucket {
            for ((_, sequence, index), frame) in frames(documents) {
                if sequence >= first && self.speaks_for(Some(*bucket), sequence) {
                    self.frames.insert((sequence, index), frame.to_owned());
                }
            }
        }
    }

    /// How many facts an event left, when any of them is stored.
    #[must_use]
    pub fn count_of(&self, sequence: i64) -> Option<u32> {
        self.counts.count_of(sequence)
    }

    /// Whether all facts of an event are stored.
    #[must_use]
    pub fn holds_all_of(&self, sequence: i64) -> bool {
        self.counts.holds_all_of(sequence)
    }

    /// The stored rejects and skips of an event, in their order.
    pub fn left_out_of(&self, sequence: i64) -> impl Iterator<Item = &Entry<'static>> {
        self.left_out.range((sequence, 0)..=(sequence, u32::MAX)).map(|(_, left_out)| left_out)
    }

    /// Whether documents speak for a group's readings of an event, or for its rejects.
    #[must_use]
    pub fn speaks_for(&self, bucket: Option<usize>, sequence: i64) -> bool {
        self.end_of(bucket).is_some_and(|end| sequence < end)
    }

    /// The first sequence number that documents do not speak for in a group, or among rejects; `None` when nothing was
    /// read.
    #[must_use]
    pub fn end_of(&self, bucket: Option<usize>) -> Option<i64> {
        self.ends.get(&bucket).copied().or(self.whole_end)
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
pub(super) fn left_out<'a>(stretch: &'a Stretch) -> Vec<LeftOut<'a>> {
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

/// Stored readings at and after a position, with the number of their group.
fn rows_from<'a>(first: i64, by_bucket: &'a ByBucket<'_>, state: &State) -> Result<Vec<Row<'a>>, ScoreError> {
    let mut rows = Vec::new();
    for (bucket, documents) in by_bucket {
        for (device_id, row) in placed_rows(documents) {
            check_bucket(state, device_id, *bucket)?;
            if row.sequence >= first {
                rows.push((*bucket, device_id, row));
            }
        }
    }
    Ok(rows)
}

/// Stored facts, to be counted.
pub(super) fn counted<'a>(
    rows: impl Iterator<Item = &'a ReadingRow>,
    left_out: &[LeftOut<'_>],
) -> Vec<Counted> {
    let of_rows = rows.map(|row| Counted { sequence: row.sequence, count: row.count, index: row.index });
    let of_others = left_out.iter().map(|(sequence, index, entry)| Counted {
        sequence: *sequence,
        count: entry.count(),
        index: *index,
    });
    of_rows.chain(of_others).collect()
}

/// The first sequence number that documents do not speak for, behind the events that are stored whole.
///
/// Between those and the first other one, `rest`, may lie numbers that are no events of the batch. They are passed over
/// only where documents speak for `rest`: an answer that begins behind them would not deny what another owner knows of
/// them and stores late.
fn end_of(stretches: &[(i64, i64)], whole_end: i64, rest: i64) -> i64 {
    match end_of_cover(stretches, rest) {
        end if end > rest => end,
        _ => end_of_cover(stretches, whole_end),
    }
}

/// The first sequence number from `first` on that none of some stretches, in their order, holds.
fn end_of_cover(stretches: &[(i64, i64)], first: i64) -> i64 {
    let mut end = first;
    for &(from, to) in stretches {
        if from > end {
            break;
        }
        end = end.max(to.saturating_add(1));
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_events_are_passed_over_where_documents_speak_for_what_follows() {
        // Events up to 6 are stored whole, 9 is not.
        let end = |stretches: &[(i64, i64)]| end_of(stretches, 7, 9);
        assert_eq!(end(&[]), 7);
        assert_eq!(end(&[(0, 6)]), 7);
        assert_eq!(end(&[(0, 7)]), 8);
        assert_eq!(end(&[(0, 8)]), 9);
        assert_eq!(end(&[(0, 9)]), 10);
        assert_eq!(end(&[(0, 6), (9, 11), (12, 13), (15, 16)]), 14);
    }
}
