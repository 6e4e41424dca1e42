//! Decides on events: decode, observe, reconstruct all windows at once, decide in order.
//!
//! What the tail holds already is applied in place of being decided.

use std::borrow::Cow;
use std::ops::Range;

use detector::{Channel, Detector, Fact, Fate, Observation, Reading, Step, WINDOW_LENGTH};
use wire::documents::{
    ARRIVED_SHIFT, CHANNEL_SHIFT, FLAG_ANEW, FLAG_LATE, FLAG_LEARNING, FLAG_OUTSIDE, ReadingRow, STEP_SHIFT,
};
use wire::invocation::Event;
use wire::telemetry::{self, Origin, Reject, TelemetryReading};

use super::batch::Batch;
use super::state::{State, Undo};
use super::tail::Tail;

/// The only source of messages that carries temperatures; IoT Hub can route others to the same endpoint.
const TELEMETRY_SOURCE: &str = "Telemetry";
/// Why the rest of an event is refused of which facts are stored that do not fit to what it is read as now.
const READ_OTHERWISE: &str = "it was read otherwise when other parts of it were stored";

/// Reconstructs windows, row by row.
pub trait Reconstruct {
    /// As many numbers as enter.
    ///
    /// # Errors
    ///
    /// The machine's fault, never a device's: another try may succeed.
    fn reconstruct(&self, windows: &[f32]) -> anyhow::Result<Vec<f32>>;
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
    /// A reading of a device, with its scores and the flags of its row.
    Reading(usize, Fact, u32),
    /// A reading of a device that is stored already.
    StoredReading(usize, ReadingRow),
    /// A reject or skip that is stored already.
    Stored,
    /// A reading that was there already.
    Duplicate(usize),
    /// A message that is no telemetry.
    NotTelemetry,
    /// No reading.
    Reject(Reject),
}

/// A part of an event whose window waits for the model, or whose outcome is clear.
enum Seen {
    Reading { slot: usize, observation: Observation, window: Range<usize>, flags: u32 },
    Clear(Outcome),
}

/// What deciding works with.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a, M> {
    /// The rules.
    pub detector: &'a Detector,
    /// The model.
    pub model: &'a M,
    /// What is stored already.
    pub tail: &'a Tail,
    /// Why the events are refused unread, if they are; what is stored of them stays.
    pub refusal: Option<&'static str>,
}

/// Events on their way from text to facts.
struct Decision<'a, M> {
    rules: Rules<'a, M>,
    state: &'a mut State,
    undo: &'a mut Undo,
    windows: Vec<f32>,
    waiting: Vec<(Place, Seen)>,
    decided: Vec<Decided>,
}

/// The parts of one event; kept from event to event, so that none of them allocates.
#[derive(Default)]
struct Parts<'e> {
    decoded: Vec<Result<TelemetryReading<'e>, Reject>>,
    judged: Vec<Result<(Cow<'e, str>, Reading), Reject>>,
}

/// Where a part of an event is.
#[derive(Clone, Copy)]
struct Place {
    event: usize,
    sequence: i64,
    index: u32,
    count: u32,
    enqueued_ms: Option<i64>,
}

/// Decides on every part of some of a batch's events, in order; what the state was is kept in `undo`.
///
/// # Errors
///
/// The model's; the state must then be undone.
pub fn decide<M: Reconstruct>(
    rules: Rules<'_, M>,
    state: &mut State,
    batch: &Batch<'_>,
    events: Range<usize>,
    undo: &mut Undo,
) -> anyhow::Result<Vec<Decided>> {
    let n_events = events.len();
    let mut decision = Decision {
        rules,
        state,
        undo,
        windows: Vec::with_capacity(n_events * WINDOW_LENGTH),
        waiting: Vec::with_capacity(n_events),
        decided: Vec::with_capacity(n_events),
    };
    let mut parts = Parts::default();
    for event in events {
        decision.take_event(batch, event, &mut parts)?;
    }
    decision.flush()?;
    Ok(decision.decided)
}

