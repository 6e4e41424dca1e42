//! Levels that are held for a while and approached with a lag: a heated office, an engine under load.

use super::{DAY_S, HOUR_S, approach};
use crate::random::Draws;

/// What the level is set to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// `raised` degrees on weekdays between the two hours, 0 otherwise; hours are of the day in UTC.
    Weekdays {
        /// Degrees above the setback level.
        raised: f64,
        /// Hour at which the level is raised.
        from_hour: f64,
        /// Hour at which it is lowered.
        to_hour: f64,
    },
    /// One of some loads, held for a random time.
    Loads {
        /// Degrees above idle at each load.
        levels: [f64; 4],
        /// Mean time on a level.
        dwell_s: f64,
        /// Level now.
        level: f64,
        /// Time left on it.
        left_s: f64,
    },
}

/// A level with a first-order lag.
#[derive(Debug, Clone)]
pub(crate) struct Plateau {
    target: Target,
    tau_s: f64,
    value: Option<f64>,
}

impl Plateau {
    /// A plateau that follows `target` with time constant `tau_s`.
    pub(crate) fn new(target: Target, tau_s: f64) -> Self {
        Self { target, tau_s, value: None }
    }

    /// Advances by `elapsed_s` to `time_s` (seconds of the Unix epoch) and gives the offset in degrees.
    pub(crate) fn advance(&mut self, time_s: f64, elapsed_s: f64, draws: &mut Draws) -> f64 {
        let target = self.target.advance(time_s, elapsed_s, draws);
        let value = match self.value {
            Some(value) => value + (target - value) * approach(elapsed_s, self.tau_s),
            None => target,
        };
        self.value = Some(value);
        value
    }
}

impl Target {
    fn advance(&mut self, time_s: f64, elapsed_s: f64, draws: &mut Draws) -> f64 {
        match self {
            Self::Weekdays { raised, from_hour, to_hour } => {
                let hour = (time_s % DAY_S) / HOUR_S;
                let working = is_weekday(time_s) && (*from_hour..*to_hour).contains(&hour);
                if working { *raised } else { 0.0 }
            }
            Self::Loads { levels, dwell_s, level, left_s } => {
                *left_s -= elapsed_s;
                if *left_s <= 0.0 {
                    *level = draws.pick(levels, 0.0);
                    // A load is held long enough for its plateau to be seen.
                    *left_s = 0.3 * *dwell_s + draws.exponential(0.7 * *dwell_s);
                }
                *level
            }
        }
    }
}

/// The epoch began on a Thursday.
fn is_weekday(time_s: f64) -> bool {
    let day_of_week = ((time_s / DAY_S).floor() + 3.0).rem_euclid(7.0);
    day_of_week < 5.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_is_the_calendar_s() {
        // 2026-01-02 is a Friday.
        let friday = 1_767_312_000.0;
        assert!(is_weekday(friday));
        assert!(!is_weekday(friday + DAY_S));
        assert!(!is_weekday(friday + 2.0 * DAY_S));
        assert!(is_weekday(friday + 3.0 * DAY_S));
    }

    #[test]
    fn an_office_is_warm_on_weekdays_only() {
        let target = Target::Weekdays { raised: 4.0, from_hour: 7.0, to_hour: 18.0 };
        let mut plateau = Plateau::new(target, 3600.0);
        let mut draws = Draws::new(1, 0);
        let friday = 1_767_312_000.0;
        let mut noon = |day: f64| {
            let mut last = 0.0;
            for minute in 0..720 {
                last = plateau.advance(friday + day * DAY_S + f64::from(minute) * 60.0, 60.0, &mut draws);
            }
            last
        };
        assert!(noon(0.0) > 3.5);
        assert!(noon(1.0) < 0.5);
    }
}
