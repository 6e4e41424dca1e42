//! What the greatest value within a stretch of readings usually is, and how far above that a value lies.
//!
//! Alarms come from extremes, and values of neighboring readings are nearly the same; so neither their mean nor
//! their quantiles say how rare an extreme is. The greatest values of whole stretches do: their mean and spread are
//! learned by the device itself, and the boundary lies a few spreads above.

use crate::codec::{Source, StateError, put_f32, put_unsigned};

/// Stretches that are remembered: each newer one counts for a share of one in so many.
const MEMORY_STRETCHES: u16 = 128;
/// Stretches until a device's own peaks are known well enough to judge by.
const LEARNING_STRETCHES: u16 = 4;
/// Stretches for which the spread that is assumed of unknown devices counts.
const PRIOR_STRETCHES: f64 = 8.0;
/// Spreads are never less than this share of the values' own size: below it lies the precision of what is kept.
const LEAST_SHARE: f64 = 1e-6;

/// Counts readings off in stretches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stretches {
    /// Stretches completed, up to the memory.
    n_done: u16,
    /// Readings in the current one.
    n_readings: u16,
}

impl Stretches {
    /// Counts a reading, and tells whether it was the last of its stretch; [`Stretches::close`] must follow then.
    pub(crate) fn count(&mut self, length: u16) -> bool {
        self.n_readings += 1;
        self.n_readings >= length
    }

    /// Begins the next stretch.
    pub(crate) fn close(&mut self) {
        self.n_readings = 0;
        self.n_done = (self.n_done + 1).min(MEMORY_STRETCHES);
    }

    /// Tells whether too few are done to judge by.
    pub(crate) fn is_learning(self) -> bool {
        self.n_done < LEARNING_STRETCHES
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        put_unsigned(out, self.n_done.into());
        put_unsigned(out, self.n_readings.into());
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        let stretches =
            Self { n_done: source.small("stretches")?, n_readings: source.small("readings of a stretch")? };
        // One below the limit: the next reading is counted before anything is compared.
        if stretches.n_done > MEMORY_STRETCHES || stretches.n_readings == u16::MAX {
            return Err(StateError::Impossible("stretches"));
        }
        Ok(stretches)
    }
}

/// How a kind of value is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judging {
    /// Spreads between the usual peak and the boundary.
    pub(crate) boundary: f64,
    /// Spread that is assumed of peaks until they are known.
    pub(crate) prior_spread: f64,
    /// The least spread.
    pub(crate) least_spread: f64,
}

/// The peaks of one kind of value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Peaks {
    mean: f32,
    variance: f32,
    /// The greatest value of the current stretch.
    current: f32,
}

impl Default for Peaks {
    fn default() -> Self {
        Self { mean: 0.0, variance: 0.0, current: f32::NEG_INFINITY }
    }
}

impl Peaks {
    /// How near a value is to the boundary: 0 is a usual peak, 1 the boundary; 0 while too little is known.
    pub(crate) fn score(&self, value: f64, stretches: Stretches, by: Judging) -> f64 {
        let above = value - f64::from(self.mean);
        // Most values are below the usual peak, and cost no root.
        if above <= 0.0 || stretches.is_learning() {
            return 0.0;
        }
        let n = f64::from(stretches.n_done);
        let spread = self.spread(stretches, by) * (1.0 + 1.0 / n).sqrt();
        let score = above / (by.boundary * spread);
        if score.is_finite() { score } else { 0.0 }
    }

    /// Takes in a value, and at the end of a stretch its peak: cut at the boundary, so that an anomaly does not
    /// become usual by its size.
    pub(crate) fn take(&mut self, value: f64, ends: bool, stretches: Stretches, by: Judging) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "peaks are kept as f32; too great becomes infinite"
        )]
        let value = value as f32;
        if value.is_finite() {
            self.current = self.current.max(value);
        }
        if !ends || !self.current.is_finite() {
            return;
        }
        let (mean, mut peak) = (f64::from(self.mean), f64::from(self.current));
        if !stretches.is_learning() {
            peak = peak.min(mean + by.boundary * self.spread(stretches, by));
        }
        let share = 1.0 / (f64::from(stretches.n_done) + 1.0).min(f64::from(MEMORY_STRETCHES));
        let deviation = peak - mean;
        let variance = (1.0 - share) * (f64::from(self.variance) + share * deviation * deviation);
        self.current = f32::NEG_INFINITY;
        #[expect(clippy::cast_possible_truncation, reason = "peaks are kept as f32")]
        let (mean, variance) = ((mean + share * deviation) as f32, variance as f32);
        if mean.is_finite() && variance.is_finite() {
            (self.mean, self.variance) = (mean, variance);
        }
    }

    fn spread(&self, stretches: Stretches, by: Judging) -> f64 {
        let n = f64::from(stretches.n_done);
        let prior = by.prior_spread * by.prior_spread;
        let variance = (n * f64::from(self.variance) + PRIOR_STRETCHES * prior) / (n + PRIOR_STRETCHES);
        variance
            .sqrt()
            .max(by.least_spread)
            .max(LEAST_SHARE * f64::from(self.mean).abs())
            .max(f64::MIN_POSITIVE)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.mean, self.variance, self.current] {
            put_f32(out, number);
        }
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        let peaks = Self { mean: source.f32()?, variance: source.f32()?, current: source.f32()? };
        let is_possible = peaks.mean.is_finite() && peaks.variance >= 0.0 && peaks.current < f32::INFINITY;
        if is_possible { Ok(peaks) } else { Err(StateError::Impossible("peaks")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BY: Judging = Judging { boundary: 4.0, prior_spread: 0.3, least_spread: 0.1 };

    fn learn(values: impl IntoIterator<Item = f64>) -> (Peaks, Stretches) {
        let (mut peaks, mut stretches) = (Peaks::default(), Stretches::default());
        for value in values {
            let ends = stretches.count(8);
            peaks.take(value, ends, stretches, BY);
            if ends {
                stretches.close();
            }
        }
        (peaks, stretches)
    }

    #[test]
    fn nothing_is_judged_before_enough_is_known() {
        let (peaks, stretches) = learn((0..31).map(f64::from));
        assert!(stretches.is_learning());
        assert_eq!(peaks.score(1e9, stretches, BY), 0.0);
    }

    #[test]
    fn a_usual_peak_scores_nothing_and_the_boundary_one() {
        let (peaks, stretches) = learn((0..8000).map(|n| f64::from(n % 8)));
        assert!(peaks.score(7.0, stretches, BY) < 0.05);
        let boundary = 7.0 + 4.0 * peaks.spread(stretches, BY);
        assert!((peaks.score(boundary, stretches, BY) - 1.0).abs() < 0.01);
    }

    #[test]
    fn one_extreme_does_not_mask_the_next() {
        let usual = (0..800).map(|n| f64::from(n % 8));
        let (before, stretches) = learn(usual.clone());
        let (after, later) = learn(usual.chain((0..8).map(|_| 1e6)));
        assert!(before.score(20.0, stretches, BY) > 1.0);
        assert!(after.score(20.0, later, BY) > 1.0);
    }

    proptest! {
        #[test]
        fn no_value_spoils_what_is_known(values in prop::collection::vec(prop::num::f64::ANY, 0..200)) {
            let (peaks, stretches) = learn(values);
            prop_assert!(peaks.mean.is_finite() && peaks.variance.is_finite());
            prop_assert!(peaks.score(1.0, stretches, BY).is_finite());
        }
    }
}
