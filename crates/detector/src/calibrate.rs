//! A device's own habit of reconstruction errors: what error is still usual for it.
//!
//! One global threshold cries wolf on lively devices and sleeps on quiet ones.
//! So a device is judged by the peaks of its own errors, and by the model card's figure until those are known.

use crate::channels::BY_POWERS;
use crate::codec::{Source, StateError};
use crate::peaks::{Peaks, Stretches};
use crate::score::log2;

/// Errors of a stretch.
const STRETCH: u16 = 128;
/// Added to errors before they are compared, in normalized units: below it lie rounding and the steps of sensors.
const LEAST_ERROR: f64 = 0.002;
/// Powers of two by which an unknown device may exceed the model card's usual error.
const PRIOR_POWERS: f64 = 2.0;

/// What a device's errors usually are, the model card's until its own are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    stretches: Stretches,
    peaks: Peaks,
}

impl Calibration {
    /// Tells whether the device is still judged by the model card's calibration.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.stretches.is_learning()
    }

    /// How near an error is to the boundary: 0 is a usual peak, 1 the boundary.
    #[must_use]
    pub fn score(&self, error: f64, prior_quantile: f64) -> f64 {
        let error = log2(error + LEAST_ERROR);
        if self.is_learning() {
            return ((error - log2(prior_quantile)) / PRIOR_POWERS).max(0.0);
        }
        self.peaks.score(error, self.stretches, BY_POWERS)
    }

    /// Remembers an error.
    pub fn absorb(&mut self, error: f64) {
        let ends = self.stretches.count(STRETCH);
        self.peaks.take(log2(error + LEAST_ERROR), ends, self.stretches, BY_POWERS);
        if ends {
            self.stretches.close();
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.stretches.encode(out);
        self.peaks.encode(out);
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        Ok(Self { stretches: Stretches::decode(source)?, peaks: Peaks::decode(source)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_device_is_judged_by_the_card_and_an_old_one_by_itself() {
        let mut calibration = Calibration::default();
        assert!(calibration.is_learning());
        assert!(calibration.score(0.3, 0.3) < 0.1);
        assert!(calibration.score(1.3, 0.3) > 1.0);
        for n in 0..1024 {
            calibration.absorb(if n % 10 == 0 { 0.05 } else { 0.02 });
        }
        assert!(!calibration.is_learning());
        assert!(calibration.score(0.05, 0.3) < 0.1);
        assert!(calibration.score(0.2, 0.3) > 1.0);
    }

    #[test]
    fn one_anomaly_does_not_mask_the_next() {
        let mut calibration = Calibration::default();
        for _ in 0..1024 {
            calibration.absorb(0.1);
        }
        let before = calibration.score(1.0, 0.3);
        for _ in 0..3 {
            calibration.absorb(1e6);
        }
        assert!(calibration.score(1.0, 0.3) > 0.7 * before);
    }
}
