//! Writes down what readings did to alerts: one document a step, in front of the rows that state the steps.
//!
//! A stored row therefore never lacks its alert's document: nothing has to be sent again when a row is found stored.

use std::collections::BTreeMap;

use detector::{Alert, Channel, Detector, Fact, Step};
use wire::documents::{ALERT, ALERT_TTL_S, AlertDocument, DOCUMENT_VERSION, ReadingRow, alert_id};

use super::batch::Batch;
use super::decide::{Decided, Outcome};
use super::device::Memory;
use super::documents::reading_row;
use super::state::{State, Undo};
use super::tail::Tail;

/// Readings that an alert's document shows.
const SHOWN_READINGS: usize = 16;

/// What the documents of an answer's alerts follow from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'a> {
    /// The rules; only those of applying matter here.
    pub(super) detector: &'a Detector,
    /// The devices as they are after the batch.
    pub(super) state: &'a State,
    /// As they were before.
    pub(super) undo: &'a Undo,
    /// The events.
    pub(super) batch: &'a Batch<'a>,
    /// What is stored of them already.
    pub(super) tail: &'a Tail,
    /// What became of them.
    pub(super) decided: &'a [Decided],
    /// What buckets' names begin with.
    pub(super) bucket_prefix: &'a str,
}

/// A step's document, and where the row is that states the step.
#[derive(Debug)]
pub(super) struct PlacedAlert {
    /// Number of the device's group.
    pub(super) bucket: usize,
    /// The event's sequence number.
    pub(super) sequence: i64,
    /// The document.
    pub(super) document: AlertDocument,
}

/// A step on its way into a document.
struct Taken<'a> {
    memory: &'a Memory,
    alert: Alert,
    step: Step,
    fact: Fact,
    enqueued_at: Option<i64>,
}

impl Steps<'_> {
    /// A document for each step that was decided, by device, each device's in order.
    ///
    /// Devices with steps are folded once more from before the batch: in the batch, all readings were observed before
    /// the first one was decided, so what led to a step is no longer in the state.
    #[must_use]
    pub(super) fn documents(&self) -> Vec<PlacedAlert> {
        let mut slots: BTreeMap<usize, Vec<&Decided>> = BTreeMap::new();
        for part in self.decided {
            if let Outcome::Reading(slot, Fact { step: Some(_), .. }, _) = part.outcome {
                slots.entry(slot).or_default();
            }
        }
        if slots.is_empty() {
            return Vec::new();
        }
        for part in self.decided {
            if let Outcome::Reading(slot, ..) | Outcome::StoredReading(slot, _) = &part.outcome
                && let Some(parts) = slots.get_mut(slot)
            {
                parts.push(part);
            }
        }
        let before = self.undo.before();
        let of_device = |(slot, parts): (&usize, &Vec<&Decided>)| {
            self.of_device(*slot, before.get(slot).copied().cloned().unwrap_or_default(), parts)
        };
        slots.iter().flat_map(of_device).collect()
    }

    fn of_device(&self, slot: usize, mut memory: Memory, parts: &[&Decided]) -> Vec<PlacedAlert> {
        let bucket = self.state.entry(slot).bucket;
        let mut documents = Vec::new();
        for part in parts {
            let sequence = self.batch.sequence(part.event);
            match &part.outcome {
                Outcome::Reading(_, fact, flags) => {
                    let row = reading_row(sequence, part, fact, *flags);
                    let document =
                        self.take(&mut memory, &row, part).map(|taken| self.document(slot, &taken));
                    documents.extend(document.map(|document| PlacedAlert { bucket, sequence, document }));
                }
                Outcome::StoredReading(_, row) if memory.apply(self.detector, row).is_none() => {
                    let stored = self.tail.memory(&self.state.entry(slot).id, sequence, part.index);
                    memory = stored.unwrap_or(memory);
                }
                _ => {}
            }
        }
        documents
    }

    fn take<'a>(&self, memory: &'a mut Memory, row: &ReadingRow, part: &Decided) -> Option<Taken<'a>> {
        let fact = memory.apply(self.detector, row)?;
        let (step, alert) = (fact.step?, memory.device.newest_alert()?);
        let enqueued_at = self.batch.events()[part.event].enqueued_ms;
        Some(Taken { memory, alert, step, fact, enqueued_at })
    }

    fn document(&self, slot: usize, taken: &Taken<'_>) -> AlertDocument {
        let Taken { memory, alert, step, fact, enqueued_at } = taken;
        let entry = self.state.entry(slot);
        let bucket = format!("{}{}", self.bucket_prefix, entry.bucket);
        let (opening, kind) = (memory.opening(), alert.kind().name());
        let readings: Vec<(i64, f64)> = memory.device.readings().map(shown).collect();
        AlertDocument {
            id: format!("{ALERT}-{}-{}-{kind}-{}", opening.sequence, opening.index, step.name()),
            document_type: ALERT.to_owned(),
            alert_id: alert_id(&bucket, opening.sequence, opening.index, kind),
            bucket,
            version: DOCUMENT_VERSION,
            ttl: ALERT_TTL_S,
            step: step.name().to_owned(),
            device_id: entry.id.to_string(),
            kind: kind.to_owned(),
            channel: alert.channel.map(|channel| Channel::name(channel).to_owned()),
            severity: alert.severity.name().to_owned(),
            learning: fact.learning,
            began_at: alert.began_ms,
            opened_at: opening.at_ms,
            at: fact.reading.timestamp_ms(),
            enqueued_at: *enqueued_at,
            temperature: fact.reading.celsius(),
            expected: fact.expected,
            score: fact.score,
            peak_score: alert.peak_score,
            readings: readings[readings.len().saturating_sub(SHOWN_READINGS)..].to_vec(),
        }
    }
}

/// A window's reading to the thousandth of a degree: windows are less exact than rows.
fn shown((timestamp_ms, celsius): (i64, f64)) -> (i64, f64) {
    (timestamp_ms, (celsius * 1000.0).round() / 1000.0)
}
