//! A device's own habit of reconstruction errors: what error is still usual for it.
//!
//! One global threshold cries wolf on lively devices and sleeps on quiet ones.
//! The score is therefore the error divided by the 99 % quantile of the device's own recent errors, times a margin.

use crate::codec::{Source, StateError, put_unsigned};

/// The smallest power of two that has buckets of its own; smaller errors count there.
const LOWEST_EXPONENT: i64 = -16;
/// Buckets: 24 powers of two, four each, so errors from 0.000015 to 256 in steps of a fifth.
const N_BUCKETS: usize = 24 * 4;
/// Errors after which all counts are halved, so that the memory is of about this many readings.
const MEMORY_ERRORS: u32 = 8000;
/// The share of errors above the quantile.
const TAIL: f64 = 0.01;
/// Own errors until the device's calibration replaces the model card's.
const LEARNING_ERRORS: u32 = 1024;
/// Quantiles at which an error is cut before it is remembered: little more than the next bucket, so that a bad day
/// lifts what is usual by a step and not by its size.
const REMEMBERED_LIMIT: f64 = 1.2;
/// How far above its usual errors a device may go: the boundary for about one false alarm per device and week.
const MARGIN: f64 = 1.5;
/// The least usual error, in normalized units: below it lie rounding and the steps of sensors.
const LEAST_LIMIT: f64 = 0.005;

/// Counts of errors in buckets of about 20 % width.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorHistogram {
    counts: [u16; N_BUCKETS],
    total: u32,
}

impl Default for ErrorHistogram {
    fn default() -> Self {
        Self { counts: [0; N_BUCKETS], total: 0 }
    }
}

impl ErrorHistogram {
    /// Counts one error.
    pub fn add(&mut self, error: f64) {
        if self.total >= MEMORY_ERRORS {
            self.halve();
        }
        let count = &mut self.counts[bucket_of(error)];
        *count = count.saturating_add(1);
        self.total += 1;
    }

    /// The error that a hundredth of those counted exceed, interpolated within its bucket; `None` without any.
    #[must_use]
    pub fn quantile(&self) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let tail = f64::from(self.total) * TAIL;
        let mut above = 0.0;
        for (bucket, count) in self.counts.iter().enumerate().rev() {
            let count = f64::from(*count);
            if count > 0.0 && above + count >= tail {
                let from_top = ((tail - above) / count).clamp(0.0, 1.0);
                let (low, high) = (lower_edge(bucket), lower_edge(bucket + 1));
                return Some(high - from_top * (high - low));
            }
            above += count;
        }
        None
    }

    /// The counts that are not zero, each with the distance from the one before it.
    fn encode(&self, out: &mut Vec<u8>) {
        put_unsigned(out, self.counts.iter().filter(|count| **count > 0).count() as u64);
        let mut from = 0;
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            put_unsigned(out, (bucket - from) as u64);
            put_unsigned(out, (*count).into());
            from = bucket;
        }
    }

    fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        let impossible = StateError::Impossible("calibration");
        let mut histogram = Self::default();
        let mut bucket = 0_usize;
        let n_counts: usize = source.small("calibration")?;
        if n_counts > N_BUCKETS {
            return Err(impossible);
        }
        for _ in 0..n_counts {
            bucket = bucket.checked_add(source.small("calibration")?).ok_or(impossible)?;
            let count: u16 = source.small("calibration")?;
            *histogram.counts.get_mut(bucket).ok_or(impossible)? = count;
        }
        histogram.total = histogram.counts.iter().map(|count| u32::from(*count)).sum();
        Ok(histogram)
    }

    fn halve(&mut self) {
        self.total = 0;
        for count in &mut self.counts {
            *count /= 2;
            self.total += u32::from(*count);
        }
    }
}

