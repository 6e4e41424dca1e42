//! The way back: starts of past batches enter, the nearest one before a sequence number leaves, so that going back does not read the whole log.

use std::collections::VecDeque;

use super::log::Position;

/// Starts that are remembered.
const LIMIT: usize = 1024;

/// Starts of recent batches, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Rewind {
    starts: VecDeque<Position>,
}

impl Rewind {
    /// Remembers where a batch began.
    pub(super) fn remember(&mut self, start: Position) {
        if self.starts.len() == LIMIT {
            self.starts.pop_front();
        }
        self.starts.push_back(start);
    }

    /// The remembered start nearest to a sequence number and not after it; the log's start if there is none.
    pub(super) fn before(&self, sequence_number: i64) -> Position {
        let fitting = self.starts.iter().filter(|start| start.next_sequence_number <= sequence_number);
        fitting.max_by_key(|start| start.next_sequence_number).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_start_is_taken() {
        let mut rewind = Rewind::default();
        for number in [10, 20, 15] {
            rewind.remember(Position { next_offset: 0, next_sequence_number: number });
        }
        for (wanted, found) in [(5, 0), (10, 10), (17, 15), (99, 20)] {
            assert_eq!(rewind.before(wanted).next_sequence_number, found);
        }
    }
}
