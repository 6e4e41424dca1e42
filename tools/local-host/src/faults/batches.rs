//! Batches that come again, otherwise cut, twice at once or not again although they should: what the trigger may do to a partition.

use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::chance::{Chance, Odds};
use super::waiting::Waiting;

/// A fault for the next batch of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchFault {
    /// The partition; whichever comes first if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<usize>,
    /// What happens.
    pub does: BatchDeed,
}

/// What happens to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum BatchDeed {
    /// It comes again after its success, cut the same.
    Repeat,
    /// After its success the partition goes on at another event than the one after it, as after a lost checkpoint.
    Recut {
        /// So many events after the batch's first.
        #[serde(default)]
        skip: u64,
        /// The batch that comes then has at most so many events.
        size: usize,
    },
    /// After its success the checkpoint moves back by so many events, counted from the batch's end.
    GoBack(u64),
    /// After its success the partition stops without a checkpoint and starts again at the last one.
    LoseAnswer,
    /// Its first failure is taken for the last: the checkpoint moves on.
    PassOver,
    /// It is sent in two calls at once.
    Twice,
}

/// How often something happens to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchOdds {
    /// Share of batches, 0 to 1.
    pub share: f64,
    /// Seed of the choice.
    #[serde(default)]
    pub seed: u64,
}

impl Odds for BatchOdds {
    fn share(&self) -> f64 {
        self.share
    }

    fn seed(&self) -> u64 {
        self.seed
    }
}

/// Faults of batches.
#[derive(Debug, Default)]
pub struct BatchFaults {
    /// Those that happen once.
    pub waiting: Waiting<BatchFault>,
    /// Those that happen by chance; they never lose a batch.
    pub chance: Chance<BatchOdds>,
}

impl BatchFaults {
    /// What happens to a batch of so many events.
    pub fn next(&self, partition: usize, n_events: usize) -> Option<BatchDeed> {
        let fits = |fault: &mut BatchFault| fault.partition.is_none_or(|wanted| wanted == partition);
        match self.waiting.take(fits) {
            Some(fault) => Some(fault.does),
            None => self.chance.hit(|_, random| pick(n_events, random)),
        }
    }
}

fn pick(n_events: usize, random: &mut StdRng) -> BatchDeed {
    let n_events = n_events.max(1);
    let length = n_events as u64;
    match random.random_range(0..5) {
        0 => BatchDeed::Repeat,
        1 => BatchDeed::Recut {
            skip: random.random_range(0..length),
            size: random.random_range(1..=n_events * 2),
        },
        2 => BatchDeed::GoBack(random.random_range(1..=length * 3)),
        3 => BatchDeed::LoseAnswer,
        _ => BatchDeed::Twice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_for_its_partition() {
        let faults = BatchFaults::default();
        faults.waiting.add(BatchFault { partition: Some(1), does: BatchDeed::Repeat }).unwrap();
        faults.waiting.add(BatchFault { partition: None, does: BatchDeed::Twice }).unwrap();
        assert_eq!(faults.next(0, 5), Some(BatchDeed::Twice));
        assert_eq!(faults.next(0, 5), None);
        assert_eq!(faults.next(1, 5), Some(BatchDeed::Repeat));
    }

    #[test]
    fn chance_stays_within_reach_of_the_batch() {
        let faults = BatchFaults::default();
        faults.chance.set(Some(BatchOdds { share: 1.0, seed: 3 }));
        for _ in 0..200 {
            match faults.next(0, 4) {
                Some(BatchDeed::Recut { skip, size }) => assert!(skip < 4 && (1..=8).contains(&size)),
                Some(BatchDeed::GoBack(events)) => assert!((1..=12).contains(&events)),
                Some(BatchDeed::PassOver) | None => panic!("a batch would be lost, or nothing happens"),
                Some(_) => {}
            }
        }
    }
}