/// The bucket of an error: its exponent and the top two bits of its mantissa, read off the number's bits.
fn bucket_of(error: f64) -> usize {
    let steps = (error.max(0.0).to_bits() >> 50).cast_signed() - ((1023 + LOWEST_EXPONENT) << 2);
    usize::try_from(steps).unwrap_or(0).min(N_BUCKETS - 1)
}

/// The smallest error of a bucket.
fn lower_edge(bucket: usize) -> f64 {
    let bucket = u64::try_from(bucket).unwrap_or(0);
    f64::from_bits((((1023 + LOWEST_EXPONENT) << 2).cast_unsigned() + bucket) << 50)
}

/// What a device's errors usually are, the model card's until its own are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    errors: ErrorHistogram,
    n_errors: u32,
}

impl Calibration {
    /// Tells whether the device is still judged partly by the model card's calibration.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.n_errors < LEARNING_ERRORS
    }

    /// The error that is still usual for this device, in normalized units.
    #[must_use]
    pub fn limit(&self, prior_quantile: f64) -> f64 {
        let own = self.errors.quantile().unwrap_or(prior_quantile);
        let share = f64::from(self.n_errors.min(LEARNING_ERRORS)) / f64::from(LEARNING_ERRORS);
        (share * own + (1.0 - share) * prior_quantile).max(LEAST_LIMIT)
    }

    /// The score of an error: dimensionless, above 1 is an anomaly.
    #[must_use]
    pub fn score(&self, error: f64, prior_quantile: f64) -> f64 {
        error / (MARGIN * self.limit(prior_quantile))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_unsigned(out, self.n_errors.into());
        self.errors.encode(out);
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        Ok(Self { n_errors: source.small("count of errors")?, errors: ErrorHistogram::decode(source)? })
    }

    /// Remembers an error, cut so that an anomaly does not become usual by its size.
    pub fn absorb(&mut self, error: f64, prior_quantile: f64) {
        self.errors.add(error.min(REMEMBERED_LIMIT * self.limit(prior_quantile)));
        self.n_errors = self.n_errors.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_quantile_is_that_of_the_errors_within_a_bucket() {
        let mut histogram = ErrorHistogram::default();
        for n in 1..=1000 {
            histogram.add(f64::from(n) / 1000.0);
        }
        let quantile = histogram.quantile().unwrap();
        assert!((0.95..=1.0).contains(&quantile), "{quantile}");
    }

    #[test]
    fn old_errors_fade() {
        let mut histogram = ErrorHistogram::default();
        for _ in 0..8000 {
            histogram.add(10.0);
        }
        for _ in 0..80_000 {
            histogram.add(0.1);
        }
        assert!(histogram.quantile().unwrap() < 0.2);
    }

    #[test]
    fn a_new_device_is_judged_by_the_card_and_an_old_one_by_itself() {
        let mut calibration = Calibration::default();
        assert_eq!(calibration.limit(0.3), 0.3);
        assert!(calibration.is_learning());
        for _ in 0..1024 {
            calibration.absorb(0.05, 0.3);
        }
        assert!(!calibration.is_learning());
        assert!(calibration.limit(0.3) < 0.07);
    }

    #[test]
    fn one_anomaly_does_not_mask_the_next() {
        let mut calibration = Calibration::default();
        for _ in 0..400 {
            calibration.absorb(0.1, 0.3);
        }
        let before = calibration.limit(0.3);
        for _ in 0..3 {
            calibration.absorb(1e6, 0.3);
        }
        assert!(calibration.limit(0.3) <= 1.3 * before);
    }

    proptest! {
        #[test]
        fn every_error_has_a_bucket(error in prop::num::f64::ANY) {
            prop_assert!(bucket_of(error) < N_BUCKETS);
        }

        #[test]
        fn a_bucket_holds_its_errors(error in 1e-4_f64..200.0) {
            let bucket = bucket_of(error);
            prop_assert!(lower_edge(bucket) <= error && error < lower_edge(bucket + 1));
        }
    }
}
