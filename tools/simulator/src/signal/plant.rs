//! The cycle of a plant that switches: a compressor, an air conditioner, a heater.

use super::HOUR_S;
use crate::random::Draws;

/// A thermostat's sawtooth: falls while the plant runs, rises while it rests.
#[derive(Debug, Clone)]
pub(crate) struct Plant {
    pub(crate) amplitude: f64,
    pub(crate) period_s: f64,
    /// Share of the period in which the plant runs.
    pub(crate) duty: f64,
    /// How bent the flanks are; 0 is straight.
    pub(crate) bend: f64,
    /// Position in the cycle, 0 to 1.
    pub(crate) phase: f64,
    /// Relative unsteadiness of the period.
    pub(crate) jitter: f64,
}

impl Plant {
    /// A plant of the given swing and period; the rest is drawn.
    pub(crate) fn new(amplitude: f64, period_s: f64, draws: &mut Draws) -> Self {
        Self {
            amplitude,
            period_s,
            duty: draws.between(0.3, 0.6),
            bend: draws.between(0.1, 2.0),
            phase: draws.unit(),
            jitter: draws.between(0.01, 0.05),
        }
    }

    /// Advances by `elapsed_s` and gives the offset in degrees.
    pub(crate) fn advance(&mut self, elapsed_s: f64, draws: &mut Draws) -> f64 {
        let cycles = elapsed_s / self.period_s;
        // Unsteadiness grows with the root of the time passed, whatever the step.
        self.phase += cycles + self.jitter * libm::sqrt(cycles) * draws.normal();
        self.phase -= self.phase.floor();
        self.amplitude * self.shape()
    }

    fn shape(&self) -> f64 {
        if self.phase < self.duty {
            1.0 - 2.0 * self.bent(self.phase / self.duty)
        } else {
            -1.0 + 2.0 * self.bent((self.phase - self.duty) / (1.0 - self.duty))
        }
    }

    fn bent(&self, way: f64) -> f64 {
        (1.0 - libm::exp(-self.bend * way)) / (1.0 - libm::exp(-self.bend))
    }
}

/// A freezer's regular defrosting: a bump of some degrees every few hours.
#[derive(Debug, Clone)]
pub(crate) struct Defrost {
    height: f64,
    every_s: f64,
    lasts_s: f64,
    since_s: f64,
}

impl Defrost {
    /// Draws height, interval and length.
    pub(crate) fn new(draws: &mut Draws) -> Self {
        let every_s = draws.between(6.0, 12.0) * HOUR_S;
        Self {
            height: draws.between(1.0, 3.0),
            every_s,
            lasts_s: draws.between(1200.0, 2400.0),
            since_s: draws.between(0.0, every_s),
        }
    }

    /// Advances by `elapsed_s` and gives the offset in degrees.
    pub(crate) fn advance(&mut self, elapsed_s: f64) -> f64 {
        self.since_s = (self.since_s + elapsed_s) % self.every_s;
        let warmed = super::approach(self.since_s.min(self.lasts_s), self.lasts_s / 3.0);
        let cooled = libm::exp(-(self.since_s - self.lasts_s).max(0.0) / self.lasts_s);
        self.height * warmed * cooled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sawtooth_stays_within_its_amplitude_and_has_its_period() {
        let mut draws = Draws::new(2, 0);
        let mut plant = Plant::new(0.8, 1800.0, &mut draws);
        let values: Vec<f64> = (0..2880).map(|_| plant.advance(60.0, &mut draws)).collect();
        assert!(values.iter().all(|v| v.abs() <= 0.8 + 1e-9));
        let crossings = values.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        assert!((85..=107).contains(&crossings), "96 cycles expected, {crossings} seen");
    }

    #[test]
    fn a_defrost_rises_and_dies_away() {
        let mut draws = Draws::new(2, 1);
        let mut defrost = Defrost::new(&mut draws);
        let values: Vec<f64> = (0..1440).map(|_| defrost.advance(60.0)).collect();
        let top = values.iter().copied().fold(0.0, f64::max);
        assert!((0.9..3.0).contains(&top), "{top}");
        assert!(values.iter().any(|v| *v < 0.05 * top));
    }
}
