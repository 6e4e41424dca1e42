//! Writes down what was decided: results, then what was no reading, then the newest state of devices.
//!
//! Documents of alerts stand in front of those of the rows that they copy, and of these alone: however many devices fail
//! at once, an attempt that is cut short has stored rows that the next one need not repeat.
//!
//! Ids name the stretch that a document speaks for and the rules it was decided by, so that a repeat overwrites
//! itself with the same content, and another cut overwrites nothing.

mod cutting;
mod rejects;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::Serialize;
use wire::documents::{
    DEVICE_COLUMNS, DEVICES_ID, DOCUMENT_VERSION, DevicesDocument, GAP, Header, READING_COLUMNS, RESULTS,
    ReadingRow, ResultsDocument, SortedRows,
};
use wire::invocation::RawObject;
use wire::position::{REJECT_GROUP, Stream, short_hash};

use super::ScoreError;
use super::alerts::PlacedAlert;
use super::batch::Batch;
use super::decide::{Decided, Outcome};
use super::frames::frame_of;
use super::mutants::{self, Mutant};
use super::partition::Marker;
use super::state::State;
use super::tail::Tail;
use cutting::cut;
use detector::Fact;

/// Bytes that a reading's row takes at most, its device's id apart.
const ROW_BYTES: usize = 120;
/// Bucket of admin calls, which belong to no stream.
pub(super) const MANUAL_BUCKET: &str = "manual";

/// What all documents of this process have in common.
#[derive(Debug, Clone)]
pub struct WriterIdentity {
    /// Which process writes.
    pub writer: String,
    /// Hash of model, settings and code.
    pub rules: String,
    /// Seconds after which documents are deleted.
    pub ttl_s: i64,
}

/// Writes the documents of one answer.
#[derive(Debug)]
pub struct Writer<'a> {
    identity: &'a WriterIdentity,
    stream: Option<&'a Stream>,
    /// What buckets' names begin with; for an admin call the hash that names its documents.
    prefix: String,
    term: u32,
}

/// What an answer is written from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The events.
    pub batch: &'a Batch<'a>,
    /// What became of them.
    pub decided: &'a [Decided],
    /// What is stored of them already.
    pub tail: &'a Tail,
    /// First sequence number that is not folded in already.
    pub first: i64,
    /// Lost stretches that no stored document speaks of yet.
    pub gaps: &'a [(i64, i64)],
    /// Documents of alerts.
    pub(super) alerts: &'a [PlacedAlert],
}

/// Documents of one answer, in the order in which they must be stored.
#[derive(Debug, Default)]
pub struct Written {
    /// All that holds facts, and what must be stored before them.
    pub facts: Vec<RawObject>,
    /// The last that holds facts; `None` when there are none.
    pub marker: Option<Marker>,
    /// Tables of devices.
    pub tables: Vec<RawObject>,
}

/// Documents of one answer on their way.
struct Answer<'a> {
    writer: &'a Writer<'a>,
    source: Source<'a>,
    written: Written,
}

/// A reading on its way into a bucket's document; its sequence number and time are still absolute.
type PlacedRow<'a> = (&'a str, ReadingRow);

/// Documents of alerts by bucket and sequence number.
type Alerts<'a> = BTreeMap<(usize, i64), Vec<&'a PlacedAlert>>;

/// A device's state, and the position of the reading that it follows.
type Frame = (i64, u32, String);

impl<'a> Writer<'a> {
    /// Writes for a partition.
    #[must_use]
    pub fn for_stream(identity: &'a WriterIdentity, stream: &'a Stream, term: u32) -> Self {
        Self { identity, stream: Some(stream), prefix: stream.bucket_prefix(), term }
    }

    /// Writes for an admin call; its documents are named by the call's body.
    #[must_use]
    pub fn for_manual_call(identity: &'a WriterIdentity, body: &[u8]) -> Self {
        Self { identity, stream: None, prefix: short_hash(&[&String::from_utf8_lossy(body)]), term: 0 }
    }

