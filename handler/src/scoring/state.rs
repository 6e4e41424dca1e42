//! The state of one hub partition: a fold over its facts in order of position.
//!
//! Facts enter, live ones and stored ones alike; the state of every device leaves.
//! It refuses to know how facts are decided or stored, and no clock enters: hours are the hub's own.

use std::collections::HashMap;
use std::sync::Arc;

use detector::{Detector, Fate};
use wire::api::DeviceStatus;
use wire::documents::{ARRIVED_SHIFT, ReadingRow};
use wire::position::bucket_of;

use super::device::{Entry, FRAME_READINGS, Memory};
use super::heard::Heard;
use super::listing::Listing;
use super::mutants::{self, Mutant};
use super::stored::Listed;
use crate::settings::Limits;

/// Devices whose room in an undo is kept for the next batch.
const SPARE_DEVICES: usize = 4096;
/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;

/// All devices of one hub partition.
#[derive(Debug)]
pub struct State {
    /// Sequence number up to which everything is folded in; `None` before the first event.
    pub position: Option<i64>,
    /// Newest enqueued time, in epoch milliseconds.
    pub enqueued_to: i64,
    /// Newest hour in which a reading arrived, counted from 1970.
    hour: u32,
    /// The hour in which gone devices were last looked for: that is work for all devices, not for every batch.
    swept_hour: u32,
    slots: HashMap<Box<str>, usize>,
    entries: Vec<Entry>,
    listing: Listing,
    retention: Retention,
    limits: Arc<Limits>,
    /// Which undo changes are saved to; a device is saved once in each.
    undo_number: u64,
    /// Room of an earlier undo.
    spare: Vec<(usize, Memory)>,
}

/// How long what is remembered must last, in hours of the hub's clock.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// A device silent for longer is forgotten.
    forget_hours: u32,
    /// A device's readings carry its state at least this often.
    frame_hours: u32,
}

impl Retention {
    /// Follows from how long documents are kept: half of that is remembered, so that recovery finds what it needs.
    #[must_use]
    pub fn of_ttl(ttl_s: i64) -> Self {
        let hours = u32::try_from(ttl_s / 3600).unwrap_or(u32::MAX);
        Self { forget_hours: (hours / 2).max(1), frame_hours: (hours / 4).max(1) }
    }
}

impl Retention {
    fn is_over(self, memory: &Memory, hour: u32) -> bool {
        memory.arrived_hour > 0 && hour > memory.arrived_hour.saturating_add(self.forget_hours)
    }
}

/// How devices were before a batch.
#[derive(Debug, Default)]
pub struct Undo {
    saved: Vec<(usize, Memory)>,
    position: Option<i64>,
    enqueued_to: i64,
    hour: u32,
}

impl Undo {
    /// Devices that the batch touched.
    pub fn touched(&self) -> impl Iterator<Item = usize> {
        self.saved.iter().map(|(slot, _)| *slot)
    }

    /// Position of the state that it brings back.
    #[cfg(test)]
    pub(super) fn position(&self) -> Option<i64> {
        self.position
    }

    /// What devices' memories were before the batch, by slot.
    #[must_use]
    pub fn before(&self) -> HashMap<usize, &Memory> {
        // Where a device was saved twice, the older memory counts.
        self.saved.iter().rev().map(|(slot, memory)| (*slot, memory)).collect()
    }

    /// Lets this undo bring back what was before both, where `later` began when this one's batch had ended.
    pub fn absorb(&mut self, later: Self) {
        self.saved.extend(later.saved);
    }
}

/// The hour of an enqueued time, counted from 1970; 0 when the hub did not say.
fn hour_of(enqueued_ms: Option<i64>) -> u32 {
    if mutants::is(Mutant::WallClock) {
        return mutants::wall_clock_hour();
    }
    enqueued_ms.and_then(|ms| u32::try_from(ms / HOUR_MS).ok()).unwrap_or(0)
}

impl State {
    /// An empty state.
    #[must_use]
    pub fn new(n_buckets: u32, retention: Retention, limits: Arc<Limits>) -> Self {
        Self {
            position: None,
            enqueued_to: 0,
            hour: 0,
            swept_hour: 0,
            slots: HashMap::new(),
            entries: Vec::new(),
            listing: Listing::new(n_buckets),
            retention,
            limits,
            undo_number: 0,
            spare: Vec::new(),
        }
    }

    /// Where devices are listed.
    pub fn listing(&mut self) -> (&mut Listing, &mut [Entry]) {
        (&mut self.listing, &mut self.entries)
    }

    /// Takes over what tables said of devices: of those that have slots, and of those that will get them later.
    pub fn remember(&mut self, known: HashMap<String, Listed>) {
        for (device_id, listed) in &known {
            if let Some(slot) = self.slots.get(device_id.as_str()) {
                self.entries[*slot].heard = listed.heard;
            }
        }
        self.listing.remember(known);
    }

