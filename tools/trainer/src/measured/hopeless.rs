//! What makes a series hopeless to train on: the reason, and what to do about it.
//!
//! A series and its readings enter, a sentence leaves when they are of no use.

use std::collections::BTreeMap;

use detector::Reading;

use crate::calibrate::quantile;
use crate::series::{Series, Unit};

/// Readings below which a series says nothing of its device.
const LEAST_READINGS: usize = 256;
/// Share of rows that may hold no number.
const MOST_SKIPPED: f64 = 0.1;
/// Share of numbers that no thermometer can say.
const MOST_IMPOSSIBLE: f64 = 0.01;
/// Share of times that may be no later than the one before: clocks are set back now and then.
const MOST_BACKWARD: f64 = 0.01;
/// Share of readings that one value may have.
const MOST_EQUAL: f64 = 0.99;
/// Temperatures of usual devices, in degrees Celsius: half of the readings must be among them.
const USUAL: std::ops::RangeInclusive<f64> = -100.0..=150.0;
/// Where temperatures of rooms and machines lie when they are in kelvin.
const KELVIN: std::ops::RangeInclusive<f64> = 200.0..=400.0;

/// Says why a series cannot be trained on; `None` when it can.
pub(super) fn reason(series: &Series, readings: &[(Reading, bool)], unit: Unit) -> Option<String> {
    let (n_rows, n_readings) = (series.rows.len(), readings.len());
    let n_numbers = series.rows.iter().filter(|row| row.value.is_finite()).count();
    if n_rows == 0 {
        return Some("it holds no rows but the header".to_owned());
    }
    if n_numbers == 0 {
        return Some(format!(
            "none of its {n_rows} values is a number: write the value in the second column"
        ));
    }
    if share(n_rows - n_numbers, n_rows) > MOST_SKIPPED {
        let n_skipped = n_rows - n_numbers;
        return Some(format!("{n_skipped} of its {n_rows} values are no finite numbers: remove those rows"));
    }
    if share(n_numbers - n_readings, n_numbers) > MOST_IMPOSSIBLE {
        let n_impossible = n_numbers - n_readings;
        return Some(format!(
            "{n_impossible} of its {n_numbers} values are no temperatures in {}: convert it from its unit",
            name_of(unit)
        ));
    }
    if n_readings < LEAST_READINGS {
        return Some(format!(
            "it is too short: {n_readings} readings, and {LEAST_READINGS} are needed: wait for more"
        ));
    }
    backward(readings).or_else(|| constant(readings)).or_else(|| unusual(readings, unit)).or_else(|| {
        let n_usual = readings.iter().filter(|(_, is_labelled)| !is_labelled).count();
        (n_usual < LEAST_READINGS).then(|| {
            format!("only {n_usual} of its readings are not labelled as anomalous, and {LEAST_READINGS} are needed")
        })
    })
}

fn backward(readings: &[(Reading, bool)]) -> Option<String> {
    let n_steps = readings.len().saturating_sub(1);
    let n_backward =
        readings.windows(2).filter(|pair| pair[1].0.timestamp_ms() <= pair[0].0.timestamp_ms()).count();
    (share(n_backward, n_steps) > MOST_BACKWARD).then(|| {
        format!(
            "{n_backward} of its {n_steps} times are no later than the one before: sort it by time, and give each \
             device a file of its own"
        )
    })
}

fn constant(readings: &[(Reading, bool)]) -> Option<String> {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for (reading, _) in readings {
        *counts.entry(reading.celsius().to_bits()).or_default() += 1;
    }
    let (bits, n_equal) = counts.into_iter().max_by_key(|(_, n)| *n)?;
    (share(n_equal, readings.len()) >= MOST_EQUAL).then(|| {
        let celsius = f64::from_bits(bits);
        format!(
            "it is constant: {n_equal} of {} readings are {celsius:.3} °C; leave out sensors that do not measure",
            readings.len()
        )
    })
}