    /// Writes all documents of an answer.
    ///
    /// # Errors
    ///
    /// A fault of this program: a document that is no JSON, or one that the host would damage.
    pub fn write(&self, state: &mut State, source: Source<'_>) -> Result<Written, ScoreError> {
        let mut answer = Answer { writer: self, source, written: Written::default() };
        answer.write_gaps()?;
        let buckets = answer.write_results(state)?;
        answer.write_rejects(state)?;
        if self.stream.is_some() {
            for bucket in buckets {
                answer.write_devices(state, bucket)?;
            }
        }
        Ok(answer.written)
    }

    fn header(&self, kind: &str, bucket: Option<usize>, stretch: &Range<i64>, batch: &Batch<'_>) -> Header {
        let (first, last) = (stretch.start, stretch.end - 1);
        let id_last = if mutants::is(Mutant::IdsWithoutLast) { first } else { last };
        let (bucket, id) = match self.stream {
            None => (
                MANUAL_BUCKET.to_owned(),
                format!("{kind}-{}-{first}-{last}-{}", self.prefix, self.identity.rules),
            ),
            Some(_) => {
                let group = bucket.map_or_else(|| REJECT_GROUP.to_owned(), |bucket| bucket.to_string());
                (
                    format!("{}{group}", self.prefix),
                    format!("{kind}-{first}-{id_last}-{}", self.identity.rules),
                )
            }
        };
        Header {
            id,
            kind: kind.to_owned(),
            bucket,
            hub: self.stream.map(|stream| stream.hub.clone()).unwrap_or_default(),
            partition: self.stream.map(|stream| stream.partition.clone()).unwrap_or_default(),
            epoch: self.stream.map_or(0, |stream| stream.epoch),
            term: self.term,
            writer: self.identity.writer.clone(),
            version: DOCUMENT_VERSION,
            first_sequence: first,
            last_sequence: last,
            enqueued_to: batch.enqueued_to(),
            ttl: self.identity.ttl_s,
        }
    }
}