    /// Notes that a device was heard, up to an enqueued time in epoch milliseconds at the latest, if it has a slot.
    pub fn hear_of(&mut self, device_id: &str, enqueued_ms: i64) {
        if let Some(slot) = self.slots.get(device_id) {
            self.entries[*slot].heard.hear_of(enqueued_ms);
        }
    }

    /// A device.
    #[must_use]
    pub fn entry(&self, slot: usize) -> &Entry {
        &self.entries[slot]
    }

    /// The devices, in order of their first appearance.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Begins a batch: what it changes from now on can be undone.
    pub fn begin(&mut self) -> Undo {
        self.undo_number += 1;
        let Self { position, enqueued_to, hour, .. } = *self;
        Undo { saved: std::mem::take(&mut self.spare), position, enqueued_to, hour }
    }

    /// Keeps the room of an undo that nobody needs any more for the next one.
    pub fn recycle(&mut self, undo: Undo) {
        let mut saved = undo.saved;
        if saved.capacity() <= SPARE_DEVICES {
            saved.clear();
            self.spare = saved;
        }
    }

    /// Brings back what was before a batch.
    pub fn undo(&mut self, undo: Undo) {
        // Newest first: where two batches are undone in one, the older memory must win.
        for (slot, memory) in undo.saved.into_iter().rev() {
            let entry = &mut self.entries[slot];
            entry.memory = memory;
            entry.saved_in = 0;
            self.listing.mark(entry.bucket, entry.page);
        }
        (self.position, self.enqueued_to, self.hour) = (undo.position, undo.enqueued_to, undo.hour);
    }

    /// The place of a device; a new one gets the next.
    pub fn slot(&mut self, device_id: &str) -> usize {
        if let Some(slot) = self.slots.get(device_id) {
            return *slot;
        }
        let bucket = self.bucket_number(device_id);
        let slot = self.entries.len();
        let (page, heard) = self.listing.place(bucket, device_id, slot);
        // Devices that began together need not all be framed in one batch.
        let n_since_frame = bucket_of(device_id, FRAME_READINGS);
        self.entries.push(Entry {
            id: device_id.into(),
            bucket,
            page,
            listed: None,
            limit: self.limits.of(device_id),
            heard,
            memory: Memory { n_since_frame, ..Memory::default() },
            saved_in: 0,
        });
        self.slots.insert(device_id.into(), slot);
        slot
    }

    /// Number of groups that devices are spread over.
    #[must_use]
    pub fn n_buckets(&self) -> u32 {
        self.listing.n_buckets()
    }

    /// The number of a device's group.
    #[must_use]
    pub fn bucket_number(&self, device_id: &str) -> usize {
        bucket_of(device_id, self.listing.n_buckets()) as usize
    }

    /// A device, to be changed; what it was is kept in `undo`.
    pub fn change(&mut self, slot: usize, undo: &mut Undo) -> &mut Entry {
        let entry = &mut self.entries[slot];
        if entry.saved_in != self.undo_number {
            entry.saved_in = self.undo_number;
            undo.saved.push((slot, entry.memory.clone()));
        }
        entry
    }

    /// The hour of a reading's arrival: the hub's, but never before that of an earlier reading.
    #[must_use]
    pub fn hour_after(&self, enqueued_ms: Option<i64>) -> u32 {
        hour_of(enqueued_ms).max(self.hour)
    }

    /// Tells whether a device was silent for so long that a reading of this hour finds nothing remembered.
    #[must_use]
    pub fn would_forget(&self, slot: usize, hour: u32) -> bool {
        self.retention.is_over(&self.entries[slot].memory, hour)
    }

    /// Forgets a device that was silent for too long, and says whether nothing is remembered of it.
    pub fn meet(&mut self, slot: usize, hour: u32, undo: &mut Undo) -> bool {
        let is_forgotten = self.would_forget(slot, hour);
        let entry = self.change(slot, undo);
        if is_forgotten {
            entry.memory.forget();
            entry.heard = Heard::default();
        }
        entry.memory.device.is_blank()
    }

    /// Notes when a reading arrived; returns the hour when its row must say it, else 0.
    pub fn arrive(&mut self, slot: usize, hour: u32, fate: Fate) -> u32 {
        if fate == Fate::Duplicate {
            return 0;
        }
        self.hour = self.hour.max(hour);
        let memory = &mut self.entries[slot].memory;
        memory.n_since_frame = memory.n_since_frame.saturating_add(1);
        if hour <= memory.arrived_hour {
            return 0;
        }
        if memory.arrived_hour == 0 {
            // A device's first row says that it is one, and needs no state beside it.
            memory.framed_hour = hour;
        }
        memory.arrived_hour = hour;
        hour
    }

    /// Enters a stored reading in the state, and decides nothing.
    ///
    /// Returns `false` for a reading that cannot be entered because what was before it is not known.
    pub fn apply(&mut self, detector: &Detector, slot: usize, row: &ReadingRow, undo: &mut Undo) -> bool {
        let hour = row.flags >> ARRIVED_SHIFT;
        self.hour = self.hour.max(hour);
        let Some(fact) = self.change(slot, undo).memory.apply(detector, row) else { return false };
        self.arrive(slot, hour, fact.fate);
        true
    }

