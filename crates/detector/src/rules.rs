//! Faults that need no network: codes of broken sensors, one value all the time, no readings.
//!
//! Readings enter, scores leave; the device's own longest run and longest gap are the measure.

use crate::codec::{Source, StateError, put_f64, put_unsigned};
use crate::normalize::GREATEST_MEAN;

/// Temperatures that a device of usual temperatures does not say, in degrees Celsius.
const CREDIBLE: std::ops::RangeInclusive<f64> = -100.0..=150.0;
/// What sensors say when they are not connected, have just been switched on, or are read wrongly, in degrees Celsius.
const CODES: [f64; 3] = [-127.0, 85.0, 0.0];
/// Usual changes from one reading to the next by which a code must leave the reading before it.
const CODE_CHANGES: f64 = 8.0;
/// The same in degrees Celsius: devices pass through 0 and 85 degrees.
const CODE_CELSIUS: f64 = 1.0;
/// Readings over which the usual change is learned.
const CHANGE_READINGS: f64 = 4096.0;
/// Readings before the rules of stuck and silent devices count.
const LEARNING_READINGS: u32 = 64;
/// How much longer than its longest run of one value a device's run must be.
const RUN_FACTOR: f64 = 2.0;
/// The least run that is too long, in repeats.
const LEAST_RUN: f64 = 11.0;
/// How much a run may lengthen the longest run at once: a stuck hour must not become usual by its length.
const RUN_GROWTH: f64 = 8.0;
/// Share of the longest run and the longest gap that lasts from one reading to the next.
const FADING: f64 = 0.9999;
/// Usual intervals between readings after which a device is silent.
const SILENT_INTERVALS: f64 = 6.0;
/// How much longer than its longest gap a device's silence must be.
const GAP_FACTOR: f64 = 1.5;
/// Intervals from which a pause is a gap that is remembered.
const GAP_INTERVALS: f64 = 3.0;
/// How much a gap may exceed the longest one when it is remembered.
const GAP_GROWTH: f64 = 4.0;
/// Share by which one interval may change the usual one.
const INTERVAL_SHARE: f64 = 0.1;
/// The score of a code and of silence: no matter of degree.
const CERTAIN: f64 = 2.0;

/// What a device's readings are like apart from their temperatures.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rules {
    /// Readings seen.
    n_readings: u32,
    newest_ms: i64,
    /// The newest credible temperature.
    newest: Option<f64>,
    /// Usual change from one reading to the next.
    change: f64,
    /// Repeats of the newest temperature, and the most there usually are.
    run: u32,
    longest_run: f64,
    /// Usual milliseconds between readings, and the most there usually are.
    interval_ms: f64,
    longest_gap_ms: f64,
}