impl<M: Reconstruct> Decision<'_, M> {
    fn take_event<'e>(
        &mut self,
        batch: &Batch<'e>,
        number: usize,
        parts: &mut Parts<'e>,
    ) -> anyhow::Result<()> {
        let event: &'e Event<'e> = &batch.events()[number];
        let sequence = batch.sequence(number);
        let stored = self.rules.tail.count_of(sequence);
        let mut place = Place {
            event: number,
            sequence,
            index: 0,
            count: stored.unwrap_or(1),
            enqueued_ms: event.enqueued_ms,
        };
        if self.rules.tail.holds_all_of(sequence) {
            // Nothing is decided on, whatever would be made of the event today.
            self.take_rest(place, None);
            return Ok(());
        }
        if let Some(reason) = self.rules.refusal {
            self.take_rest(place, Some(&Reject::Poison(reason.to_owned())));
            return Ok(());
        }
        if stored.is_none()
            && event.message_source.as_deref().is_some_and(|source| source != TELEMETRY_SOURCE)
        {
            self.note(place, Seen::Clear(Outcome::NotTelemetry));
            return Ok(());
        }
        let origin = Origin { device_id: event.device_id.as_deref(), enqueued_ms: event.enqueued_ms };
        telemetry::decode(&event.text, origin, &mut parts.decoded);
        parts.judged.extend(parts.decoded.drain(..).map(|part| part.and_then(reading_of)));
        telemetry::bound_rejects(&mut parts.judged, 0);
        place.count = u32::try_from(parts.judged.len()).unwrap_or(u32::MAX);
        if let Some(count) = stored.filter(|count| *count != place.count) {
            // Another release made something else of it, or the host told something else about it.
            let reject = parts.judged.drain(..).find_map(Result::err);
            let reject = reject.unwrap_or_else(|| Reject::Poison(READ_OTHERWISE.to_owned()));
            self.take_rest(Place { count, ..place }, Some(&reject));
            return Ok(());
        }
        for (reading, index) in parts.judged.drain(..).zip(0..) {
            place.index = index;
            if self.take_stored(place) {
                continue;
            }
            match reading {
                Err(reject) => self.note(place, Seen::Clear(Outcome::Reject(reject))),
                Ok((device_id, reading)) => self.take_reading(place, &device_id, reading)?,
            }
        }
        Ok(())
    }

    /// Takes the parts of an event that are stored, and refuses the others.
    fn take_rest(&mut self, mut place: Place, reject: Option<&Reject>) {
        for index in 0..place.count {
            place.index = index;
            if !self.take_stored(place)
                && let Some(reject) = reject
            {
                self.note(place, Seen::Clear(Outcome::Reject(reject.clone())));
            }
        }
    }

    /// Takes what is stored of a part of an event; `false` when nothing is.
    fn take_stored(&mut self, place: Place) -> bool {
        let (tail, Place { sequence, index, .. }) = (self.rules.tail, place);
        if tail.has_left_out(sequence, index) {
            self.note(place, Seen::Clear(Outcome::Stored));
            return true;
        }
        let Some((device_id, row)) = tail.reading(sequence, index) else { return false };
        let slot = self.state.slot(device_id);
        let is_known = self.state.apply(self.rules.detector, slot, row, self.undo);
        if !is_known && let Some(memory) = tail.memory(device_id, sequence, index) {
            self.state.restore(slot, memory, self.undo);
            self.state.framed(slot);
        }
        self.state.hear_of(device_id, place.enqueued_ms.unwrap_or(0));
        self.note(place, Seen::Clear(Outcome::StoredReading(slot, *row)));
        true
    }

    fn take_reading(&mut self, place: Place, device_id: &str, reading: Reading) -> anyhow::Result<()> {
        let slot = self.state.slot(device_id);
        if self.rules.tail.speaks_for(Some(self.state.entry(slot).bucket), place.sequence) {
            // The documents deny it: it was there already when they were written.
            self.note(place, Seen::Clear(Outcome::Duplicate(slot)));
            return Ok(());
        }
        let hour = self.state.hour_after(place.enqueued_ms);
        if self.state.would_forget(slot, hour) {
            // What waits was observed before the device is forgotten, and must be decided before.
            self.flush()?;
        }
        let is_anew = self.state.meet(slot, hour, self.undo);
        let from = self.windows.len();
        let entry = self.state.change(slot, self.undo);
        if let Some(enqueued_ms) = place.enqueued_ms {
            entry.heard.hear(enqueued_ms);
        }
        let device = &mut entry.memory.device;
        let mut observation = self.rules.detector.observe(device, reading, &mut self.windows);
        device.hold_to(entry.limit, &mut observation);
        let hour = self.state.arrive(slot, hour, observation.fate);
        let anew = if is_anew { FLAG_ANEW } else { 0 };
        let window = from..self.windows.len();
        self.note(place, Seen::Reading { slot, observation, window, flags: anew | (hour << ARRIVED_SHIFT) });
        Ok(())
    }

    fn note(&mut self, place: Place, seen: Seen) {
        self.waiting.push((place, seen));
    }

    /// Runs the model for all windows that wait, then decides in order.
    fn flush(&mut self) -> anyhow::Result<()> {
        let reconstructions = self.rules.model.reconstruct(&self.windows)?;
        for (place, seen) in self.waiting.drain(..) {
            let outcome = match seen {
                Seen::Clear(outcome) => outcome,
                Seen::Reading { slot, observation, window, flags } => {
                    let (seen, expected) = (&self.windows[window.clone()], &reconstructions[window]);
                    let memory = &mut self.state.change(slot, self.undo).memory;
                    let fact = self.rules.detector.decide(&mut memory.device, &observation, seen, expected);
                    memory.note_opening(&fact, place.sequence, place.index);
                    match fact.fate {
                        Fate::Duplicate => Outcome::Duplicate(slot),
                        Fate::Fresh | Fate::Late => Outcome::Reading(slot, fact, flags | flags_of(&fact)),
                    }
                }
            };
            let Place { event, index, count, .. } = place;
            self.decided.push(Decided { event, index, count, outcome });
        }
        self.windows.clear();
        Ok(())
    }
}

fn reading_of(telemetry: TelemetryReading<'_>) -> Result<(Cow<'_, str>, Reading), Reject> {
    match Reading::new(telemetry.timestamp_ms, telemetry.celsius) {
        Ok(reading) => Ok((telemetry.device_id, reading)),
        Err(invalid) => Err(Reject::InvalidTemperature(invalid.to_string())),
    }
}

fn flags_of(fact: &Fact) -> u32 {
    let learning = if fact.learning { FLAG_LEARNING } else { 0 };
    let late = if fact.fate == Fate::Late { FLAG_LATE } else { 0 };
    let channel = u32::from(fact.channel.map_or(0, Channel::code)) << CHANNEL_SHIFT;
    let step = u32::from(fact.step.map_or(0, Step::code)) << STEP_SHIFT;
    let outside = if fact.is_outside { FLAG_OUTSIDE } else { 0 };
    learning | late | outside | channel | step
}
