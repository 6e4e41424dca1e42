//! Scales a device's temperatures with its own mean and spread, the model card's spread until those are learned.

use crate::codec::{Source, StateError, put_f64, put_unsigned};

/// Readings from which mean and spread are learned before they only adapt slowly.
const LEARNING_READINGS: u32 = 4096;
/// Share of a new reading in mean and spread once they are learned: a memory of about this many readings.
const ADAPTING_READINGS: f64 = 4096.0;
/// How many readings the spread of the model card counts for.
const PRIOR_READINGS: f64 = 16.0;
/// Spreads by which one reading may pull a learned mean: an anomaly must not become the new normal by its size.
const PULL_LIMIT: f64 = 3.0;
/// The least spread as a share of what is assumed of unknown devices: below it lie the steps and the noise of the
/// sensors themselves.
const LEAST_SHARE: f64 = 0.125;
/// Means beyond are of no thermometer.
pub(crate) const GREATEST_MEAN: f64 = 1e6;
/// The least spread of all: what is divided by it must stay finite.
const LEAST_SPREAD: f64 = 1e-9;

/// A device's mean and spread, learned from its readings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Normalizer {
    n_readings: u32,
    mean: f64,
    variance: f64,
}

impl Normalizer {
    /// Learns from one more temperature in degrees Celsius.
    pub fn observe(&mut self, celsius: f64, prior_spread: f64) {
        if self.n_readings == 0 {
            self.mean = celsius;
            self.n_readings = 1;
            return;
        }
        let learned = self.n_readings >= LEARNING_READINGS;
        let share = if learned { 1.0 / ADAPTING_READINGS } else { 1.0 / f64::from(self.n_readings + 1) };
        let mut deviation = celsius - self.mean;
        if learned {
            let limit = PULL_LIMIT * self.spread(prior_spread);
            deviation = deviation.clamp(-limit, limit);
        }
        self.mean += share * deviation;
        self.variance = (1.0 - share) * (self.variance + share * deviation * deviation);
        self.n_readings = self.n_readings.saturating_add(1);
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_unsigned(out, self.n_readings.into());
        put_f64(out, self.mean);
        put_f64(out, self.variance);
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        Ok(Self {
            n_readings: source.small("count of readings")?,
            mean: source.at_most(GREATEST_MEAN, "mean")?,
            variance: source.amount("variance")?,
        })
    }

    /// Tells whether there was no reading yet.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.n_readings == 0
    }

    /// The mean in degrees Celsius.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The spread (standard deviation) in degrees Celsius, never zero.
    #[must_use]
    pub fn spread(&self, prior_spread: f64) -> f64 {
        let n = f64::from(self.n_readings.min(LEARNING_READINGS));
        let variance =
            (n * self.variance + PRIOR_READINGS * prior_spread * prior_spread) / (n + PRIOR_READINGS);
        variance.sqrt().max(LEAST_SHARE * prior_spread).max(LEAST_SPREAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_mean_and_spread() {
        let mut normalizer = Normalizer::default();
        for n in 0..1024 {
            normalizer.observe(if n % 2 == 0 { 18.0 } else { 22.0 }, 1.0);
        }
        assert!((normalizer.mean() - 20.0).abs() < 0.01);
        assert!((normalizer.spread(1.0) - 2.0).abs() < 0.1);
    }

    #[test]
    fn one_absurd_reading_hardly_moves_what_was_learned() {
        let mut normalizer = Normalizer::default();
        for n in 0..4200 {
            normalizer.observe(20.0 + f64::from(n % 3), 1.0);
        }
        let before = normalizer.clone();
        normalizer.observe(9_999.0, 1.0);
        assert!((normalizer.mean() - before.mean()).abs() < 0.01);
        assert!((normalizer.spread(1.0) - before.spread(1.0)).abs() < 0.01);
    }

    #[test]
    fn a_constant_device_keeps_a_usable_spread() {
        let mut normalizer = Normalizer::default();
        for _ in 0..1000 {
            normalizer.observe(-18.0, 1.0);
        }
        assert!(normalizer.spread(1.0) >= LEAST_SHARE);
    }
}
