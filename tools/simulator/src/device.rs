//! One simulated device: its physics and its sensor.
//!
//! A family and a seed enter, a temperature for each asked time leaves; faults are none of its business.

use crate::family::Family;
use crate::injector::Scale;
use crate::random::Draws;
use crate::signal::{Daily, Defrost, Plant, Plateau, Wander};

/// Step of the stretch from which a device's range is taken.
const SURVEY_STEP_MS: i64 = 10 * crate::MINUTE_MS;
/// A whole week, so that an office's range knows its weekend.
const SURVEY_STEPS: usize = 7 * 24 * 6;
/// Measurement noise ends here, in standard deviations: whatever is beyond is a fault, and labelled.
const NOISE_LIMIT: f64 = 4.0;

/// A device of some family, with parameters drawn from its seed.
///
/// Times asked for must not decrease; the step between them is free.
#[derive(Debug, Clone)]
pub struct Device {
    family: Family,
    parts: Parts,
    draws: Draws,
    last_ms: Option<i64>,
}

/// What a device is made of; families differ only in these.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) mean: f64,
    pub(crate) daily: Option<Daily>,
    pub(crate) plant: Option<Plant>,
    pub(crate) defrost: Option<Defrost>,
    pub(crate) plateau: Option<Plateau>,
    pub(crate) wanders: Vec<Wander>,
    pub(crate) noise_celsius: f64,
    /// Resolution of the sensor in degrees; 0 for none to speak of.
    pub(crate) quantum: f64,
}

impl Device {
    /// Draws a device of `family`; the same seed gives the same device.
    #[must_use]
    pub fn new(family: Family, seed: u64) -> Self {
        let parts = family.draw_parts(&mut Draws::new(seed, 1));
        Self { family, parts, draws: Draws::new(seed, 2), last_ms: None }
    }

    /// The family it belongs to.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// What its sensor reads at a time (epoch milliseconds), in degrees Celsius.
    pub fn celsius_at(&mut self, timestamp_ms: i64) -> f64 {
        let elapsed_ms = self.last_ms.map_or(0, |last| timestamp_ms.saturating_sub(last).max(0));
        self.last_ms = Some(timestamp_ms);
        let celsius = self.parts.advance(seconds(timestamp_ms), seconds(elapsed_ms), &mut self.draws);
        round_to(celsius, self.parts.quantum)
    }

    /// How much this device normally moves, in the week from `start_ms` on; the device itself stays as it was.
    #[must_use]
    pub fn scale(&self, start_ms: i64) -> Scale {
        let quantum = self.parts.quantum;
        // A value that is rounded to steps of q carries noise of about 0.29 q.
        let noise = self.parts.noise_celsius.max(0.29 * quantum);
        if self.family == Family::Classic {
            return Scale { range: 10.0, noise, quantum };
        }
        let mut probe = self.clone();
        let times = (0..SURVEY_STEPS).scan(start_ms, |at, _| {
            *at += SURVEY_STEP_MS;
            Some(*at)
        });
        let values: Vec<f64> = times.map(|at| probe.celsius_at(at)).collect();
        Scale { noise, quantum, ..Scale::of(&values) }
    }
}

impl Parts {
    fn advance(&mut self, time_s: f64, elapsed_s: f64, draws: &mut Draws) -> f64 {
        let mut celsius = self.mean;
        if let Some(daily) = &mut self.daily {
            celsius += daily.at(time_s, draws);
        }
        if let Some(plant) = &mut self.plant {
            celsius += plant.advance(elapsed_s, draws);
        }
        if let Some(defrost) = &mut self.defrost {
            celsius += defrost.advance(elapsed_s);
        }
        if let Some(plateau) = &mut self.plateau {
            celsius += plateau.advance(time_s, elapsed_s, draws);
        }
        for wander in &mut self.wanders {
            celsius += wander.advance(elapsed_s, draws);
        }
        celsius + self.noise_celsius * draws.normal().clamp(-NOISE_LIMIT, NOISE_LIMIT)
    }
}

/// Rounds to the sensor's resolution, and to a thousandth of a degree in any case.
pub(crate) fn round_to(celsius: f64, quantum: f64) -> f64 {
    let stepped = if quantum > 0.0 { (celsius / quantum).round() * quantum } else { celsius };
    let resolution = if quantum > 0.0 { 10_000.0 } else { 1000.0 };
    (stepped * resolution).round() / resolution
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DAY_MS, HOUR_MS};

    const START: i64 = 1_767_225_600_000;

    #[test]
    fn sensors_round_to_their_resolution() {
        assert_eq!(round_to(19.37, 0.0625), 19.375);
        assert_eq!(round_to(19.3749, 0.1), 19.4);
        assert_eq!(round_to(-18.26, 0.5), -18.5);
        assert_eq!(round_to(25.123_456, 0.0), 25.123);
    }

    #[test]
    fn asking_for_the_scale_does_not_move_the_device() {
        let mut asked = Device::new(Family::Freezer, 5);
        let mut left_alone = asked.clone();
        let scale = asked.scale(START);
        assert!(scale.range > 0.5 && scale.range < 15.0, "{scale:?}");
        assert_eq!(asked.celsius_at(START), left_alone.celsius_at(START));
    }

    #[test]
    fn a_change_of_step_makes_no_jump() {
        for family in Family::ALL {
            let mut device = Device::new(family, 9);
            let scale = device.scale(START);
            let mut last = device.celsius_at(START);
            for step in 1..=1440 {
                last = device.celsius_at(START + step * crate::MINUTE_MS);
            }
            let next = device.celsius_at(START + DAY_MS + 5000);
            let allowed = 0.5 * scale.range + 8.0 * scale.noise + scale.quantum;
            assert!((next - last).abs() <= allowed, "{family}: {last} to {next}");
            assert!(device.celsius_at(START + DAY_MS + 30 * HOUR_MS).is_finite());
        }
    }
}
