//! A device's usual day: a temperature for each hour, between which lines are drawn.

use crate::codec::{Source, StateError, put_f32};

/// Milliseconds in an hour.
const HOUR_MS: f64 = 3_600_000.0;
/// Hours of a day.
const HOURS: usize = 24;
/// Days that are remembered.
const MEMORY_DAYS: f64 = 7.0;

/// What is usual at each hour of the day, by the device's own clock.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Season {
    celsius: [f32; HOURS],
    /// Readings that each hour rests on.
    weights: [f32; HOURS],
}

/// A time of day between two hours.
struct Place {
    hours: [usize; 2],
    shares: [f64; 2],
}

impl Place {
    fn of(timestamp_ms: i64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
        let hour = timestamp_ms.rem_euclid(24 * 3_600_000) as f64 / HOUR_MS;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour of the day")]
        let first = (hour as usize).min(HOURS - 1);
        let share = hour - hour.floor();
        Self { hours: [first, (first + 1) % HOURS], shares: [1.0 - share, share] }
    }
}

impl Season {
    /// How far a temperature is from what is usual at its time of day; `None` where that is not known.
    pub(crate) fn deviation(&self, timestamp_ms: i64, celsius: f64) -> Option<f64> {
        let Place { hours: [one, other], shares } = Place::of(timestamp_ms);
        if self.weights[one] <= 0.0 || self.weights[other] <= 0.0 {
            return None;
        }
        let usual = f64::from(self.celsius[one]) * shares[0] + f64::from(self.celsius[other]) * shares[1];
        Some(celsius - usual)
    }

    /// Learns from a temperature of a device that usually sends one every so many milliseconds.
    #[expect(clippy::cast_possible_truncation, reason = "the profile is kept as f32")]
    pub(crate) fn learn(&mut self, timestamp_ms: i64, celsius: f64, interval_ms: f64) {
        let readings_an_hour = (HOUR_MS / interval_ms.max(1.0)).max(1.0);
        let Place { hours, shares } = Place::of(timestamp_ms);
        for (hour, share) in hours.into_iter().zip(shares) {
            if share <= 0.0 {
                continue;
            }
            let weight = f64::from(self.weights[hour]) + share;
            let usual = f64::from(self.celsius[hour]);
            let moved = (share / weight).max(share / (MEMORY_DAYS * readings_an_hour)).min(1.0);
            self.celsius[hour] = (usual + moved * (celsius - usual)) as f32;
            self.weights[hour] = weight.min(1e6) as f32;
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (celsius, weight) in self.celsius.iter().zip(&self.weights) {
            put_f32(out, *celsius);
            put_f32(out, *weight);
        }
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        let mut season = Self::default();
        for hour in 0..HOURS {
            (season.celsius[hour], season.weights[hour]) = (source.f32()?, source.f32()?);
            if season.celsius[hour].is_nan()
                || season.celsius[hour].abs() > 1e6
                || !(0.0..=1e6).contains(&season.weights[hour])
            {
                return Err(StateError::Impossible("usual day"));
            }
        }
        Ok(season)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_learned_hour_by_hour() {
        let mut season = Season::default();
        assert_eq!(season.deviation(0, 20.0), None);
        let usual = |ms: i64| if (ms / 3_600_000) % 24 < 12 { 15.0 } else { 25.0 };
        for minute in 0..3 * 1440 {
            let ms = minute * 60_000;
            season.learn(ms, usual(ms), 60_000.0);
        }
        let deviation = season.deviation(6 * 3_600_000, 20.0).unwrap();
        assert!((deviation - 5.0).abs() < 0.5, "{deviation}");
        assert!((season.deviation(18 * 3_600_000, 20.0).unwrap() + 5.0).abs() < 0.5);
    }

    #[test]
    fn times_before_1970_have_an_hour_too() {
        let mut season = Season::default();
        season.learn(-1, 20.0, 60_000.0);
        season.learn(0, 20.0, 60_000.0);
        assert!(season.deviation(-1, 20.0).is_some());
    }
}