fn unusual(readings: &[(Reading, bool)], unit: Unit) -> Option<String> {
    let celsius: Vec<f64> = readings.iter().map(|(reading, _)| reading.celsius()).collect();
    let median = quantile(&celsius, 0.5);
    if USUAL.contains(&median) {
        return None;
    }
    let hint = match unit {
        Unit::Celsius if KELVIN.contains(&median) => "it looks like kelvin: subtract 273.15",
        Unit::Celsius => "convert it from its unit, or say --unit fahrenheit",
        Unit::Fahrenheit | Unit::None => "convert it from its unit, or leave --unit fahrenheit out",
    };
    Some(format!("its median of {median:.1} °C is beyond -100 to 150 °C: {hint}"))
}

fn name_of(unit: Unit) -> &'static str {
    if unit == Unit::Fahrenheit { "degrees Fahrenheit" } else { "degrees Celsius" }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Row;

    fn reason_of(n_rows: i32, unit: Unit, row: impl Fn(i32) -> (i64, f64, bool)) -> Option<String> {
        let rows = (0..n_rows).map(|n| {
            let (minute, value, is_labelled) = row(n);
            Row { timestamp: String::new(), timestamp_ms: minute * 60_000, value, is_labelled }
        });
        let series = Series { rows: rows.collect() };
        let readings: Vec<_> =
            series.rows.iter().filter_map(|row| Some((unit.reading(row)?, row.is_labelled))).collect();
        reason(&series, &readings, unit)
    }

    fn wave(n: i32) -> f64 {
        20.0 + f64::from(n % 50) / 10.0
    }

    #[test]
    fn a_usual_series_is_of_use() {
        assert_eq!(reason_of(1000, Unit::Celsius, |n| (n.into(), wave(n), false)), None);
        assert_eq!(reason_of(1000, Unit::Fahrenheit, |n| (n.into(), 3.0 * wave(n), false)), None);
        let some_faults = |n| if n % 200 == 0 { f64::NAN } else { wave(n) };
        assert_eq!(reason_of(1000, Unit::Celsius, |n| (n.into(), some_faults(n), n > 900)), None);
        let clock_set_back = |n: i32| i64::from(if n < 500 { n } else { n - 60 });
        assert_eq!(reason_of(1000, Unit::Celsius, |n| (clock_set_back(n), wave(n), false)), None);
    }

    #[test]
    fn each_hopeless_series_is_told_why() {
        type Case<'a> = (i32, Unit, &'a dyn Fn(i32) -> (i64, f64, bool), &'a str);
        let cases: [Case<'_>; 12] = [
            (0, Unit::Celsius, &|n| (n.into(), 0.0, false), "no rows"),
            (500, Unit::Celsius, &|n| (n.into(), f64::NAN, false), "none of its 500 values is a number"),
            (200, Unit::Celsius, &|n| (n.into(), wave(n), false), "too short: 200 readings"),
            (
                500,
                Unit::Celsius,
                &|n| (n.into(), if n % 2 == 0 { f64::INFINITY } else { wave(n) }, false),
                "250 of its 500 values are no finite numbers",
            ),
            (
                500,
                Unit::Celsius,
                &|n| (n.into(), 20_000.0 + f64::from(n), false),
                "no temperatures in degrees C",
            ),
            (
                500,
                Unit::Fahrenheit,
                &|n| (n.into(), -500.0 - f64::from(n), false),
                "no temperatures in degrees F",
            ),
            (500, Unit::Celsius, &|n| (n.into(), 273.15 + wave(n), false), "looks like kelvin"),
            (500, Unit::Celsius, &|n| (n.into(), 1000.0 + wave(n), false), "say --unit fahrenheit"),
            (500, Unit::Celsius, &|_| (7, wave(3), false), "499 of its 499 times are no later"),
            (500, Unit::Celsius, &|n| (-i64::from(n), wave(n), false), "sort it by time"),
            (
                500,
                Unit::Celsius,
                &|n| (n.into(), if n == 7 { 22.0 } else { 21.5 }, false),
                "constant: 499 of 500",
            ),
            (
                500,
                Unit::Celsius,
                &|n| (n.into(), wave(n), n >= 100),
                "only 100 of its readings are not labelled",
            ),
        ];
        for (n_rows, unit, row, says) in cases {
            let reason = reason_of(n_rows, unit, row).unwrap_or_default();
            assert!(reason.contains(says), "{reason:?} does not say {says:?}");
        }
    }
}
