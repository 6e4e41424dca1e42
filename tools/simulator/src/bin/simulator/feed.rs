//! What is played: simulated devices or recordings, as tracks that yield samples up to a time.

use crate::replay::Recording;
use anyhow::Result;
use simulator::{Fault, Sample, Series};

/// One device's samples.
pub(crate) struct Track {
    pub(crate) device_id: String,
    pub(crate) source: Source,
}

/// Where a track's samples come from.
pub(crate) enum Source {
    Simulated(Box<Simulated>),
    Recorded(Box<Recording>),
}

/// A simulated device.
pub(crate) struct Simulated {
    pub(crate) series: Series,
    pub(crate) interval_ms: i64,
    /// Where the simulation began, for the progress bar.
    pub(crate) start_ms: i64,
}

impl Track {
    /// Time of the next sample; `None` when the track is at its end.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        match &self.source {
            Source::Simulated(device) => Some(device.series.next_ms()),
            Source::Recorded(recording) => recording.next_ms(),
        }
    }

    /// Takes the samples up to and including `until_ms`, at most `most` of them.
    ///
    /// # Errors
    ///
    /// When a recording cannot be read on.
    pub(crate) fn take_until(&mut self, until_ms: i64, most: usize) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        while samples.len() < most && self.next_ms().is_some_and(|next| next <= until_ms) {
            let sample = match &mut self.source {
                Source::Simulated(device) => device.series.step(),
                Source::Recorded(recording) => recording.take()?,
            };
            samples.extend(sample);
        }
        Ok(samples)
    }

    /// Faults that began since the last call, with the interval at which the device is read.
    pub(crate) fn take_started(&mut self) -> (Vec<Fault>, i64) {
        match &mut self.source {
            Source::Simulated(device) => (device.series.take_started(), device.interval_ms),
            Source::Recorded(_) => (Vec::new(), 0),
        }
    }

    /// Goes live: reads the device every `interval_ms` from `start_ms` on. Recordings do not.
    pub(crate) fn go_live(&mut self, start_ms: i64, interval_ms: i64) {
        if let Source::Simulated(device) = &mut self.source {
            device.interval_ms = interval_ms;
            device.series.resume(start_ms, interval_ms);
        }
    }

    /// Adds a fault to a simulated device.
    pub(crate) fn add(&mut self, fault: Fault) {
        if let Source::Simulated(device) = &mut self.source {
            device.series.add(fault);
        }
    }

    /// How much has been played, and how much there is, in a unit of the track's own.
    pub(crate) fn progress(&self, now_ms: i64) -> (u64, u64) {
        match &self.source {
            Source::Simulated(device) => {
                let total = now_ms.saturating_sub(device.start_ms);
                let done = device.series.next_ms().saturating_sub(device.start_ms).min(total);
                (u64::try_from(done).unwrap_or(0), u64::try_from(total).unwrap_or(0))
            }
            Source::Recorded(recording) => recording.progress(),
        }
    }

    /// Typical time between samples, in milliseconds; a guess for recordings.
    pub(crate) fn interval_ms(&self) -> i64 {
        match &self.source {
            Source::Simulated(device) => device.interval_ms,
            Source::Recorded(_) => 5 * simulator::MINUTE_MS,
        }
    }
}
