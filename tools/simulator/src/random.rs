//! Random draws that are the same on every platform.
//!
//! A seed and a purpose enter, numbers leave.
//! The mapping from ChaCha's words to numbers is written out here, because a distribution library may change its
//! own between releases and would change every series with it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seeded stream of random numbers.
#[derive(Debug, Clone)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// Starts the stream of `purpose` under `seed`.
    ///
    /// Streams of different purposes are independent, so that drawing more in one place moves nothing elsewhere.
    #[must_use]
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&purpose.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        // The 53 upper bits are exactly what a double can hold.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform between `low` and `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Either 1 or -1.
    pub fn sign(&mut self) -> f64 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Normally distributed, mean 0 and standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    /// Exponentially distributed with the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// One element of a list, each as likely; `fallback` when the list is empty.
    pub fn pick<T: Copy>(&mut self, list: &[T], fallback: T) -> T {
        let n = list.len() as u64;
        if n == 0 {
            return fallback;
        }
        // The bias of the remainder is far below anything a series could show.
        let index = usize::try_from(self.bits() % n).unwrap_or(0);
        list[index]
    }
}

/// Seed of member `index` of a fleet that was asked for with `seed`.
#[must_use]
pub fn member_seed(seed: u64, index: u64) -> u64 {
    Draws::new(seed, 0x6d65_6d62_6572 ^ (index << 1)).bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bits_for_ever() {
        assert_eq!(Draws::new(1, 2).bits(), Draws::new(1, 2).bits());
        assert_ne!(Draws::new(1, 2).bits(), Draws::new(1, 3).bits());
        assert_ne!(Draws::new(1, 2).bits(), Draws::new(2, 2).bits());
    }

    #[test]
    fn normal_draws_have_mean_zero_and_spread_one() {
        let mut draws = Draws::new(3, 0);
        let values: Vec<f64> = (0..20_000).map(|_| draws.normal()).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
    }

    #[test]
    fn picks_reach_every_element_and_only_those() {
        let mut draws = Draws::new(4, 0);
        let mut seen = [0; 3];
        for _ in 0..300 {
            seen[draws.pick(&[0_usize, 1, 2], 9)] += 1;
        }
        assert!(seen.iter().all(|n| *n > 50), "{seen:?}");
        assert_eq!(draws.pick(&[], 9), 9);
    }

    #[test]
    fn members_of_a_fleet_have_different_seeds() {
        let mut seeds: Vec<u64> = (0..1000).map(|index| member_seed(5, index)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 1000);
    }
}