impl Rules {
    /// Notes the time of a reading that is newer than all before it.
    ///
    /// Returns when the device became silent, if it was.
    pub(crate) fn arrive(&mut self, timestamp_ms: i64) -> Option<i64> {
        let is_first = self.n_readings == 0;
        // Never negative, but where a state was made up.
        let passed_ms = timestamp_ms.saturating_sub(self.newest_ms).max(0);
        let before_ms = std::mem::replace(&mut self.newest_ms, timestamp_ms);
        self.n_readings = self.n_readings.saturating_add(1);
        if is_first {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a pause of more than 285 thousand years is rounded")]
        let passed = passed_ms as f64;
        let allowance = (SILENT_INTERVALS * self.interval_ms).max(GAP_FACTOR * self.longest_gap_ms);
        let is_silent = self.n_readings > LEARNING_READINGS && passed > allowance;
        self.learn_interval(passed);
        #[expect(clippy::cast_possible_truncation, reason = "less than the time that has passed")]
        let silent_ms = before_ms.saturating_add(allowance as i64);
        is_silent.then_some(silent_ms)
    }

    fn learn_interval(&mut self, passed: f64) {
        if self.interval_ms == 0.0 {
            self.interval_ms = passed;
        }
        let most = INTERVAL_SHARE * self.interval_ms;
        self.interval_ms += (passed - self.interval_ms).clamp(-most, most);
        let gap = GAP_INTERVALS * self.interval_ms;
        if passed > gap {
            let at_most = GAP_GROWTH * self.longest_gap_ms.max(gap);
            self.longest_gap_ms = self.longest_gap_ms.max(passed.min(at_most));
        }
        self.longest_gap_ms *= FADING;
    }

    /// Tells whether a temperature can be one of this device, whose mean is `mean` if anything is known of it.
    pub(crate) fn is_credible(&self, celsius: f64, mean: Option<f64>) -> bool {
        let Some(mean) = mean else {
            return !CODES.contains(&celsius) || celsius == 0.0;
        };
        // A device that is usually out there, a kiln, says so from its first reading on.
        if !CREDIBLE.contains(&celsius) && CREDIBLE.contains(&mean) {
            return false;
        }
        let jump = self.jump(celsius);
        !(CODES.contains(&celsius) && jump > (CODE_CHANGES * self.change).max(CODE_CELSIUS))
    }

    /// Takes in a credible temperature, and returns the score of its run of equal ones.
    pub(crate) fn repeat(&mut self, celsius: f64) -> f64 {
        let jump = self.jump(celsius);
        self.change += (jump - self.change) / f64::from(self.n_readings.max(1)).min(CHANGE_READINGS);
        if self.newest == Some(celsius) {
            self.run = self.run.saturating_add(1);
        } else {
            let run = f64::from(self.run).min(RUN_FACTOR * self.longest_run + RUN_GROWTH);
            self.longest_run = self.longest_run.max(run) * FADING;
            self.run = 0;
        }
        self.newest = Some(celsius);
        let allowance = (RUN_FACTOR * self.longest_run).max(LEAST_RUN);
        if self.n_readings > LEARNING_READINGS { f64::from(self.run) / allowance } else { 0.0 }
    }

    /// The score of a code and of silence.
    pub(crate) fn certain() -> f64 {
        CERTAIN
    }

    /// Usual milliseconds between readings.
    pub(crate) fn interval_ms(&self) -> f64 {
        self.interval_ms
    }

    /// How far a temperature is from the credible one before it.
    pub(crate) fn jump(&self, celsius: f64) -> f64 {
        self.newest.map_or(0.0, |newest| (celsius - newest).abs())
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_unsigned(out, self.n_readings.into());
        put_unsigned(out, self.run.into());
        put_unsigned(out, self.newest_ms.cast_unsigned());
        // A temperature is always finite: what is not is none.
        put_f64(out, self.newest.unwrap_or(f64::NAN));
        for number in [self.change, self.longest_run, self.interval_ms, self.longest_gap_ms] {
            put_f64(out, number);
        }
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        Ok(Self {
            n_readings: source.small("count of readings")?,
            run: source.small("run")?,
            newest_ms: source.unsigned()?.cast_signed(),
            newest: Some(source.f64()?).filter(|newest| newest.abs() <= GREATEST_MEAN),
            change: source.amount("usual change")?,
            longest_run: source.amount("longest run")?,
            interval_ms: source.amount("interval")?,
            longest_gap_ms: source.amount("longest gap")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn feed(rules: &mut Rules, n: i64, celsius: f64) -> (Option<i64>, f64) {
        (rules.arrive(n * MINUTE_MS), rules.repeat(celsius))
    }

    fn usual() -> Rules {
        let mut rules = Rules::default();
        for n in 0..200 {
            let celsius = 20.0 + f64::from(i32::try_from(n % 3).unwrap());
            assert_eq!(feed(&mut rules, n, celsius), (None, 0.0));
        }
        rules
    }

    #[test]
    fn a_value_that_stays_is_stuck() {
        let mut rules = usual();
        let scores: Vec<f64> = (200..220).map(|n| feed(&mut rules, n, 25.0).1).collect();
        assert_eq!(scores.iter().filter(|score| **score > 1.0).count(), 8);
        assert!(scores[..12].iter().all(|score| *score <= 1.0));
    }

    #[test]
    fn a_pause_is_silence_and_a_usual_one_is_not() {
        let mut rules = usual();
        assert_eq!(feed(&mut rules, 203, 20.0).0, None);
        assert_eq!(feed(&mut rules, 260, 21.0).0.map(|ms| ms / MINUTE_MS), Some(209));
    }

    #[test]
    fn codes_are_told_from_temperatures_by_the_jump() {
        let rules = usual();
        for celsius in [-127.0, 85.0, 0.0, -9999.0, 7999.0] {
            assert!(!rules.is_credible(celsius, Some(21.0)), "{celsius}");
        }
        assert!(rules.is_credible(84.9, Some(21.0)) && rules.is_credible(1.0, Some(21.0)));
        let mut cold = Rules::default();
        feed(&mut cold, 0, 0.4);
        assert!(cold.is_credible(0.0, Some(0.4)));
        let mut kiln = Rules::default();
        assert!(kiln.is_credible(900.0, None));
        feed(&mut kiln, 0, 900.0);
        assert!(kiln.is_credible(950.0, Some(900.0)));
    }
}
