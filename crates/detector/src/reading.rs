//! A temperature at a time: the only thing that enters the detector.

use thiserror::Error;

/// The coldest temperature accepted, in degrees Celsius: absolute zero.
const COLDEST: f64 = -273.15;
/// What loggers write for none, in degrees Celsius: readings that say that the sensor is broken.
const LOGGER_CODES: [f64; 2] = [-999.0, -9999.0];
/// The hottest temperature accepted, in degrees Celsius: above every contact sensor there is.
const HOTTEST: f64 = 10_000.0;
/// The greatest number accepted of series that are no temperatures.
const GREATEST: f64 = 1e12;

/// A valid temperature of a device at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    timestamp_ms: i64,
    celsius: f64,
}

/// Why a temperature is none.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum InvalidReading {
    /// Not a number, or infinite.
    #[error("temperature is not a finite number")]
    NotFinite,
    /// Colder than absolute zero or hotter than any sensor can say.
    #[error("temperature {0} is outside -273.15 to 10000 degrees Celsius")]
    OutOfRange(f64),
}

impl Reading {
    /// Accepts a temperature in degrees Celsius at a time in epoch milliseconds.
    ///
    /// # Errors
    ///
    /// [`InvalidReading`] when no thermometer can have said so; codes of broken sensors such as -127, 85 or -9999 are readings.
    pub fn new(timestamp_ms: i64, celsius: f64) -> Result<Self, InvalidReading> {
        if !celsius.is_finite() {
            return Err(InvalidReading::NotFinite);
        }
        if !(COLDEST..=HOTTEST).contains(&celsius) && !LOGGER_CODES.contains(&celsius) {
            return Err(InvalidReading::OutOfRange(celsius));
        }
        // Storage may not keep the sign of a zero.
        Ok(Self { timestamp_ms, celsius: celsius + 0.0 })
    }

    /// Accepts a number of any unit, at a time in epoch milliseconds: for series that are no temperatures.
    ///
    /// # Errors
    ///
    /// [`InvalidReading`] when it is none.
    pub fn unitless(timestamp_ms: i64, value: f64) -> Result<Self, InvalidReading> {
        if !value.is_finite() {
            return Err(InvalidReading::NotFinite);
        }
        if value.abs() > GREATEST {
            return Err(InvalidReading::OutOfRange(value));
        }
        Ok(Self { timestamp_ms, celsius: value + 0.0 })
    }

    /// When it was measured, in epoch milliseconds.
    #[must_use]
    pub fn timestamp_ms(&self) -> i64 {
        self.timestamp_ms
    }

    /// The temperature in degrees Celsius, exactly as the device said it.
    #[must_use]
    pub fn celsius(&self) -> f64 {
        self.celsius
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_a_thermometer_can_say() {
        for celsius in [-9999.0, -273.15, -127.0, 0.0, 85.0, 10_000.0] {
            assert_eq!(Reading::new(1, celsius).map(|r| r.celsius()), Ok(celsius));
        }
    }

    #[test]
    fn refuses_the_rest() {
        for celsius in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Reading::new(1, celsius), Err(InvalidReading::NotFinite));
        }
        for celsius in [-273.16, -9998.0, 10_000.1, f64::MAX] {
            assert_eq!(Reading::new(1, celsius), Err(InvalidReading::OutOfRange(celsius)));
        }
    }
}
