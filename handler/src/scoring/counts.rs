//! How many facts events left, and of which events all are stored.

use std::collections::HashMap;

/// Of events of which any fact is stored: how many there are, and whether all are stored.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<i64, Count>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    all: u32,
    is_whole: bool,
}

/// A stored fact, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Counted {
    pub sequence: i64,
    /// How many facts its event left.
    pub count: u32,
    /// Place in the event.
    pub index: u32,
}

impl Counts {
    /// Counts facts, each place once.
    ///
    /// Two releases may have read an event as different numbers of parts, and a document of one of them may land late:
    /// all is stored when it is as either of them read it.
    pub(super) fn of(mut facts: Vec<Counted>) -> Self {
        facts.sort_unstable();
        facts.dedup();
        let mut counts: HashMap<i64, Count> = HashMap::new();
        for alike in facts.chunk_by(|one, other| (one.sequence, one.count) == (other.sequence, other.count)) {
            let Counted { sequence, count: all, .. } = alike[0];
            let count = counts.entry(sequence).or_default();
            count.all = count.all.max(all);
            count.is_whole |= u32::try_from(alike.len()).is_ok_and(|stored| stored >= all);
        }
        Self(counts)
    }

    /// How many facts an event left, when any of them is stored.
    pub(super) fn count_of(&self, sequence: i64) -> Option<u32> {
        self.0.get(&sequence).map(|count| count.all)
    }

    /// Whether all facts of an event are stored.
    pub(super) fn holds_all_of(&self, sequence: i64) -> bool {
        self.0.get(&sequence).is_some_and(|count| count.is_whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(facts: &[(u32, u32)]) -> Counts {
        Counts::of(facts.iter().map(|&(index, count)| Counted { sequence: 7, count, index }).collect())
    }

    #[test]
    fn a_place_that_is_stored_twice_stands_for_no_other() {
        assert!(!counts(&[(0, 2), (0, 2)]).holds_all_of(7));
        assert!(counts(&[(0, 2), (1, 2), (0, 2)]).holds_all_of(7));
        assert!(!counts(&[]).holds_all_of(7));
    }

    #[test]
    fn an_event_is_whole_as_any_release_read_it() {
        // One release refused it, some of what another one read landed late.
        let (refused, late) = ((0, 1), [(0, 3), (2, 3)]);
        assert!(!counts(&late).holds_all_of(7));
        let counts = counts(&[late[0], refused, late[1]]);
        assert_eq!((counts.count_of(7), counts.holds_all_of(7)), (Some(3), true));
    }
}
