//! One device: what is remembered of it, and how its table and the page show it.
//!
//! Stored rows enter; it refuses to know other devices, and where anything is stored.

use detector::{Channel, Detector, Device, Fact, Fate, Limit, Reading, Severity, StateError, Step, Verdict};
use wire::api::{DeviceStatus, DeviceView};
use wire::documents::{
    CHANNEL_MASK, CHANNEL_SHIFT, DeviceRow, FLAG_ANEW, FLAG_LATE, FLAG_LEARNING, FLAG_OUTSIDE, OpenAlert,
    ReadingRow, STEP_MASK, STEP_SHIFT,
};

use super::heard::Heard;
use super::mutants::{self, Mutant};
use crate::alerts::device_view;

/// Readings of a device between two key frames.
pub(super) const FRAME_READINGS: u32 = 256;

/// A device, and where it is listed.
#[derive(Debug)]
pub struct Entry {
    /// The device's id.
    pub id: Box<str>,
    /// Number of its group.
    pub bucket: usize,
    /// Number of the table that lists it.
    pub page: usize,
    /// The status and the open alert that its table says, if it was written.
    pub(super) listed: Option<(DeviceStatus, Option<OpenAlert>)>,
    /// Temperatures that it may have.
    pub limit: Option<Limit>,
    /// When it was heard: for its table.
    pub heard: Heard,
    /// What is remembered of it.
    pub memory: Memory,
    pub(super) saved_in: u64,
}

/// What is remembered of a device: all that an undo brings back.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Its readings and habits.
    pub device: Device,
    /// The reading that opened its newest alert.
    pub(super) opening: Opening,
    /// Hour in which its newest reading arrived, counted from 1970; 0 when the hub never said.
    pub arrived_hour: u32,
    /// Readings since its state was last written beside them, and the hour of that. Not part of what is folded: where
    /// key frames lie depends on how batches are cut.
    pub(super) n_since_frame: u32,
    pub(super) framed_hour: u32,
}

/// The reading that opened an alert.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// Sequence number of its event.
    pub sequence: i64,
    /// Its place in its event.
    pub index: u32,
    /// When it was measured, in epoch milliseconds.
    pub at_ms: i64,
}

impl Entry {
    /// The device as its table lists it; `None` when nothing is remembered of it.
    #[must_use]
    pub fn row(&self) -> Option<DeviceRow> {
        let newest = self.memory.device.newest()?;
        Some(DeviceRow {
            timestamp: newest.reading.timestamp_ms(),
            temperature: newest.reading.celsius(),
            expected: newest.expected,
            error: newest.error,
            score: newest.score,
            flags: if newest.learning { FLAG_LEARNING } else { 0 },
            last_anomaly: self.memory.device.last_anomaly_ms(),
            alert: self.memory.open_alert(),
            arrived: self.heard.arrived(),
            allowance: self.heard.allowance(),
        })
    }

    /// Tells whether its newest reading is an anomaly.
    #[must_use]
    pub fn is_anomalous(&self) -> bool {
        self.memory.device.newest().is_some_and(|fact| fact.verdict() == Verdict::Anomaly)
    }

    /// The device as the page shows it.
    #[must_use]
    pub fn view(&self, bucket_prefix: &str) -> Option<DeviceView> {
        Some(device_view(&format!("{bucket_prefix}{}", self.bucket), &self.id, &self.row()?))
    }
}

impl Memory {
    /// Appends the bytes that two equal folds have in common.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Opening { sequence, index, at_ms } = self.opening;
        out.extend_from_slice(&self.arrived_hour.to_le_bytes());
        out.extend_from_slice(&sequence.to_le_bytes());
        out.extend_from_slice(&index.to_le_bytes());
        out.extend_from_slice(&at_ms.to_le_bytes());
        self.device.encode(out);
    }

    /// Reads what [`Memory::encode`] wrote off the front of `bytes`.
    ///
    /// # Errors
    ///
    /// [`StateError`] when the bytes are no state.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), StateError> {
        let (hour, bytes) = bytes.split_first_chunk().ok_or(StateError::Truncated)?;
        let (sequence, bytes) = bytes.split_first_chunk().ok_or(StateError::Truncated)?;
        let (index, bytes) = bytes.split_first_chunk().ok_or(StateError::Truncated)?;
        let (at_ms, bytes) = bytes.split_first_chunk().ok_or(StateError::Truncated)?;
        let (device, rest) = Device::decode(bytes)?;
        let arrived_hour = u32::from_le_bytes(*hour);
        let opening = Opening {
            sequence: i64::from_le_bytes(*sequence),
            index: u32::from_le_bytes(*index),
            at_ms: i64::from_le_bytes(*at_ms),
        };
        // When it was last written beside a reading is not known: that is due.
        let (n_since_frame, framed_hour) = (FRAME_READINGS, arrived_hour);
        Ok((Self { device, opening, arrived_hour, n_since_frame, framed_hour }, rest))
    }

    /// The reading that opened its newest alert.
    #[must_use]
    pub fn opening(&self) -> Opening {
        self.opening
    }

    /// Enters a stored reading, and decides nothing; its hour of arrival is the caller's.
    ///
    /// Returns what it does to the alert, or `None` for a reading that cannot be entered because what was before it is
    /// not known.
    pub fn apply(&mut self, detector: &Detector, row: &ReadingRow) -> Option<Fact> {
        let mut fact = fact_of(row)?;
        if mutants::is(Mutant::ReplayDecides) {
            fact.error = fact.error.map(mutants::decided_again);
        }
        if row.flags & FLAG_ANEW != 0 {
            self.forget();
        } else if self.device.is_blank() {
            return None;
        }
        detector.apply(&mut self.device, &fact);
        self.note_opening(&fact, row.sequence, row.index);
        Some(fact)
    }

    /// Notes a reading that opened an alert.
    pub fn note_opening(&mut self, fact: &Fact, sequence: i64, index: u32) {
        if fact.step == Some(Step::Opened) {
            self.opening = Opening { sequence, index, at_ms: fact.reading.timestamp_ms() };
        }
    }

    pub(super) fn forget(&mut self) {
        (self.device, self.opening, self.arrived_hour) = (Device::default(), Opening::default(), 0);
    }

    /// The open alert as tables say it.
    fn open_alert(&self) -> Option<OpenAlert> {
        let alert = self.device.open_alert()?;
        let Opening { sequence, index, at_ms } = self.opening;
        Some(OpenAlert {
            sequence,
            index,
            opened_at: at_ms,
            channel: u32::from(alert.channel.map_or(0, Channel::code)),
            is_critical: alert.severity == Severity::Critical,
        })
    }
}

/// The fact that a stored row holds; `None` for a row that this program cannot have written.
fn fact_of(row: &ReadingRow) -> Option<Fact> {
    Some(Fact {
        reading: Reading::new(row.timestamp, row.temperature).ok()?,
        fate: if row.flags & FLAG_LATE == 0 { Fate::Fresh } else { Fate::Late },
        expected: row.expected,
        error: row.error,
        score: row.score,
        channel: u8::try_from((row.flags >> CHANNEL_SHIFT) & CHANNEL_MASK).ok().and_then(Channel::of_code),
        learning: row.flags & FLAG_LEARNING != 0,
        is_outside: row.flags & FLAG_OUTSIDE != 0,
        step: u8::try_from((row.flags >> STEP_SHIFT) & STEP_MASK).ok().and_then(Step::of_code),
        // It follows from the readings: applying the fact finds it again.
        silent_ms: None,
    })
}
