//! Seeded chance: a share and a seed enter, for each occasion leaves whether it is hit, and what further choices are made by.
//!
//! The choices depend on the seed and the number of occasions alone; which of several tasks meets which of them is up to the machine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How often something happens.
pub trait Odds: Copy {
    /// Share of the occasions, 0 to 1.
    fn share(&self) -> f64;
    /// Seed of the choice.
    fn seed(&self) -> u64;
}

/// Something that happens to a share of all occasions.
#[derive(Debug)]
pub struct Chance<T> {
    state: Mutex<Option<(T, StdRng)>>,
}

impl<T> Default for Chance<T> {
    fn default() -> Self {
        Self { state: Mutex::default() }
    }
}

impl<T: Odds> Chance<T> {
    /// Lets it happen from now on, or no more.
    pub fn set(&self, odds: Option<T>) {
        *self.lock() = odds.map(|odds| (odds, StdRng::seed_from_u64(odds.seed())));
    }

    /// What may happen at present.
    #[must_use]
    pub fn get(&self) -> Option<T> {
        self.lock().as_ref().map(|(odds, _)| *odds)
    }

    /// Whether it happens this time; `choose` makes of it what leaves.
    pub fn hit<R>(&self, choose: impl FnOnce(&T, &mut StdRng) -> R) -> Option<R> {
        let mut state = self.lock();
        let (odds, random) = state.as_mut()?;
        let hit = random.random_range(0.0..1.0) < odds.share();
        hit.then(|| choose(odds, random))
    }

    fn lock(&self) -> MutexGuard<'_, Option<(T, StdRng)>> {
        // The state is whole between any two statements: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Often(f64);

    impl Odds for Often {
        fn share(&self) -> f64 {
            self.0
        }
        fn seed(&self) -> u64 {
            7
        }
    }

    fn hits(chance: &Chance<Often>) -> Vec<bool> {
        (0..1000).map(|_| chance.hit(|_, _| ()).is_some()).collect()
    }

    #[test]
    fn a_seed_chooses_the_same_share_again() {
        let chance = Chance::default();
        assert!(chance.hit(|_, _| ()).is_none());
        chance.set(Some(Often(0.1)));
        let first = hits(&chance);
        let n_hits = first.iter().filter(|hit| **hit).count();
        assert!((60..140).contains(&n_hits), "{n_hits}");
        chance.set(Some(Often(0.1)));
        assert_eq!(hits(&chance), first);
        chance.set(Some(Often(1.0)));
        assert!(hits(&chance).iter().all(|hit| *hit));
    }
}
