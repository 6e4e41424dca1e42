//! Series: a device sampled at a fixed interval, with or without faults.

use crate::device::Device;
use crate::family::Family;
use crate::faults::{Fault, FaultKind};
use crate::injector::Injector;
use crate::schedule::{Schedule, ScheduleOptions};

/// One labelled sample of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Epoch milliseconds, UTC.
    pub timestamp_ms: i64,
    /// Degrees Celsius.
    pub celsius: f64,
    /// The fault that shaped this sample; `None` is normal.
    pub fault: Option<FaultKind>,
}

/// A device of `family` sampled every `interval_ms` from `start_ms` on, without end and without faults.
///
/// An interval below one millisecond counts as one.
#[must_use]
pub fn series(family: Family, seed: u64, start_ms: i64, interval_ms: i64) -> Series {
    Series::new(Device::new(family, seed), seed, start_ms, interval_ms)
}

/// The samples of one device; an endless iterator.
#[derive(Debug, Clone)]
pub struct Series {
    device: Device,
    injector: Injector,
    seed: u64,
    next_ms: i64,
    interval_ms: i64,
}

impl Series {
    /// Samples `device`; `seed` is for the faults alone.
    #[must_use]
    pub fn new(device: Device, seed: u64, start_ms: i64, interval_ms: i64) -> Self {
        let injector = Injector::new(device.scale(start_ms), seed);
        Self { device, injector, seed, next_ms: start_ms, interval_ms: interval_ms.max(1) }
    }

    /// Adds these faults.
    #[must_use]
    pub fn with_faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        faults.into_iter().for_each(|fault| self.injector.add(fault));
        self
    }

    /// Adds faults as they come, without end.
    #[must_use]
    pub fn with_schedule(mut self, options: ScheduleOptions) -> Self {
        self.injector.follow(Schedule::new(options, self.seed));
        self
    }

    /// Adds one fault.
    pub fn add(&mut self, fault: Fault) {
        self.injector.add(fault);
    }

    /// Goes on from `start_ms` with another interval; the device keeps its state.
    pub fn resume(&mut self, start_ms: i64, interval_ms: i64) {
        self.next_ms = start_ms;
        self.interval_ms = interval_ms.max(1);
    }

    /// Time at which the device is read next, epoch milliseconds.
    #[must_use]
    pub fn next_ms(&self) -> i64 {
        self.next_ms
    }

    /// Reads the device once; `None` when a dropout swallows the reading.
    pub fn step(&mut self) -> Option<Sample> {
        let timestamp_ms = self.next_ms;
        self.next_ms = self.next_ms.saturating_add(self.interval_ms);
        let celsius = self.device.celsius_at(timestamp_ms);
        self.injector.apply(Sample { timestamp_ms, celsius, fault: None })
    }

    /// Faults that began since the last call, with the time of the first reading they touched.
    pub fn take_started(&mut self) -> Vec<Fault> {
        self.injector.take_started()
    }
}

impl Iterator for Series {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        loop {
            if let Some(sample) = self.step() {
                return Some(sample);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_767_225_600_000;

    const DIGESTS: [u64; 9] = [
        17_947_356_013_923_509_841,
        15_558_953_669_246_787_109,
        4_498_238_136_779_392_074,
        16_279_833_411_014_374_924,
        6_866_246_445_365_305_001,
        8_411_027_116_370_967_341,
        13_289_523_167_338_631_025,
        4_517_133_968_304_080_354,
        4_142_564_930_278_573_246,
    ];

    /// FNV-1a over timestamps and exact values.
    fn digest(samples: impl Iterator<Item = Sample>) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for sample in samples {
            for byte in sample.timestamp_ms.to_le_bytes().into_iter().chain(sample.celsius.to_le_bytes()) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        hash
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        for family in Family::ALL {
            let options = ScheduleOptions::new(START, 2.0);
            let one = digest(series(family, 3, START, 60_000).with_schedule(options.clone()).take(5000));
            let other = digest(series(family, 3, START, 60_000).with_schedule(options).take(5000));
            assert_eq!(one, other, "{family}");
            assert_ne!(one, digest(series(family, 4, START, 60_000).take(5000)), "{family}");
        }
    }

    /// What was trained on these series can be trained again only as long as this holds, on every platform.
    #[test]
    fn a_seed_gives_the_bytes_it_always_gave() {
        let options = ScheduleOptions::new(START, 2.0);
        let digests: Vec<u64> = Family::ALL
            .into_iter()
            .map(|family| digest(series(family, 3, START, 60_000).with_schedule(options.clone()).take(5000)))
            .collect();
        assert_eq!(digests, DIGESTS);
    }

    #[test]
    fn timestamps_keep_their_interval_and_dropouts_leave_a_gap() {
        let fault = Fault::new(FaultKind::Dropout, START + 600_000, 0.0).lasting(300_000);
        let samples: Vec<Sample> =
            series(Family::Lab, 1, START, 60_000).with_faults([fault]).take(30).collect();
        assert_eq!(samples[9].timestamp_ms, START + 540_000);
        assert_eq!(samples[10].timestamp_ms, START + 900_000);
        assert_eq!(samples[11].timestamp_ms, START + 960_000);
    }

    #[test]
    fn without_faults_nothing_is_labelled() {
        assert!(series(Family::Outdoor, 1, START, 60_000).take(10_000).all(|sample| sample.fault.is_none()));
    }
}