    /// Has the tables written of devices whose status is not the one listed.
    pub fn list_changes(&mut self, undo: &Undo) {
        for slot in undo.touched() {
            let entry = &mut self.entries[slot];
            let listed = entry.row().map(|row| (DeviceStatus::of(&row), row.alert));
            if listed != entry.listed {
                entry.listed = listed;
                self.listing.mark(entry.bucket, entry.page);
            }
        }
    }

    /// Adds a device with the memory that was stored of it.
    pub fn insert(&mut self, device_id: &str, memory: Memory) {
        let slot = self.slot(device_id);
        self.hour = self.hour.max(memory.arrived_hour);
        self.entries[slot].memory = memory;
    }

    /// Gives a device the memory that was stored of it.
    pub fn restore(&mut self, slot: usize, memory: Memory, undo: &mut Undo) {
        self.hour = self.hour.max(memory.arrived_hour);
        self.change(slot, undo).memory = memory;
    }

    /// Notes that a device's state was just stored beside its readings.
    pub fn framed(&mut self, slot: usize) {
        let memory = &mut self.entries[slot].memory;
        (memory.n_since_frame, memory.framed_hour) = (0, memory.arrived_hour);
    }

    /// Tells whether a device's state should be written beside its newest reading.
    #[must_use]
    pub fn is_frame_due(&self, slot: usize) -> bool {
        let memory = &self.entries[slot].memory;
        let is_old = memory.arrived_hour.saturating_sub(memory.framed_hour) >= self.retention.frame_hours;
        memory.n_since_frame >= FRAME_READINGS || is_old
    }

    /// Tells whether a device was silent for so long that its next reading finds nothing remembered.
    #[must_use]
    pub fn is_gone(&self, memory: &Memory) -> bool {
        self.is_gone_in(memory, self.hour)
    }

    /// As [`State::is_gone`], in an hour of the hub's clock.
    #[must_use]
    pub fn is_gone_in(&self, memory: &Memory, hour: u32) -> bool {
        self.retention.is_over(memory, hour)
    }

    /// Newest hour in which a reading arrived, counted from 1970.
    #[cfg(test)]
    pub(super) fn hour(&self) -> u32 {
        self.hour
    }

    /// Frees what is kept of devices that are gone; nothing may have to be undone.
    pub fn drop_gone(&mut self) {
        let (kept, gone): (Vec<Entry>, Vec<Entry>) =
            std::mem::take(&mut self.entries).into_iter().partition(|entry| !self.is_gone(&entry.memory));
        for entry in &gone {
            self.slots.remove(&entry.id);
        }
        self.listing.forget_slots();
        for (slot, entry) in kept.iter().enumerate() {
            self.slots.insert(entry.id.clone(), slot);
            self.listing.keep(entry.bucket, entry.page, slot);
        }
        for entry in &gone {
            self.listing.mark(entry.bucket, entry.page);
        }
        self.entries = kept;
    }

    /// Tells, once an hour of the hub's clock, whether many devices are gone.
    pub fn has_many_gone(&mut self) -> bool {
        if self.hour == self.swept_hour {
            return false;
        }
        self.swept_hour = self.hour;
        let n_gone = self.entries.iter().filter(|entry| self.is_gone(&entry.memory)).count();
        n_gone > 0 && n_gone * 8 >= self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u32 = 490_000;

    /// A state that has heard two devices in an hour, and what undoes that.
    fn two_devices() -> (State, Undo) {
        let mut state = State::new(1, Retention::of_ttl(86_400), Arc::default());
        let mut undo = state.begin();
        for device_id in ["a", "b"] {
            let slot = state.slot(device_id);
            state.meet(slot, HOUR, &mut undo);
            state.entries[slot].heard.hear(i64::from(HOUR) * HOUR_MS);
            state.arrive(slot, HOUR, Fate::Fresh);
        }
        (state, undo)
    }

    #[test]
    fn an_undo_in_used_room_brings_back_its_own_batch_alone() {
        let (mut state, undo) = two_devices();
        state.recycle(undo);
        let mut undo = state.begin();
        assert!(undo.saved.capacity() >= 2, "the room is used again");
        assert_eq!(undo.touched().count(), 0);
        state.meet(1, HOUR + 1, &mut undo);
        state.arrive(1, HOUR + 1, Fate::Fresh);
        state.undo(undo);
        let hours: Vec<u32> = state.entries().iter().map(|entry| entry.memory.arrived_hour).collect();
        assert_eq!(hours, [HOUR, HOUR]);
    }

    #[test]
    fn a_device_that_is_forgotten_has_no_usual_pauses_either() {
        let (mut state, _) = two_devices();
        let mut undo = state.begin();
        state.meet(0, HOUR + 13, &mut undo);
        state.meet(1, HOUR + 12, &mut undo);
        assert_eq!(state.entry(0).heard, Heard::default());
        assert_ne!(state.entry(1).heard, Heard::default());
    }
}
