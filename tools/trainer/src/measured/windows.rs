//! Windows of a measured series, taken from the detector as the handler takes them.
//!
//! A series and the number of windows wanted enter, windows of usual and of labelled readings leave.

use detector::{Detector, Device, Policy, Prior, Scale, WINDOW_LENGTH};
use simulator::random::{Draws, member_seed};

use super::MeasuredSeries;

/// Stream of random numbers for the choice of windows.
const PURPOSE: u64 = 0x6d65_6173;
/// Stands in for a figure of the model card that windows do not depend on.
const NO_QUANTILE: f64 = 1.0;

/// One window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its values, in units of the scale.
    pub values: [f32; WINDOW_LENGTH],
    /// Turns values into degrees Celsius.
    pub scale: Scale,
    /// Time of its newest reading, in epoch milliseconds.
    pub newest_ms: i64,
}

/// Windows of one series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesWindows {
    /// Windows in which no reading is labelled.
    pub usual: Vec<Window>,
    /// Windows whose newest reading is labelled.
    pub labelled: Vec<Window>,
    /// The spread that the device has learned in the end, in degrees Celsius.
    pub spread: f64,
}

impl MeasuredSeries {
    /// Takes about `n_wanted` windows, or all if there are fewer, from all along the series.
    ///
    /// Readings that the handler leaves out of windows, such as codes of sensors and late ones, are left out here.
    #[must_use]
    pub fn windows(&self, seed: u64, prior_spread: f64, n_wanted: usize) -> SeriesWindows {
        let prior = Prior { spread: prior_spread, error_quantile: NO_QUANTILE };
        let detector = Detector { policy: Policy::Calibrated, prior };
        let mut draws = Draws::new(member_seed(seed, PURPOSE), self.readings.len() as u64);
        #[expect(clippy::cast_precision_loss, reason = "counts of readings")]
        let chance = n_wanted as f64 / self.readings.len().max(1) as f64;
        let mut device = Device::default();
        let mut found = SeriesWindows::default();
        let mut values = Vec::with_capacity(WINDOW_LENGTH);
        let mut n_since_label = WINDOW_LENGTH;
        for (reading, is_labelled) in self.readings.iter().zip(&self.labelled) {
            values.clear();
            let seen = detector.observe(&mut device, *reading, &mut values);
            n_since_label = if *is_labelled { 0 } else { n_since_label.saturating_add(1) };
            let is_chosen = draws.chance(chance);
            let (Some(scale), Ok(window)) = (seen.window_scale, <[f32; WINDOW_LENGTH]>::try_from(&*values))
            else {
                continue;
            };
            found.spread = scale.spread;
            let window = Window { values: window, scale, newest_ms: reading.timestamp_ms() };
            if *is_labelled {
                found.labelled.push(window);
            } else if is_chosen && n_since_label > WINDOW_LENGTH {
                found.usual.push(window);
            }
        }
        thin(&mut found.labelled, n_wanted);
        found
    }
}

/// Keeps at most about `n_wanted`, evenly spread.
fn thin(windows: &mut Vec<Window>, n_wanted: usize) {
    let step = windows.len().div_ceil(n_wanted.max(1)).max(1);
    let mut n = 0;
    windows.retain(|_| {
        n += 1;
        (n - 1) % step == 0
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use detector::Reading;

    fn series(n_readings: i64, is_labelled: impl Fn(i64) -> bool) -> MeasuredSeries {
        let celsius = |n: i64| 20.0 + f64::from(i32::try_from(n % 24).unwrap()) / 4.0;
        MeasuredSeries {
            name: "room".to_owned(),
            readings: (0..n_readings).map(|n| Reading::new(n * 60_000, celsius(n)).unwrap()).collect(),
            labelled: (0..n_readings).map(is_labelled).collect(),
            n_skipped: 0,
        }
    }

    #[test]
    fn a_short_series_gives_all_its_windows_and_a_long_one_some() {
        let windows = series(300, |_| false).windows(1, 1.0, 5000);
        assert_eq!(windows.usual.len(), 300 - WINDOW_LENGTH + 1);
        let windows = series(5000, |_| false).windows(1, 1.0, 500);
        assert!((400..600).contains(&windows.usual.len()), "{}", windows.usual.len());
        assert!(windows.spread > 1.0 && windows.spread < 3.0, "{}", windows.spread);
    }

    #[test]
    fn what_is_labelled_is_in_no_usual_window() {
        let windows = series(400, |n| (200..210).contains(&n)).windows(1, 1.0, 5000);
        let times = |windows: &[Window]| -> Vec<i64> {
            windows.iter().map(|window| window.newest_ms / 60_000).collect()
        };
        assert_eq!(times(&windows.labelled), (200..210).collect::<Vec<i64>>());
        assert!(times(&windows.usual).iter().all(|n| !(200..242).contains(n)), "{:?}", times(&windows.usual));
    }

    #[test]
    fn codes_of_sensors_are_in_no_window() {
        let mut series = series(400, |_| false);
        series.readings[300] = Reading::new(300 * 60_000, -127.0).unwrap();
        let windows = series.windows(1, 1.0, 5000);
        assert!(windows.usual.iter().all(|window| window.values.iter().all(|value| value.abs() < 4.0)));
    }
}
