//! How often storage lacked something that must be in it: reads can be stale, and are repeated before anything is
//! given up.
//!
//! The count is this process's own: the host's counts attempts, whatever they failed for.

use super::ScoreError;

/// Attempts after which what lacks is taken for lost: about five minutes with the shipped retry policy.
const ATTEMPTS_FOR_LOSS: u32 = 10;

/// Attempts in a row that found something lacking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patience {
    hole: Option<(i64, i64)>,
    n_holes: u32,
}

impl Patience {
    /// Notes how an attempt ended; one that failed for another reason says nothing.
    pub fn note<T>(&mut self, end: &Result<T, ScoreError>) {
        match end {
            Ok(_) => *self = Self::default(),
            Err(ScoreError::Hole { first, last }) => {
                let hole = Some((*first, *last));
                self.n_holes = if self.hole == hole { self.n_holes + 1 } else { 1 };
                self.hole = hole;
            }
            Err(_) => {}
        }
    }

    /// What lacked so often that it is lost.
    #[must_use]
    pub fn lost(self) -> Option<(i64, i64)> {
        self.hole.filter(|_| self.n_holes >= ATTEMPTS_FOR_LOSS)
    }
}
