//! The state of one hub partition: every device seen in it, and what the last answer changed.

use std::collections::HashMap;
use std::ops::Range;

use detector::{Detector, Device, Fact, Fate, Observation, Reading, Verdict, WINDOW_LENGTH};
use wire::api::{DeviceStatus, DeviceView};
use wire::documents::{DEVICES_PER_DOCUMENT, DeviceRow, FLAG_LEARNING};
use wire::invocation::Event;
use wire::position::bucket_of;
use wire::telemetry::{self, Origin, Reject};

use super::Summary;
use super::batch::Batch;
use crate::fleet::ListedDevice;
use crate::model::Model;

/// The only source of messages that carries temperatures; IoT Hub can route others to the same endpoint.
const TELEMETRY_SOURCE: &str = "Telemetry";
/// Enqueued time after which a page of devices is written though no status changed, in milliseconds.
const PAGE_INTERVAL_MS: i64 = 5 * 60 * 1000;

/// Answers after which a page is written though no status changed: readers apply as many documents to it.
const PAGE_ANSWERS: u32 = 64;
/// Devices of a batch that its summary shows: more than a live message holds.
const SHOWN_DEVICES: usize = 32;

/// All devices of one hub partition.
#[derive(Debug)]
pub struct Partition {
    slots: HashMap<Box<str>, usize>,
    entries: Vec<Entry>,
    buckets: Vec<Bucket>,
    /// Devices as they were before the batch at hand, or the last one answered.
    undo: Vec<(usize, Device)>,
    last_answer: Option<Range<i64>>,
    term: u32,
}

/// A device, and where it is listed.
#[derive(Debug)]
pub struct Entry {
    id: Box<str>,
    device: Device,
    bucket: usize,
    page: usize,
    /// What an earlier process listed of it: listed on until this one has seen a reading.
    restored: Option<DeviceRow>,
    /// The status that its page says, if it was ever written.
    listed: Option<DeviceStatus>,
    /// Whether `undo` holds it already.
    saved: bool,
}

#[derive(Debug, Default)]
struct Bucket {
    pages: Vec<Page>,
}

/// Up to 500 devices that share a `devices` document.
#[derive(Debug, Default)]
struct Page {
    entries: Vec<usize>,
    written_ms: i64,
    /// Answers with readings of its bucket since it was written.
    n_behind: u32,
    is_due: bool,
}

/// What became of one part of an event.
#[derive(Debug)]
pub struct Decided {
    /// Place of the event in the batch.
    pub event: usize,
    /// Place in the event.
    pub index: u32,
    /// How many parts the event has.
    pub count: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of one part of an event.
#[derive(Debug)]
pub enum Outcome {
    /// A reading of a device, with its scores.
    Reading(usize, Fact),
    /// A reading that was there already.
    Duplicate(usize),
    /// A message that is no telemetry.
    NotTelemetry,
    /// No reading.
    Reject(Reject),
}

/// A decoded part of an event, before the model has run.
enum Seen {
    Reading { entry: usize, observation: Observation, window: Range<usize> },
    NotTelemetry,
    Reject(Reject),
}

impl Partition {
    /// An empty partition.
    #[must_use]
    pub fn new(n_buckets: u32) -> Self {
        Self {
            slots: HashMap::new(),
            entries: Vec::new(),
            buckets: (0..n_buckets).map(|_| Bucket::default()).collect(),
            undo: Vec::new(),
            last_answer: None,
            term: 0,
        }
    }

    /// The succession of answers that documents belong to.
    #[must_use]
    pub fn term(&self) -> u32 {
        self.term
    }

    /// Prepares for a batch from `first` on: one that was answered before is taken back first.
    pub fn begin(&mut self, first: i64, is_retry: bool) {
        let Some(last) = self.last_answer.clone() else { return };
        if first == last.end {
            self.keep();
        } else if last.contains(&first) {
            self.take_back();
            if first != last.start {
                tracing::warn!(
                    first,
                    answered_from = last.start,
                    "the batch is cut anew; windows lack what lies before"
                );
            }
            if !(is_retry && first == last.start) {
                self.term += 1;
            }
        } else {
            tracing::warn!(
                first,
                expected = last.end,
                "the stream jumps; what lies between was not seen here"
            );
            self.keep();
            self.term += 1;
        }
    }

    /// Notes that a batch was answered.
    pub fn end(&mut self, first: i64, last: i64) {
        self.last_answer = Some(first..last.saturating_add(1));
    }

    /// Lets the last answer stand.
    fn keep(&mut self) {
        for (slot, _) in self.undo.drain(..) {
            self.entries[slot].saved = false;
        }
    }

