//! Fleets to train on: simulated devices without faults, seen through the detector's own windows.
//!
//! A seed and a size enter, normalized windows by family leave.
//! Readings go through `detector::Signal` as they do in the handler, so that training and serving cannot drift apart.

use anyhow::{Context, Result};
use detector::{Reading, Signal, WINDOW_LENGTH};
use simulator::random::{Draws, member_seed};
use simulator::{DAY_MS, Family, series};

/// Monday, 1 January 2024, 00:00 UTC: the earliest day on which a simulated device starts.
const FIRST_DAY_MS: i64 = 1_704_067_200_000;
/// Spread in degrees Celsius that stands in until the fleet's own is known.
pub(crate) const STAND_IN_SPREAD: f64 = 1.0;
/// Multiples of a family's usual interval at which its devices send.
const INTERVAL_FACTORS: [i64; 4] = [1, 1, 3, 5];
/// Readings between two windows of one device, on average: neighbors say nearly the same.
const MEAN_STRIDE: f64 = 8.0;
/// Root mean square, in normalized units, up to which a window is worth fitting on.
const RANGE_LIMIT: f32 = 3.0;
/// Stream of random numbers for fleets.
const PURPOSE: u64 = 0x666c_6565;

/// How large a fleet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetSize {
    /// Devices of each family.
    pub n_devices: u32,
    /// Readings of each device.
    pub n_readings: usize,
}

/// Devices with their readings.
#[derive(Debug, Clone)]
pub struct Fleet {
    devices: Vec<FleetDevice>,
}

#[derive(Debug, Clone)]
struct FleetDevice {
    family: Family,
    seed: u64,
    readings: Vec<Reading>,
}

/// Windows of a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetWindows {
    /// Each device's family with its windows, one after the other.
    pub devices: Vec<(Family, Vec<f32>)>,
}

impl Fleet {
    /// Simulates a fleet of all families; fleets of different seeds have no device in common.
    ///
    /// # Errors
    ///
    /// When a simulated temperature is none, which would be a fault of the simulator.
    pub fn simulate(seed: u64, size: FleetSize) -> Result<Self> {
        let mut devices = Vec::new();
        for n in 0..u64::from(size.n_devices) {
            for (f, family) in (0_u64..).zip(Family::ALL) {
                let seed = member_seed(seed, n * Family::ALL.len() as u64 + f);
                devices.push(FleetDevice::simulate(family, seed, size.n_readings)?);
            }
        }
        Ok(Self { devices })
    }

    /// Devices in the fleet.
    #[must_use]
    pub fn n_devices(&self) -> usize {
        self.devices.len()
    }

    /// The spread that each device learns, in degrees Celsius.
    #[must_use]
    pub fn spreads(&self) -> Vec<f64> {
        self.devices.iter().map(FleetDevice::spread).collect()
    }

    /// The median of the spreads that the devices learn, in degrees Celsius, rounded to a thousandth.
    #[must_use]
    pub fn median_spread(&self) -> f64 {
        let mut spreads = self.spreads();
        spreads.sort_by(f64::total_cmp);
        round_spread(spreads.get(spreads.len() / 2).copied().unwrap_or(STAND_IN_SPREAD))
    }

    /// Writes windows of all devices, each device's at random distances.
    #[must_use]
    pub fn windows(&self, prior_spread: f64) -> FleetWindows {
        let windows_of = |device: &FleetDevice| (device.family, device.windows(prior_spread));
        FleetWindows { devices: self.devices.iter().map(windows_of).collect() }
    }
}

impl FleetDevice {
    fn simulate(family: Family, seed: u64, n_readings: usize) -> Result<Self> {
        let mut draws = Draws::new(seed, PURPOSE);
        #[expect(clippy::cast_possible_truncation, reason = "within a year")]
        let first_day = draws.between(0.0, 365.0) as i64;
        let interval_ms = family.usual_interval_ms() * draws.pick(&INTERVAL_FACTORS, 1);
        let readings = series(family, seed, FIRST_DAY_MS + first_day * DAY_MS, interval_ms)
            .take(n_readings)
            .map(|sample| Reading::new(sample.timestamp_ms, sample.celsius))
            .collect::<Result<_, _>>()
            .with_context(|| format!("the simulated {family} of seed {seed} said no temperature"))?;
        Ok(Self { family, seed, readings })
    }

    fn spread(&self) -> f64 {
        let mut signal = Signal::default();
        for reading in &self.readings {
            signal.push(*reading, STAND_IN_SPREAD);
        }
        signal.scale(STAND_IN_SPREAD).spread
    }

    fn windows(&self, prior_spread: f64) -> Vec<f32> {
        let mut windows = Vec::new();
        let mut draws = Draws::new(self.seed, PURPOSE + 1);
        let mut signal = Signal::default();
        for reading in &self.readings {
            signal.push(*reading, prior_spread);
            if draws.chance(1.0 / MEAN_STRIDE) {
                signal.write_own_window(prior_spread, &mut windows);
            }
        }
        windows
    }
}

impl FleetWindows {
    /// All windows that are worth fitting on, one after the other: those far out of their device's range tell of
    /// days on which it had not learned enough, and would outweigh all others.
    #[must_use]
    pub fn within_range(&self) -> Vec<f32> {
        let windows = self.devices.iter().flat_map(|(_, windows)| windows.chunks(WINDOW_LENGTH));
        windows.filter(|window| is_within_range(window)).flatten().copied().collect()
    }
}

/// Rounds to a thousandth of a degree, and to no less than one.
pub(crate) fn round_spread(spread: f64) -> f64 {
    (spread * 1000.0).round().max(1.0) / 1000.0
}

pub(crate) fn is_within_range(window: &[f32]) -> bool {
    let squares: f32 = window.iter().map(|value| value * value).sum();
    #[expect(clippy::cast_precision_loss, reason = "a window's length is small")]
    let length = window.len() as f32;
    squares <= length * RANGE_LIMIT * RANGE_LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: FleetSize = FleetSize { n_devices: 1, n_readings: 200 };

    #[test]
    fn a_seed_gives_the_same_windows_and_another_does_not() {
        let windows = |seed| Fleet::simulate(seed, SIZE).unwrap().windows(1.0);
        assert_eq!(windows(1), windows(1));
        assert_ne!(windows(1), windows(2));
    }

    #[test]
    fn every_family_gives_whole_windows() {
        let windows = Fleet::simulate(1, SIZE).unwrap().windows(1.0);
        assert_eq!(windows.devices.len(), Family::ALL.len());
        for (family, windows) in &windows.devices {
            assert!(!windows.is_empty() && windows.len().is_multiple_of(WINDOW_LENGTH), "{family}");
        }
    }

    #[test]
    fn windows_far_out_of_range_are_not_fitted_on() {
        let windows = [[2.0; WINDOW_LENGTH], [-3.5; WINDOW_LENGTH]].concat();
        let fleet = FleetWindows { devices: vec![(Family::Room, windows)] };
        assert_eq!(fleet.within_range(), [2.0; WINDOW_LENGTH]);
    }

    #[test]
    fn the_median_spread_is_one_of_a_device() {
        let spread = Fleet::simulate(1, SIZE).unwrap().median_spread();
        assert!((0.1..10.0).contains(&spread), "{spread}");
    }
}
