//! Slow random wander: what weather, drafts and people do that no cycle explains.

use crate::random::Draws;

/// A mean-reverting random walk (an autoregressive process of order one).
#[derive(Debug, Clone)]
pub(crate) struct Wander {
    spread_celsius: f64,
    tau_s: f64,
    value: f64,
}

impl Wander {
    /// Starts somewhere in its own long-run distribution, so that a series does not open with a transient.
    pub(crate) fn new(spread_celsius: f64, tau_s: f64, draws: &mut Draws) -> Self {
        Self { spread_celsius, tau_s, value: spread_celsius * draws.normal() }
    }

    /// Advances by `elapsed_s` seconds and gives the offset in degrees.
    pub(crate) fn advance(&mut self, elapsed_s: f64, draws: &mut Draws) -> f64 {
        let keep = libm::exp(-elapsed_s / self.tau_s);
        self.value = keep * self.value + self.spread_celsius * libm::sqrt(1.0 - keep * keep) * draws.normal();
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_run_spread_does_not_depend_on_the_step() {
        for step_s in [5.0, 60.0, 3600.0] {
            let mut draws = Draws::new(11, 0);
            let mut wander = Wander::new(2.0, 600.0, &mut draws);
            let n = 50_000;
            let power: f64 = (0..n).map(|_| wander.advance(step_s, &mut draws)).map(|v| v * v).sum();
            let spread = libm::sqrt(power / f64::from(n));
            assert!((1.4..2.6).contains(&spread), "step {step_s}: {spread}");
        }
    }
}