    /// Undoes the last answer.
    pub fn take_back(&mut self) {
        for (slot, device) in self.undo.drain(..) {
            let entry = &mut self.entries[slot];
            (entry.device, entry.saved) = (device, false);
            self.buckets[entry.bucket].pages[entry.page].is_due = true;
        }
    }

    /// Decides on every part of every event, in order.
    ///
    /// # Errors
    ///
    /// The model's; the state is then as before the batch.
    pub fn decide(
        &mut self,
        batch: &Batch<'_>,
        detector: &Detector,
        model: &Model,
    ) -> anyhow::Result<Vec<Decided>> {
        let mut windows = Vec::with_capacity(batch.events().len() * WINDOW_LENGTH);
        let mut seen = Vec::with_capacity(batch.events().len());
        let mut parts = Vec::new();
        for (event, place) in batch.events().iter().zip(0..) {
            let from = seen.len();
            self.observe_event(event, detector, &mut parts, &mut windows, &mut seen);
            let count = u32::try_from(seen.len() - from).unwrap_or(u32::MAX);
            for (part, index) in seen[from..].iter_mut().zip(0..) {
                (part.event, part.index, part.count) = (place, index, count);
            }
        }
        let reconstructions = match model.reconstruct(&windows) {
            Ok(reconstructions) => reconstructions,
            Err(error) => {
                self.take_back();
                return Err(error);
            }
        };
        let decided = seen.into_iter().map(|part| Decided {
            event: part.event,
            index: part.index,
            count: part.count,
            outcome: match part.seen {
                Seen::NotTelemetry => Outcome::NotTelemetry,
                Seen::Reject(reject) => Outcome::Reject(reject),
                Seen::Reading { entry, observation, window } => {
                    let (seen, expected) = (&windows[window.clone()], &reconstructions[window]);
                    let fact = detector.decide(&mut self.entries[entry].device, &observation, seen, expected);
                    match fact.fate {
                        Fate::Duplicate => Outcome::Duplicate(entry),
                        Fate::Fresh | Fate::Late => Outcome::Reading(entry, fact),
                    }
                }
            },
        });
        let decided: Vec<Decided> = decided.collect();
        self.mark_pages(&decided);
        Ok(decided)
    }

    fn observe_event<'a>(
        &mut self,
        event: &'a Event<'a>,
        detector: &Detector,
        parts: &mut Vec<Result<telemetry::TelemetryReading<'a>, Reject>>,
        windows: &mut Vec<f32>,
        seen: &mut Vec<Part>,
    ) {
        if event.message_source.as_deref().is_some_and(|source| source != TELEMETRY_SOURCE) {
            seen.push(Part::of(Seen::NotTelemetry));
            return;
        }
        parts.clear();
        let origin = Origin { device_id: event.device_id.as_deref(), enqueued_ms: event.enqueued_ms };
        telemetry::decode(&event.text, origin, parts);
        seen.extend(parts.drain(..).map(|part| Part::of(self.observe(part, detector, windows))));
    }

    fn observe(
        &mut self,
        part: Result<telemetry::TelemetryReading<'_>, Reject>,
        detector: &Detector,
        windows: &mut Vec<f32>,
    ) -> Seen {
        let telemetry = match part {
            Ok(telemetry) => telemetry,
            Err(reject) => return Seen::Reject(reject),
        };
        let reading = match Reading::new(telemetry.timestamp_ms, telemetry.celsius) {
            Ok(reading) => reading,
            Err(invalid) => return Seen::Reject(Reject::InvalidTemperature(invalid.to_string())),
        };
        let slot = self.slot(&telemetry.device_id);
        let entry = &mut self.entries[slot];
        if !entry.saved {
            entry.saved = true;
            self.undo.push((slot, entry.device.clone()));
        }
        let from = windows.len();
        let observation = detector.observe(&mut entry.device, reading, windows);
        Seen::Reading { entry: slot, observation, window: from..windows.len() }
    }

    fn slot(&mut self, device_id: &str) -> usize {
        if let Some(slot) = self.slots.get(device_id) {
            return *slot;
        }
        let pages = &self.buckets[self.bucket_number(device_id)].pages;
        let is_full = pages.last().is_none_or(|page| page.entries.len() >= DEVICES_PER_DOCUMENT);
        let page = if is_full { pages.len() } else { pages.len() - 1 };
        self.add(device_id, page)
    }

    fn bucket_number(&self, device_id: &str) -> usize {
        bucket_of(device_id, u32::try_from(self.buckets.len()).unwrap_or(u32::MAX)) as usize
    }