impl Answer<'_> {
    fn push(&mut self, header: &Header, document: &impl Serialize) -> Result<(), ScoreError> {
        self.written.facts.push(RawObject::of(document)?);
        self.written.marker = Some(Marker { bucket: header.bucket.clone(), id: header.id.clone() });
        Ok(())
    }

    /// What a document speaks for: the answer's stretch, less what is stored already.
    fn stretch(&self, bucket: Option<usize>) -> Range<i64> {
        let first = self.source.tail.end_of(bucket).unwrap_or(self.source.first);
        first..self.source.batch.last().saturating_add(1)
    }

    fn header(&self, kind: &str, bucket: Option<usize>, stretch: &Range<i64>) -> Header {
        self.writer.header(kind, bucket, stretch, self.source.batch)
    }

    /// Writes the alerts of some of a bucket's events.
    fn write_alerts(
        &mut self,
        of: &Alerts<'_>,
        bucket: usize,
        stretch: &Range<i64>,
    ) -> Result<(), ScoreError> {
        for alert in of.range((bucket, stretch.start)..(bucket, stretch.end)).flat_map(|(_, alerts)| alerts) {
            self.written.facts.push(RawObject::of(&alert.document)?);
        }
        Ok(())
    }

    fn write_gaps(&mut self) -> Result<(), ScoreError> {
        for (first, last) in self.source.gaps {
            let header = self.header(GAP, None, &(*first..last.saturating_add(1)));
            self.push(&header, &header)?;
        }
        Ok(())
    }

    /// Returns the buckets that got readings.
    fn write_results(&mut self, state: &mut State) -> Result<Vec<usize>, ScoreError> {
        let decided = self.source.decided;
        let mut alerts = Alerts::new();
        for alert in self.source.alerts {
            alerts.entry((alert.bucket, alert.sequence)).or_default().push(alert);
        }
        let mut placed: Vec<(usize, usize, ReadingRow)> = Vec::with_capacity(decided.len());
        for part in decided {
            if let Outcome::Reading(slot, fact, flags) = &part.outcome {
                let row = reading_row(self.source.batch.sequence(part.event), part, fact, *flags);
                placed.push((state.entry(*slot).bucket, *slot, row));
            }
        }
        // Stable, so that each bucket keeps the order of positions.
        placed.sort_by_key(|(bucket, ..)| *bucket);
        let mut buckets = Vec::new();
        for group in placed.chunk_by(|(left, ..), (right, ..)| left == right) {
            let due = take_due_frames(state, group);
            let state: &State = state;
            let frame = |(slot, (sequence, index)): (usize, (i64, u32))| {
                let entry = state.entry(slot);
                (&*entry.id, (sequence, index, frame_of(&entry.memory)))
            };
            let frames = due.into_iter().map(frame).collect();
            let rows: Vec<PlacedRow<'_>> =
                group.iter().map(|(_, slot, row)| (&*state.entry(*slot).id, *row)).collect();
            self.write_bucket(group[0].0, rows, &frames, &alerts)?;
            buckets.push(group[0].0);
        }
        Ok(buckets)
    }

    fn write_bucket(
        &mut self,
        bucket: usize,
        mut rows: Vec<PlacedRow<'_>>,
        frames: &HashMap<&str, Frame>,
        alerts: &Alerts<'_>,
    ) -> Result<(), ScoreError> {
        let is_framed_at = |id: &str, row: &ReadingRow| {
            frames.get(id).filter(|frame| (frame.0, frame.1) == (row.sequence, row.index))
        };
        let sizes = rows.iter().map(|(id, row)| {
            let frame = is_framed_at(id, row).map_or(0, |frame| id.len() + frame.2.len());
            (row.sequence, ROW_BYTES + id.len() + frame)
        });
        for (range, stretch) in cut(sizes, self.stretch(Some(bucket))) {
            let rows = &mut rows[range];
            let from = rows.iter().map(|(_, row)| row.timestamp).min().unwrap_or_default();
            let to = rows.iter().map(|(_, row)| row.timestamp).max().unwrap_or_default();
            let mut states = BTreeMap::new();
            for (id, row) in rows.iter_mut() {
                if let Some(frame) = is_framed_at(id, row) {
                    states.insert((*id).to_owned(), frame.2.clone());
                }
                row.sequence -= stretch.start;
                row.timestamp = row.timestamp.saturating_sub(from);
            }
            // Stable, so that each device keeps the order of positions.
            rows.sort_by_key(|(id, _)| *id);
            let document = ResultsDocument {
                header: self.header(RESULTS, Some(bucket), &stretch),
                from,
                to,
                columns: READING_COLUMNS.map(str::to_owned).to_vec(),
                readings: SortedRows(rows),
                states,
            };
            if mutants::is(Mutant::AlertsBehindRows) {
                self.push(&document.header, &document)?;
                self.write_alerts(alerts, bucket, &stretch)?;
            } else {
                self.write_alerts(alerts, bucket, &stretch)?;
                self.push(&document.header, &document)?;
            }
        }
        Ok(())
    }

    fn write_devices(&mut self, state: &mut State, bucket: usize) -> Result<(), ScoreError> {
        let stretch = self.source.first..self.source.batch.last().saturating_add(1);
        let header = self.header("devices", Some(bucket), &stretch);
        let (listing, entries) = state.listing();
        for (page, rows) in listing.take_due(entries, bucket, self.source.batch.enqueued_to()) {
            let document = DevicesDocument {
                header: Header { id: format!("{DEVICES_ID}{page}"), ..header.clone() },
                columns: DEVICE_COLUMNS.map(str::to_owned).to_vec(),
                devices: rows.into_iter().map(|(id, row)| (id.to_owned(), row)).collect(),
            };
            self.written.tables.push(RawObject::of(&document)?);
        }
        Ok(())
    }
}

/// Takes the devices with readings in a group whose key frames are due: the position of each one's newest reading by
/// slot.
fn take_due_frames(state: &mut State, group: &[(usize, usize, ReadingRow)]) -> HashMap<usize, (i64, u32)> {
    let mut due = HashMap::new();
    for (_, slot, row) in group {
        if state.is_frame_due(*slot) {
            due.insert(*slot, (row.sequence, row.index));
        }
    }
    due.keys().for_each(|slot| state.framed(*slot));
    due
}

/// The row of a reading; its sequence number and time are absolute.
pub(super) fn reading_row(sequence: i64, part: &Decided, fact: &Fact, flags: u32) -> ReadingRow {
    ReadingRow {
        sequence,
        index: part.index,
        count: part.count,
        timestamp: fact.reading.timestamp_ms(),
        temperature: fact.reading.celsius(),
        expected: fact.expected,
        error: fact.error,
        score: fact.score,
        flags,
    }
}
