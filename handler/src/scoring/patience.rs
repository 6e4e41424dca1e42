//! How often storage lacked something that must be in it: reads can be stale, and are repeated before anything is
//! given up.
//!
//! The count is this process's own: the host's counts attempts, whatever they failed for.

use super::ScoreError;

/// Attempts after which what lacks is taken for lost: about five minutes with the shipped retry policy.
const ATTEMPTS_FOR_LOSS: u32 = 10;

/// Attempts in a row that found something lacking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patience {
    hole: Option<(i64, i64)>,
    n_holes: u32,
    /// What is lost for sure: a recovery that begins anew comes by it again.
    lost: Vec<(i64, i64)>,
}

impl Patience {
    /// Notes how an attempt ended; one that failed for another reason says nothing.
    pub fn note<T>(&mut self, end: &Result<T, ScoreError>) {
        match end {
            Ok(_) => *self = Self::default(),
            Err(ScoreError::Hole { first, last }) => {
                let hole = Some((*first, *last));
                if self.hole != hole {
                    self.lost.extend(self.hole.filter(|_| self.n_holes >= ATTEMPTS_FOR_LOSS));
                    (self.hole, self.n_holes) = (hole, 0);
                }
                self.n_holes += 1;
            }
            Err(_) => {}
        }
    }

    /// Whether a stretch lacked so often that it is lost.
    #[must_use]
    pub fn is_over(&self, first: i64, last: i64) -> bool {
        let is_lost = self.lost.iter().any(|(from, to)| *from <= first && last <= *to);
        is_lost || (self.hole == Some((first, last)) && self.n_holes >= ATTEMPTS_FOR_LOSS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(patience: &mut Patience, first: i64, last: i64, n_times: u32) {
        for _ in 0..n_times {
            patience.note::<()>(&Err(ScoreError::Hole { first, last }));
        }
    }

    #[test]
    fn what_lacks_ten_times_is_lost() {
        let mut patience = Patience::default();
        note(&mut patience, 4, 9, ATTEMPTS_FOR_LOSS - 1);
        patience.note::<()>(&Err(ScoreError::Deadline));
        assert!(!patience.is_over(4, 9));
        note(&mut patience, 4, 9, 1);
        assert!(patience.is_over(4, 9) && !patience.is_over(4, 10));
        patience.note(&Ok(()));
        assert!(!patience.is_over(4, 9));
    }

    #[test]
    fn what_was_lost_stays_so_while_more_lacks_behind_it() {
        let mut patience = Patience::default();
        note(&mut patience, 4, 9, ATTEMPTS_FOR_LOSS);
        note(&mut patience, 20, 29, ATTEMPTS_FOR_LOSS);
        assert!(patience.is_over(4, 9) && patience.is_over(20, 29));
        note(&mut patience, 40, 49, 1);
        assert!(patience.is_over(4, 9) && patience.is_over(20, 29) && !patience.is_over(40, 49));
        assert!(!patience.is_over(12, 15), "between them nothing lacked");
    }
}
