//! The one rule for what is stored twice.
//!
//! Batches come again and are cut differently, so documents of one bucket may overlap.
//! For each sequence number the document of the highest term that speaks for it counts, then that of the greater
//! writer; every reader goes through this module.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::documents::{Header, ReadingRow, ResultsDocument};

/// Tells, for documents of one bucket, which of them counts where.
#[derive(Debug)]
pub struct Precedence {
    /// For each document, the stretches in which another one counts.
    overruled: Vec<Vec<(i64, i64)>>,
}

impl Precedence {
    /// Compares all documents that overlap.
    #[must_use]
    pub fn of(headers: &[&Header]) -> Self {
        let mut by_start: Vec<usize> = (0..headers.len()).collect();
        by_start.sort_by_key(|n| headers[*n].first_sequence);
        let mut overruled = vec![Vec::new(); headers.len()];
        for (place, &earlier) in by_start.iter().enumerate() {
            for &later in &by_start[place + 1..] {
                if headers[later].first_sequence > headers[earlier].last_sequence {
                    break;
                }
                let (loser, winner) = if rank(headers[earlier]) < rank(headers[later]) {
                    (earlier, later)
                } else {
                    (later, earlier)
                };
                overruled[loser].push((headers[winner].first_sequence, headers[winner].last_sequence));
            }
        }
        Self { overruled }
    }

    /// Whether what `mine` writes of a stretch loses to one of some documents anywhere in it.
    #[must_use]
    pub fn outranks(headers: &[Header], stretch: &Range<i64>, mine: (u32, &str)) -> bool {
        headers.iter().any(|other| {
            other.first_sequence < stretch.end
                && other.last_sequence >= stretch.start
                && (other.term, other.writer.as_str()) > mine
        })
    }

    /// Whether the n-th document counts for a sequence number that it speaks for.
    #[must_use]
    pub fn counts(&self, document: usize, sequence: i64) -> bool {
        !self.overruled[document].iter().any(|(first, last)| (*first..=*last).contains(&sequence))
    }
}

fn rank(header: &Header) -> (u32, &str, &str) {
    (header.term, &header.writer, &header.id)
}

/// All rows in documents of one bucket, each reading once, in order of position; times and sequence numbers are
/// absolute.
#[must_use]
pub fn placed_rows<D: Borrow<ResultsDocument>>(documents: &[D]) -> Vec<(&str, ReadingRow)> {
    let headers: Vec<&Header> = documents.iter().map(|document| &document.borrow().header).collect();
    let precedence = Precedence::of(&headers);
    let mut rows: Vec<(&str, ReadingRow)> = Vec::new();
    for (n, document) in documents.iter().enumerate() {
        let document: &ResultsDocument = document.borrow();
        for (device_id, stored) in &document.readings {
            for row in stored {
                let sequence = document.header.first_sequence.saturating_add(row.sequence);
                if precedence.counts(n, sequence) {
                    let timestamp = document.from.saturating_add(row.timestamp);
                    rows.push((device_id, ReadingRow { sequence, timestamp, ..*row }));
                }
            }
        }
    }
    rows.sort_by_key(|(_, row)| (row.sequence, row.index));
    rows
}

/// All rows in documents of one bucket by device; otherwise as [`placed_rows`].
#[must_use]
pub fn rows_by_device(documents: &[ResultsDocument]) -> BTreeMap<&str, Vec<ReadingRow>> {
    let mut by_device: BTreeMap<&str, Vec<ReadingRow>> = BTreeMap::new();
    for (device_id, row) in placed_rows(documents) {
        by_device.entry(device_id).or_default().push(row);
    }
    by_device
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(first_sequence: i64, last_sequence: i64, term: u32, writer: &str) -> Header {
        Header {
            id: format!("results-{first_sequence}-{last_sequence}"),
            kind: "results".into(),
            bucket: "b".into(),
            hub: "telemetry".into(),
            partition: "0".into(),
            epoch: 0,
            term,
            writer: writer.into(),
            version: 1,
            first_sequence,
            last_sequence,
            enqueued_to: 0,
            ttl: 1,
        }
    }

    fn document(header: Header, rows: &[(i64, f64)]) -> ResultsDocument {
        let rows = rows
            .iter()
            .map(|&(sequence, temperature)| ReadingRow {
                sequence,
                index: 0,
                count: 1,
                timestamp: sequence,
                temperature,
                expected: None,
                error: None,
                score: None,
                flags: 0,
            })
            .collect();
        ResultsDocument {
            header,
            from: 1000,
            to: 2000,
            columns: vec![],
            readings: [("d".to_owned(), rows)].into(),
            states: BTreeMap::new(),
        }
    }

    #[test]
    fn the_higher_term_counts_where_it_speaks() {
        let documents = [
            document(header(0, 9, 0, "z"), &[(0, 1.0), (5, 2.0), (9, 3.0)]),
            document(header(4, 12, 1, "a"), &[(1, 20.0), (8, 40.0)]),
        ];
        let temperatures: Vec<_> =
            rows_by_device(&documents)["d"].iter().map(|row| (row.sequence, row.temperature)).collect();
        assert_eq!(temperatures, [(0, 1.0), (5, 20.0), (12, 40.0)]);
    }

    #[test]
    fn a_document_that_speaks_for_a_stretch_denies_what_it_does_not_hold() {
        let documents = [document(header(0, 9, 0, "a"), &[(3, 1.0)]), document(header(0, 9, 0, "b"), &[])];
        assert!(rows_by_device(&documents).is_empty());
    }

    #[test]
    fn documents_side_by_side_all_count() {
        let documents =
            [document(header(10, 19, 0, "a"), &[(0, 2.0)]), document(header(0, 9, 5, "b"), &[(0, 1.0)])];
        assert_eq!(rows_by_device(&documents)["d"].len(), 2);
        assert_eq!(rows_by_device(&documents)["d"][0].temperature, 1.0);
        assert_eq!(rows_by_device(&documents)["d"][1].timestamp, 1000);
    }
}