    fn add(&mut self, device_id: &str, page: usize) -> usize {
        let bucket = self.bucket_number(device_id);
        let slot = self.entries.len();
        let pages = &mut self.buckets[bucket].pages;
        if pages.len() <= page {
            pages.resize_with(page + 1, Page::default);
        }
        pages[page].entries.push(slot);
        self.entries.push(Entry {
            id: device_id.into(),
            device: Device::default(),
            bucket,
            page,
            restored: None,
            listed: None,
            saved: false,
        });
        self.slots.insert(device_id.into(), slot);
        slot
    }

    /// Takes over what an earlier process listed, so that writing a page forgets nobody.
    pub fn restore(&mut self, listed: Vec<ListedDevice>) {
        for device in listed {
            let slot = match device.page {
                Some(page) => self.add(&device.device_id, page),
                None => self.slot(&device.device_id),
            };
            let entry = &mut self.entries[slot];
            entry.listed = Some(DeviceStatus::of(&device.row));
            entry.restored = Some(device.row);
        }
    }

    /// Marks the pages of devices whose status is not the one listed.
    fn mark_pages(&mut self, decided: &[Decided]) {
        for part in decided {
            let Outcome::Reading(slot, _) = part.outcome else { continue };
            let entry = &mut self.entries[slot];
            let status = entry.row().map(|row| DeviceStatus::of(&row));
            if status != entry.listed {
                entry.listed = status;
                self.buckets[entry.bucket].pages[entry.page].is_due = true;
            }
        }
    }

    /// The group of a device.
    #[must_use]
    pub fn bucket(&self, slot: usize) -> usize {
        self.entries[slot].bucket
    }

    /// The id of a device.
    #[must_use]
    pub fn device_id(&self, slot: usize) -> &str {
        &self.entries[slot].id
    }

    /// Takes the pages of a bucket that must be written now: bucket page number and rows.
    pub fn take_due_pages(
        &mut self,
        bucket: usize,
        enqueued_to: i64,
    ) -> Vec<(usize, Vec<(&str, DeviceRow)>)> {
        let mut due = Vec::new();
        for (number, page) in self.buckets[bucket].pages.iter_mut().enumerate() {
            page.n_behind += 1;
            let is_old = enqueued_to.saturating_sub(page.written_ms) >= PAGE_INTERVAL_MS;
            if page.is_due || is_old || page.n_behind >= PAGE_ANSWERS {
                (page.is_due, page.written_ms, page.n_behind) = (false, enqueued_to, 0);
                due.push((number, &page.entries));
            }
        }
        due.into_iter()
            .map(|(number, slots)| {
                let rows = slots.iter().filter_map(|slot| {
                    let entry = &self.entries[*slot];
                    Some((&*entry.id, entry.row()?))
                });
                (number, rows.collect())
            })
            .collect()
    }

    /// Counts what was decided, and shows the devices concerned.
    #[must_use]
    pub fn summarize(&self, batch: &Batch<'_>, decided: &[Decided]) -> Summary {
        let mut summary = Summary { enqueued_to: batch.enqueued_to(), ..Summary::default() };
        for part in decided {
            match &part.outcome {
                Outcome::Reading(_, fact) => {
                    summary.n_readings += 1;
                    summary.n_anomalies += usize::from(fact.verdict() == Verdict::Anomaly);
                }
                Outcome::Reject(_) => summary.n_rejects += 1,
                Outcome::Duplicate(_) | Outcome::NotTelemetry => summary.n_skips += 1,
            }
        }
        let touched = self.undo.iter().map(|(slot, _)| &self.entries[*slot]);
        let (loud, quiet): (Vec<&Entry>, Vec<&Entry>) = touched.partition(|entry| entry.is_anomalous());
        summary.devices = loud.into_iter().chain(quiet).take(SHOWN_DEVICES).filter_map(Entry::view).collect();
        summary
    }
}

/// A part of an event with its place, before the model has run.
struct Part {
    event: usize,
    index: u32,
    count: u32,
    seen: Seen,
}

impl Part {
    fn of(seen: Seen) -> Self {
        Self { event: 0, index: 0, count: 0, seen }
    }
}

impl Entry {
    fn row(&self) -> Option<DeviceRow> {
        let Some(newest) = self.device.newest() else { return self.restored };
        Some(DeviceRow {
            timestamp: newest.reading.timestamp_ms(),
            temperature: newest.reading.celsius(),
            expected: newest.expected,
            error: newest.error,
            score: newest.score,
            flags: if newest.learning { FLAG_LEARNING } else { 0 },
            last_anomaly: self.device.last_anomaly_ms().or(self.restored.and_then(|row| row.last_anomaly)),
        })
    }

    fn is_anomalous(&self) -> bool {
        self.device.newest().is_some_and(|fact| fact.verdict() == Verdict::Anomaly)
    }

    fn view(&self) -> Option<DeviceView> {
        Some(DeviceView::new(&self.id, &self.row()?))
    }
}
