//! The daily cycle, no two days alike.

use super::DAY_S;
use crate::random::Draws;
use core::f64::consts::TAU;

/// A day's swing: a fundamental and a second harmonic, with a gain that differs from day to day.
#[derive(Debug, Clone)]
pub(crate) struct Daily {
    amplitude: f64,
    phase: f64,
    harmonic: f64,
    harmonic_phase: f64,
    gain_spread: f64,
    day: f64,
    gains: [f64; 2],
}

impl Daily {
    /// A cycle of `amplitude` degrees whose days differ by about `gain_spread` (0 for none, 0.25 for weather).
    pub(crate) fn new(amplitude: f64, gain_spread: f64, draws: &mut Draws) -> Self {
        Self {
            amplitude,
            phase: draws.between(0.0, TAU),
            harmonic: draws.between(0.0, 0.4),
            harmonic_phase: draws.between(0.0, TAU),
            gain_spread,
            day: f64::NEG_INFINITY,
            gains: [1.0; 2],
        }
    }

    /// Offset in degrees at `time_s` (seconds of the Unix epoch).
    pub(crate) fn at(&mut self, time_s: f64, draws: &mut Draws) -> f64 {
        let days = time_s / DAY_S;
        self.turn_to(days.floor(), draws);
        let into = days - days.floor();
        // Gains meet at midnight: a jump there would look like a fault.
        let gain = self.gains[0] * (1.0 - into) + self.gains[1] * into;
        let swing = libm::sin(TAU * into + self.phase)
            + self.harmonic * libm::sin(2.0 * TAU * into + self.harmonic_phase);
        self.amplitude * gain * swing
    }

    fn turn_to(&mut self, day: f64, draws: &mut Draws) {
        if day == self.day {
            return;
        }
        let next = self.draw_gain(draws);
        self.gains =
            if day == self.day + 1.0 { [self.gains[1], next] } else { [self.draw_gain(draws), next] };
        self.day = day;
    }

    fn draw_gain(&self, draws: &mut Draws) -> f64 {
        if self.gain_spread > 0.0 { libm::exp(self.gain_spread * draws.normal()) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_differ_and_midnight_does_not_jump() {
        let mut draws = Draws::new(1, 0);
        let mut daily = Daily::new(5.0, 0.25, &mut draws);
        let values: Vec<f64> = (0..1440 * 4).map(|m| daily.at(f64::from(m) * 60.0, &mut draws)).collect();
        let largest = values.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        assert!(largest < 0.2, "jump of {largest}");
        let peak = |day: usize| values[day * 1440..(day + 1) * 1440].iter().copied().fold(f64::MIN, f64::max);
        assert!((peak(0) - peak(2)).abs() > 0.01);
    }
}
